"""Registering many models of a provider at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from modelmanager.lib.refusals import Invalid, NameTaken
from models_registry.models import (
    AuditEntry,
    ConfigUse,
    ConfigVersion,
    ModelPrice,
    Provider,
    RegisteredModel,
    StatusEvent,
)
from models_registry.refusals import ProviderUnreachable
from models_registry.services import importing
from models_registry.services.importing import Line, Wish, import_models
from models_registry.services.registration import delete_model, register_model
from tests.api_providers.servers import ApiServer, AzureClassic
from tests.monitoring.fixtures import build, clock, tasks, world
from tests.monitoring.world import World

__all__ = ["build", "clock", "tasks", "world"]

pytestmark = pytest.mark.django_db
ACTOR = "user:kim"


def run(provider: Provider, *, dry_run: bool = False, **wish: Any) -> list[Line]:
    return import_models(provider, Wish(**wish), actor=ACTOR, dry_run=dry_run)


def told(lines: list[Line]) -> dict[str, str]:
    return {line.remote_name: line.outcome for line in lines}


def test_all_that_is_offered_is_registered(openai: ApiServer, register: Callable[..., Provider]) -> None:
    provider = register(openai)
    assert told(run(provider)) == {"chat-large": "created", "embed-small": "created"}
    chat, embed = RegisteredModel.objects.order_by("name")
    assert (chat.name, chat.kind, chat.remote_name, chat.observed) == ("chat-large", "chat", "chat-large", "ready")
    assert (embed.kind, embed.wanted, embed.on_gpu, embed.status_word) == ("embedding", False, False, "registered")
    assert openai.billed == []


def test_each_has_all_that_a_model_registered_by_itself_has(
    openai: ApiServer, register: Callable[..., Provider]
) -> None:
    provider = register(openai)
    run(provider, pattern="chat*")
    alone = register_model(actor=ACTOR, name="alone", provider=provider, remote_name="embed-small", kind="embedding")
    imported = RegisteredModel.objects.get(name="chat-large")
    for table in (ConfigVersion, ConfigUse, ModelPrice, StatusEvent):
        assert _rows(table, imported) == _rows(table, alone) != []
    assert imported.config_id == imported.configs.get().pk
    assert _audited(imported) == _audited(alone) == [("created", ACTOR)]
    same = ("observed", "wanted", "switch_state", "error_code", "queued_at", "drain_until", "status", "edition")
    assert [getattr(imported, field) for field in same] == [getattr(alone, field) for field in same]
    assert imported.observed_at is not None


def _rows(table: Any, model: RegisteredModel) -> list[dict[str, Any]]:
    ignored = {"id", "model_id", "config_id", "at", "since", "created_at"}
    rows = table.objects.filter(model=model).values()
    return [{name: value for name, value in row.items() if name not in ignored} for row in rows]


def _audited(model: RegisteredModel) -> list[tuple[str, str]]:
    entries = AuditEntry.objects.filter(kind="model", object_id=model.pk, name=model.name)
    return list(entries.values_list("action", "actor"))


def test_a_dry_run_tells_the_same_and_writes_nothing(openai: ApiServer, register: Callable[..., Provider]) -> None:
    provider = register(openai)
    planned = run(provider, dry_run=True)
    assert not RegisteredModel.objects.exists()
    assert run(provider) == planned


def test_what_is_registered_is_skipped_under_whatever_name(
    openai: ApiServer, register: Callable[..., Provider]
) -> None:
    provider = register(openai)
    register_model(actor=ACTOR, name="our-chat", provider=provider, remote_name="chat-large")
    lines = run(provider)
    assert told(lines) == {"chat-large": "skipped", "embed-small": "created"}
    assert lines[0].name == "our-chat"
    assert told(run(provider)) == {"chat-large": "skipped", "embed-small": "skipped"}


@pytest.mark.parametrize(
    ("wish", "chosen"),
    [
        ({"pattern": "embed*"}, ["embed-small"]),
        ({"pattern": "EMBED-?mall"}, ["embed-small"]),
        ({"pattern": "[ce]*l*"}, ["chat-large", "embed-small"]),
        ({"pattern": "nothing*"}, []),
        ({"remote_names": ["chat-large"]}, ["chat-large"]),
        ({"remote_names": ["chat-large", "chat-large"]}, ["chat-large"]),
        ({"remote_names": ["chat-large", "embed-small"], "pattern": "*small"}, ["embed-small"]),
        ({"remote_names": []}, []),
    ],
)
def test_only_what_is_asked_for(
    openai: ApiServer, register: Callable[..., Provider], wish: dict[str, Any], chosen: list[str]
) -> None:
    assert list(told(run(register(openai), **wish))) == chosen
    assert list(RegisteredModel.objects.values_list("remote_name", flat=True)) == chosen


def test_what_cannot_be_registered_is_told_and_hinders_nothing(
    openai: ApiServer, register: Callable[..., Provider]
) -> None:
    provider = register(openai)
    register_model(actor=ACTOR, name="chat-large", provider=provider, remote_name="embed-small")
    openai.models += ["m/x", "m:x", "모델", "y" * 201, "fine"]
    lines = {line.remote_name: line for line in run(provider, remote_names=[*openai.models, "nothing"])}
    assert {name: line.outcome for name, line in lines.items()} == {
        "chat-large": "refused",
        "embed-small": "skipped",
        "m/x": "created",
        "m:x": "refused",
        "모델": "refused",
        "y" * 201: "refused",
        "nothing": "refused",
        "fine": "created",
    }
    assert "chat-large is taken" in lines["chat-large"].detail
    assert "m-x is taken" in lines["m:x"].detail
    assert lines["nothing"].detail == "The provider does not offer it."
    assert all(line.detail for line in lines.values() if line.outcome == "refused")


def test_the_name_of_a_deleted_model_is_free(openai: ApiServer, register: Callable[..., Provider]) -> None:
    provider = register(openai)
    run(provider)
    delete_model(RegisteredModel.objects.get(name="chat-large"), actor=ACTOR)
    assert told(run(provider)) == {"chat-large": "created", "embed-small": "skipped"}


def test_a_prefix_keeps_two_providers_apart(
    openai: ApiServer, azure: AzureClassic, register: Callable[..., Provider]
) -> None:
    run(register(openai))
    second = register(azure, "azure")
    assert set(told(run(second)).values()) == {"refused"}
    assert [line.name for line in run(second, prefix="azure-")] == ["azure-chat-large", "azure-embed-small"]


def test_the_kind_is_that_of_the_model_behind_a_deployment_unless_it_is_given(
    azure: AzureClassic, register: Callable[..., Provider]
) -> None:
    azure.models = ["ours"]
    provider = register(azure)
    assert [line.kind for line in run(provider, dry_run=True)] == ["chat"]
    run(provider, kind="preprocessing", activation_policy="on_demand")
    model = RegisteredModel.objects.get()
    assert (model.kind, model.activation_policy) == ("preprocessing", "on_demand")


def test_deployments_that_nobody_lists_are_taken_by_name_only(
    azure: AzureClassic, register: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azure, "lists_deployments", False)
    provider = register(azure)
    with pytest.raises(ProviderUnreachable, match="name those to import"):
        run(provider)
    assert told(run(provider, remote_names=["chat-large", "2024-10-21"])) == {
        "chat-large": "created",
        "2024-10-21": "refused",
    }
    assert told(run(provider, remote_names=["chat-large"])) == {"chat-large": "skipped"}


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"activation_policy": "scheduled"}, "activation_policy"),
        ({"prefix": "Upper"}, "prefix"),
        ({"prefix": "sp ace"}, "prefix"),
        ({"remote_names": [f"m{n}" for n in range(1001)]}, "remote_names"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_before_anybody_is_asked(
    openai: ApiServer, register: Callable[..., Provider], wish: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        run(register(openai), **wish)
    assert [error["field"] for error in caught.value.extra["errors"]] == [field]
    assert openai.asked == []


def test_too_much_at_once_asks_for_a_pattern(openai: ApiServer, register: Callable[..., Provider]) -> None:
    openai.models = [f"chat-{n}" for n in range(1001)]
    provider = register(openai)
    with pytest.raises(Invalid) as caught:
        run(provider)
    assert caught.value.extra["errors"][0]["field"] == "pattern"
    assert len(run(provider, pattern="chat-?")) == 10


def test_the_number_of_statements_does_not_grow_with_the_models(
    openai: ApiServer, register: Callable[..., Provider]
) -> None:
    provider = register(openai)
    counts = []
    for models in (2, 20):
        openai.models = [f"chat-{models}-{n}" for n in range(models)]
        with CaptureQueriesContext(connection) as queries:
            assert set(told(run(provider, pattern=f"chat-{models}-*")).values()) == {"created"}
        counts.append(len(queries))
    assert counts[0] == counts[1] < 25


def test_a_name_taken_at_the_same_moment_writes_nothing(
    openai: ApiServer, register: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = register(openai)
    plan = importing._plan

    def planned_too_early(*arguments: Any) -> Any:
        made = plan(*arguments)
        register_model(actor=ACTOR, name="embed-small", provider=provider, remote_name="chat-large")
        return made

    monkeypatch.setattr(importing, "_plan", planned_too_early)
    with pytest.raises(NameTaken):
        run(provider)
    assert [model.name for model in RegisteredModel.objects.all()] == ["embed-small"]
    assert AuditEntry.objects.filter(kind="model").count() == 1


def test_models_of_a_triton_server_too(world: World) -> None:
    world.fake.add("embed")
    world.fake.add("chat")
    world.fake.load_behind_our_back("chat")
    assert told(run(world.provider)) == {"chat": "created", "embed": "created"}
    chat, embed = RegisteredModel.objects.order_by("name")
    assert (chat.on_gpu, chat.observed, chat.wanted, chat.switch_state) == (True, "ready", True, "on")
    assert (embed.observed, embed.wanted, embed.switch_state) == ("unloaded", False, "auto")
    assert (chat.loaded_config_id, embed.loaded_config_id) == (chat.config_id, None)


def test_a_server_that_declares_its_memory_wants_a_size(world: World) -> None:
    world.fake.add("chat")
    Provider.objects.update(gpu_memory_mb=8000)
    provider = Provider.objects.get()
    assert told(run(provider)) == {"chat": "refused"}
    assert told(run(provider, gpu_memory_mb=9000)) == {"chat": "refused"}
    assert told(run(provider, gpu_memory_mb=4000)) == {"chat": "created"}
