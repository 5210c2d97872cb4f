"""Registering a model: asked of its server first, refused field by field, never stopping what runs."""

from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid
from models_registry.models import ConfigVersion, Provider, RegisteredModel
from models_registry.refusals import ProviderUnreachable
from models_registry.services import inserting
from models_registry.services.registration import register_model
from tests.monitoring.world import World
from tests.registry.arranging import a_provider
from tests.triton.fake import FakeModel

ACTOR = "user:kim"


def register(world: World, name: str = "chat", **fields: Any) -> RegisteredModel:
    values = {"name": name, "provider": world.provider, "remote_name": name}
    return register_model(actor=ACTOR, **(values | fields))


def wrong_fields(world: World, name: str = "chat", **fields: Any) -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        register(world, name, **fields)
    assert RegisteredModel.all_objects.filter(name=name).count() <= 1
    return {(error["field"], error["code"]) for error in refused.value.extra["errors"]}


@pytest.fixture
def listed(world: World) -> World:
    world.fake.add(FakeModel("chat"))
    return world


def test_a_listed_model_is_registered_with_its_first_configuration(listed: World) -> None:
    model = register(listed)

    assert (model.status_word, model.observed, model.wanted, model.on_gpu) == ("registered", "unloaded", False, True)
    first = ConfigVersion.objects.get(model=model)
    assert (model.config_id, first.number, first.values, first.created_by) == (first.pk, 1, {}, ACTOR)
    assert listed.codes("chat") == ["registered"]


def test_registering_wakes_the_server(listed: World, tasks: list[str], django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        register(listed)
    listed.provider.refresh_from_db()
    assert (listed.provider.wake_at, tasks) == (now(), ["monitoring.tasks.watch"])


@pytest.mark.parametrize("load_s", [0, 30])
def test_what_is_found_loaded_or_loading_is_switched_on_and_stays(world: World, load_s: float) -> None:
    world.fake.add(FakeModel("chat", load_s=load_s))
    world.fake.load_behind_our_back("chat")

    model = register(world)

    assert (model.switch_state, model.wanted) == ("on", True)
    world.run_for(60)
    assert world.resident() == ["chat"]
    assert world.posts() == []


@pytest.mark.django_db(transaction=True)
def test_what_is_found_loaded_is_registered_after_a_deadlock_too(shared_world: World) -> None:
    shared_world.fake.add(FakeModel("chat"))
    shared_world.fake.load_behind_our_back("chat")
    once = mock.Mock(side_effect=[OperationalError(1213, "Deadlock found"), None])

    with mock.patch.object(inserting, "note_first", once):
        model = register(shared_world)

    assert once.call_count == 2
    assert model.loaded_config_id == model.config_id is not None


def test_a_failure_from_before_we_knew_it_is_no_failure(world: World) -> None:
    world.fake.add(FakeModel("chat", failure="boom"))
    world.fake.load_behind_our_back("chat")
    model = register(world)
    assert (model.status_word, model.observed) == ("registered", "unloaded")


def test_what_the_server_does_not_list_is_refused(world: World) -> None:
    assert wrong_fields(world) == {("remote_name", "not_listed")}


def test_a_loaded_model_is_refused_in_a_version_that_is_not_served(world: World) -> None:
    world.fake.add(FakeModel("chat"))
    world.fake.load_behind_our_back("chat")
    assert wrong_fields(world, remote_version="9") == {("remote_version", "not_listed")}
    assert register(world, remote_version="1").status_word == "active"


def test_without_verification_nobody_is_asked(world: World) -> None:
    model = register(world, verify=False)
    assert (model.observed, model.status_word) == ("unknown", "registered")
    assert world.fake.calls == {}
    assert world.codes("chat") == []


def test_a_silent_server_registers_nothing(listed: World) -> None:
    listed.fake.down = True
    with pytest.raises(ProviderUnreachable):
        register(listed)
    assert not RegisteredModel.all_objects.exists()


def test_a_disabled_server_is_not_asked(listed: World) -> None:
    listed.provider.enabled = False
    with pytest.raises(ProviderUnreachable):
        register(listed)
    assert listed.fake.calls == {}


@pytest.mark.parametrize("name", ["", "a", "Chat", "has space", "a/b", "x" * 101, "챗봇", "line\n"])
def test_names_are_lower_case_slugs(listed: World, name: str) -> None:
    assert {field for field, _code in wrong_fields(listed, name, remote_name="chat")} == {"name"}


@pytest.mark.parametrize("name", ["ab", "a.b_c-1", "0" * 100])
def test_names_that_may_be(listed: World, name: str) -> None:
    assert register(listed, name, remote_name="chat").name == name


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"kind": "poetry"}, {("kind", "invalid_choice")}),
        ({"activation_policy": "sometimes"}, {("activation_policy", "invalid_choice")}),
        ({"activation_policy": "scheduled"}, {("window", "required")}),
        ({"remote_version": "latest"}, {("remote_version", "invalid")}),
        ({"remote_name": ""}, {("remote_name", "blank")}),
        ({"remote_name": "x" * 201}, {("remote_name", "max_length")}),
        ({"gpu_memory_mb": -1}, {("gpu_memory_mb", "min_value")}),
        ({"priority": 1001}, {("priority", "max_value")}),
        ({"idle_ttl_s": 8 * 86400}, {("idle_ttl_s", "max_value")}),
        ({"input_price": "1.0000001"}, {("input_price", "max_decimal_places")}),
        ({"tags": "chat"}, {("tags", "invalid")}),
        ({"tags": [""]}, {("tags", "invalid")}),
        ({"tags": ["x" * 51]}, {("tags", "invalid")}),
        ({"tags": ['say "hi"']}, {("tags", "invalid")}),
        ({"tags": [7]}, {("tags", "invalid")}),
        ({"tags": [str(n) for n in range(51)]}, {("tags", "invalid")}),
        ({"tags": [""], "kind": "poetry"}, {("tags", "invalid"), ("kind", "invalid_choice")}),
    ],
)
def test_each_wrong_field_is_named_and_nobody_is_asked(
    listed: World, fields: dict[str, Any], wrong: set[tuple[str, str]]
) -> None:
    assert wrong_fields(listed, **fields) == wrong
    assert listed.fake.calls == {}


