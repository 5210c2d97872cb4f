"""Soft deletion and restoring, with everything that refuses them."""

from typing import Any

import pytest
from django.db import IntegrityError

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import NameTaken, Refusal
from models_registry.models import Provider, RegisteredModel, StatusEvent, Window
from models_registry.refusals import (
    ModelInUse,
    ProviderDeleted,
    ProviderInUse,
    RemoteTaken,
    UrlTaken,
    WindowDeleted,
)
from models_registry.services.providers import delete_provider, restore_provider
from models_registry.services.registration import delete_model, restore_model
from models_registry.services.switching import activate
from models_registry.services.windows import delete_window, restore_window
from models_registry.vocabulary import ErrorCode, Observed, SwitchState
from tests.monitoring.world import World
from tests.registry.arranging import a_model, a_provider

ACTOR = "user:kim"


def delete(world: World, name: str) -> None:
    delete_model(world.model(name), actor=ACTOR)


def restore(world: World, name: str) -> RegisteredModel:
    return restore_model(world.model(name), actor=ACTOR)


# -- deleting a model


def test_a_deleted_model_is_marked_and_hidden_not_removed(world: World, chat: str) -> None:
    delete(world, chat)

    assert not RegisteredModel.objects.filter(name=chat).exists()
    gone = world.model(chat)
    assert (gone.deleted_at, gone.switch_state) == (now(), SwitchState.OFF)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"open_leases": 2}, "2"),
        ({"bindings": 3}, "3"),
        ({"wanted": True}, "switched on"),
        ({"observed": Observed.READY}, "GPU"),
        ({"observed": Observed.LOADING}, "GPU"),
        ({"observed": Observed.UNLOADING}, "GPU"),
    ],
)
def test_what_keeps_a_model(world: World, chat: str, facts: dict[str, Any], reason: str, settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"
    world.put(chat, **facts)

    with pytest.raises(ModelInUse, match=reason):
        delete(world, chat)

    assert world.model(chat).deleted_at is None


@pytest.mark.parametrize("observed", [Observed.UNKNOWN, Observed.ABSENT, Observed.UNLOADED, Observed.FAILED])
def test_what_is_not_on_the_gpu_may_go_whatever_its_error(world: World, chat: str, observed: Observed) -> None:
    world.put(chat, observed=observed, error_code=ErrorCode.MISSING)
    delete(world, chat)
    assert world.model(chat).deleted_at is not None


def test_deleting_twice_is_the_same_as_once(world: World, chat: str) -> None:
    delete(world, chat)
    first = world.model(chat).deleted_at
    world.advance(60)
    delete(world, chat)
    assert world.model(chat).deleted_at == first


def test_who_deleted_it_is_told_once(world: World, chat: str) -> None:
    delete(world, chat)
    delete(world, chat)

    event = StatusEvent.objects.get(model__name=chat)
    assert (event.code, event.from_word, event.to_word, event.actor) == ("deleted", "registered", "registered", ACTOR)


def test_a_refusal_is_decided_on_the_row_not_on_what_was_read(world: World, chat: str) -> None:
    read_before = world.model(chat)
    world.put(chat, open_leases=1)
    with pytest.raises(ModelInUse):
        delete_model(read_before, actor=ACTOR)


def test_an_answer_about_a_deleted_model_comes_too_late(world: World, chat: str) -> None:
    from models_registry.facts import change_facts

    read_before = world.model(chat)
    delete(world, chat)
    assert not change_facts(read_before, {"wanted": True}, code="wanted", actor="system", at=now())


# -- restoring a model


def test_a_restored_model_is_switched_off_and_nothing_is_believed_of_it(world: World, chat: str) -> None:
    world.put(chat, error_code=ErrorCode.LOAD_FAILED, error_message="boom", error_since=now(), failures=5)
    world.put(chat, retry_at=world.at(60), demand_until=world.at(60))
    delete(world, chat)

    model = restore(world, chat)

    assert (model.deleted_at, model.observed, model.error_code) == (None, "unknown", "")
    assert (model.switch_state, model.switch_until, model.status_word) == ("off", None, "registered")
    assert (model.failures, model.retry_at, model.error_message, model.error_since) == (0, None, "", None)


def test_restoring_tells_what_it_changes(world: World, chat: str) -> None:
    world.put(chat, error_code=ErrorCode.LOAD_FAILED)
    delete(world, chat)
    restore(world, chat)

    event = StatusEvent.objects.get(model__name=chat, code="restored")
    assert (event.from_word, event.to_word, event.actor) == ("error", "registered", ACTOR)


def test_restoring_a_living_model_changes_nothing(world: World, chat: str) -> None:
    activate(world.model(chat), actor=ACTOR)
    assert restore(world, chat).switch_state == "on"


def test_a_name_taken_meanwhile(world: World, chat: str) -> None:
    delete(world, chat)
    a_model(world.provider, chat, remote_name="other")
    gone = RegisteredModel.all_objects.get(name=chat, deleted_at__isnull=False)
    with pytest.raises(NameTaken):
        restore_model(gone, actor=ACTOR)


def test_a_remote_model_taken_meanwhile(world: World, chat: str) -> None:
    delete(world, chat)
    a_model(world.provider, "other", remote_name=chat)
    with pytest.raises(RemoteTaken):
        restore(world, chat)


def test_a_provider_deleted_meanwhile(world: World, chat: str) -> None:
    delete(world, chat)
    delete_provider(world.provider, actor=ACTOR)
    with pytest.raises(ProviderDeleted):
        restore(world, chat)


def test_a_provider_deleted_since_the_model_was_read(world: World, chat: str) -> None:
    delete(world, chat)
    read_before = world.model(chat)
    delete_provider(world.provider, actor=ACTOR)
    with pytest.raises(ProviderDeleted):
        restore_model(read_before, actor=ACTOR)
    assert not RegisteredModel.objects.exists()


def test_a_window_deleted_meanwhile(world: World, chat: str) -> None:
    night = Window.objects.get(name="night")
    world.put(chat, activation_policy="scheduled", window=night)
    delete(world, chat)
    delete_window(night, actor="user:kim")
    with pytest.raises(WindowDeleted):
        restore(world, chat)

    restore_window(Window.all_objects.get(pk=night.pk), actor="user:kim")
    assert restore(world, chat).window == night


def test_a_restored_model_can_be_used_again(world: World, chat: str) -> None:
    delete(world, chat)
    restore(world, chat)
    activate(world.model(chat), actor=ACTOR)
    world.settle()
    assert world.status(chat) == "active"


# -- providers


def test_a_provider_with_a_living_model_stays(shared_world: World) -> None:
    shared_world.add("chat")
    with pytest.raises(ProviderInUse) as refused:
        delete_provider(shared_world.provider, actor=ACTOR)

    assert refused.value.extra["models"] == ["chat"]
    shared_world.provider.refresh_from_db()
    assert (shared_world.provider.deleted_at, shared_world.provider.enabled) == (None, True)


def test_a_hidden_model_does_not_keep_its_provider(world: World, chat: str) -> None:
    delete(world, chat)
    delete_provider(world.provider, actor=ACTOR)
    assert not Provider.objects.filter(pk=world.provider.pk).exists()


def test_a_restored_provider_is_enabled_and_not_yet_checked(world: World) -> None:
    Provider.objects.filter(pk=world.provider.pk).update(checked_at=now(), consecutive_failures=4, health_error="x")
    delete_provider(world.provider, actor=ACTOR)
    gone = Provider.all_objects.get(pk=world.provider.pk)

    back = restore_provider(gone, actor=ACTOR)

    assert (back.deleted_at, back.enabled, back.health_state) == (None, True, "unknown")
    assert (back.consecutive_failures, back.health_error) == (0, "")


def test_restoring_a_living_provider_changes_nothing(world: World) -> None:
    Provider.objects.filter(pk=world.provider.pk).update(enabled=False)
    world.provider.refresh_from_db()
    assert not restore_provider(world.provider, actor=ACTOR).enabled


@pytest.mark.parametrize(
    ("taken", "refusal"),
    [({"name": "gpu", "port": 18001}, NameTaken), ({"name": "gpu2", "port": 18000}, UrlTaken)],
)
def test_a_providers_name_or_server_taken_meanwhile(
    world: World, taken: dict[str, Any], refusal: type[Refusal]
) -> None:
    delete_provider(world.provider, actor=ACTOR)
    a_provider(**taken)
    with pytest.raises(refusal):
        restore_provider(Provider.all_objects.get(pk=world.provider.pk), actor=ACTOR)


# -- whoever comes second in a race is refused, and meets no error of the database


def test_a_name_taken_at_the_same_moment(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    name = shared_world.add("chat")
    delete(shared_world, name)
    gone = shared_world.model(name)
    a_model(shared_world.provider, name, remote_name="other")
    monkeypatch.setattr("django.db.models.query.QuerySet.exists", lambda self: False)

    with pytest.raises(NameTaken):
        restore_model(gone, actor=ACTOR)


def test_a_providers_server_taken_at_the_same_moment(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    delete_provider(shared_world.provider, actor=ACTOR)
    a_provider("gpu2")
    monkeypatch.setattr("django.db.models.query.QuerySet.exists", lambda self: False)

    with pytest.raises(NameTaken) as refused:
        restore_provider(Provider.all_objects.get(pk=shared_world.provider.pk), actor=ACTOR)
    assert isinstance(refused.value.__cause__, IntegrityError)
