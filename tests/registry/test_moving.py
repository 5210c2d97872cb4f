"""Changing a model: what it stands for only while it is at rest, everything else at any time."""

from typing import Any

import pytest
from django.db import IntegrityError

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import EditConflict, Invalid, NotFound
from models_registry.models import Provider, RegisteredModel
from models_registry.refusals import ModelInUse, RemoteTaken
from models_registry.services.registration import update_model
from models_registry.vocabulary import ErrorCode, Observed
from tests.monitoring.world import World
from tests.registry.arranging import a_model, a_provider

ACTOR = "user:kim"


def update(world: World, name: str, *, edition: int | None = None, **changes: Any) -> RegisteredModel:
    return update_model(world.model(name), changes, actor=ACTOR, edition=edition)


def test_an_edit_raises_the_edition_and_leaves_the_facts_alone(world: World, chat: str) -> None:
    before = world.model(chat)
    after = update(world, chat, display_name="Chat", priority=5, tags=["ko"])
    assert (after.display_name, after.priority, after.tags) == ("Chat", 5, ["ko"])
    assert (after.edition, after.revision) == (before.edition + 1, before.revision)
    assert world.codes(chat) == []


def test_a_stale_edition_is_refused_with_what_is_there_now(world: World, chat: str) -> None:
    update(world, chat, display_name="first")
    with pytest.raises(EditConflict) as refused:
        update(world, chat, edition=1, display_name="second")
    assert refused.value.extra["row"].display_name == "first"


def test_a_change_of_facts_spoils_nobodys_edit(world: World, chat: str) -> None:
    world.look()
    world.put(chat, revision=9)
    assert update(world, chat, edition=1, display_name="Chat").edition == 2


def test_without_an_edition_the_last_writer_wins_field_by_field(world: World, chat: str) -> None:
    late = world.model(chat)
    update(world, chat, display_name="first", priority=1)
    update_model(late, {"priority": 2}, actor=ACTOR)
    assert (world.model(chat).display_name, world.model(chat).priority) == ("first", 2)


def test_what_people_do_not_edit_is_ignored(world: World, chat: str) -> None:
    changes = {"name": "other", "wanted": True, "observed": "ready", "open_leases": 7, "display_name": "x"}
    after = update_model(world.model(chat), changes, actor=ACTOR)
    assert (after.name, after.wanted, after.observed, after.open_leases) == ("chat", False, "unloaded", 0)


@pytest.mark.parametrize("move", [{"remote_name": "other"}, {"remote_version": "2"}])
@pytest.mark.parametrize(
    "facts",
    [{"wanted": True}, {"open_leases": 1}, {"observed": "ready"}, {"observed": "loading"}, {"observed": "unloading"}],
)
def test_a_model_at_work_stands_for_what_it_stands_for(
    shared_world: World, facts: dict[str, Any], move: dict[str, Any]
) -> None:
    name = shared_world.add("chat")
    shared_world.put(name, **facts)
    with pytest.raises(ModelInUse):
        update(shared_world, name, display_name="x", **move)
    assert (shared_world.model(name).remote_name, shared_world.model(name).display_name) == ("chat", "")


@pytest.mark.parametrize("facts", [{"wanted": True}, {"open_leases": 1}, {"observed": "ready"}])
def test_everything_else_of_a_model_at_work_may_change(world: World, chat: str, facts: dict[str, Any]) -> None:
    world.put(chat, **facts)
    assert update(world, chat, remote_name="chat", display_name="Chat", priority=9).priority == 9


def test_nothing_is_believed_of_a_model_that_was_moved(world: World, chat: str) -> None:
    world.put(chat, error_code=ErrorCode.LOAD_FAILED, error_message="boom", failures=5, retry_at=world.at(60))
    after = update(world, chat, remote_name="other")
    assert (after.remote_name, after.observed, after.error_code, after.error_message) == ("other", "unknown", "", "")
    assert (after.failures, after.retry_at) == (0, None)


def test_moving_tells_what_it_changes(world: World, chat: str) -> None:
    world.put(chat, error_code=ErrorCode.MISSING)
    update(world, chat, remote_name="other")
    event = world.model(chat).events.get()
    assert (event.code, event.from_word, event.to_word, event.actor) == ("moved", "error", "registered", ACTOR)


def test_an_answer_about_the_old_place_comes_too_late(world: World, chat: str) -> None:
    from models_registry.facts import change_facts

    slow = world.model(chat)
    update(world, chat, remote_name="other")
    assert not change_facts(slow, {"observed": Observed.READY}, code="ready", actor="system", at=now())


def test_moving_to_another_server_takes_its_rules(world: World, chat: str) -> None:
    small = a_provider("small", port=18001, gpu_memory_mb=100)
    with pytest.raises(Invalid) as refused:
        update(world, chat, provider=small)
    assert refused.value.extra["errors"][0]["field"] == "gpu_memory_mb"
    assert update(world, chat, provider=small, gpu_memory_mb=100).provider == small


def test_moving_onto_another_models_object_is_refused_on_the_field(world: World, chat: str) -> None:
    a_model(world.provider, "rerank")
    with pytest.raises(Invalid) as refused:
        update(world, chat, remote_name="rerank")
    assert refused.value.extra["errors"][0]["field"] == "remote_name"


def test_moving_onto_an_object_taken_at_the_same_moment(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    name = shared_world.add("chat")
    a_model(shared_world.provider, "rerank")
    monkeypatch.setattr(RegisteredModel, "validate_constraints", lambda self, **_: None)
    with pytest.raises(RemoteTaken) as refused:
        update(shared_world, name, remote_name="rerank")
    assert isinstance(refused.value.__cause__, IntegrityError)
    assert shared_world.model(name).remote_name == "chat"


def test_moving_to_a_provider_deleted_at_the_same_moment(shared_world: World) -> None:
    name = shared_world.add("chat")
    other = a_provider("gpu2", port=18001)
    Provider.objects.filter(pk=other.pk).update(deleted_at=now())  # `other` was read before
    with pytest.raises(Invalid):
        update(shared_world, name, provider=other)
    assert shared_world.model(name).provider == shared_world.provider


def test_editing_a_model_deleted_meanwhile_changes_nothing(shared_world: World) -> None:
    name = shared_world.add("chat")
    read_before = shared_world.model(name)
    shared_world.put(name, deleted_at=now())
    with pytest.raises(NotFound):
        update_model(read_before, {"display_name": "x"}, actor=ACTOR)
    assert shared_world.model(name).display_name == ""