def test_a_model_without_a_provider_is_refused(db: None) -> None:
    with pytest.raises(Invalid) as refused:
        register_model(actor=ACTOR, name="chat", remote_name="chat")
    assert refused.value.extra["errors"][0]["field"] == "provider"


def test_a_size_is_required_where_the_server_declares_its_memory(db: None, build: Any) -> None:
    world = build(budget_mb=8000)
    world.fake.add(FakeModel("chat"))
    assert wrong_fields(world) == {("gpu_memory_mb", "required")}
    assert wrong_fields(world, gpu_memory_mb=8001) == {("gpu_memory_mb", "too_large")}
    assert register(world, gpu_memory_mb=8000).gpu_memory_mb == 8000


def test_taken_names_are_refused_on_the_field_that_was_typed(listed: World) -> None:
    register(listed)
    assert wrong_fields(listed, remote_name="other") == {("name", "unique")}
    assert wrong_fields(listed, "chat2", remote_name="chat") == {("remote_name", "unique")}


def test_a_deleted_provider_takes_no_models(listed: World) -> None:
    Provider.objects.filter(pk=listed.provider.pk).update(deleted_at=now())
    listed.provider.refresh_from_db()
    assert wrong_fields(listed) == {("provider", "does_not_exist")}


# -- races: whoever comes second


def test_a_name_registered_while_the_server_was_asked(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shared_world.fake.add(FakeModel("chat"))
    observe = shared_world.fake.observe

    def a_rival_first() -> Any:
        monkeypatch.setattr(shared_world.fake, "observe", observe)
        register(shared_world)
        return observe()

    monkeypatch.setattr(shared_world.fake, "observe", a_rival_first)
    with pytest.raises(Invalid):
        register(shared_world)
    assert RegisteredModel.objects.count() == ConfigVersion.objects.count() == 1


def test_a_provider_deleted_while_it_was_asked(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shared_world.fake.add(FakeModel("chat"))
    observe = shared_world.fake.observe

    def deleted_first() -> Any:
        Provider.objects.filter(pk=shared_world.provider.pk).update(deleted_at=now())
        return observe()

    monkeypatch.setattr(shared_world.fake, "observe", deleted_first)
    assert wrong_fields(shared_world) == {("provider", "invalid")}
    assert not RegisteredModel.all_objects.exists()


def test_the_same_remote_model_of_another_server_is_another_model(listed: World) -> None:
    register(listed)
    assert register(listed, "chat2", provider=a_provider("gpu2", port=18001), remote_name="chat").on_gpu
