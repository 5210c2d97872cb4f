"""Whatever people and clients do to providers, models, windows and clients is in the audit trail, with who did it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import EditConflict, Invalid
from models_registry.models import AuditEntry, Provider, RegisteredModel, Window
from models_registry.refusals import ProviderInUse
from models_registry.services import providers, registration, windows
from tests.monitoring.world import World
from usage.models import Client
from usage.services import clients

KIM = "user:kim"
HOURS = [{"weekdays": [0], "start": "08:00", "end": "09:00"}]
SECRET = "canary-0123456789-abcd"


def trail(kind: str, name: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(action, actor, changes) about one object, oldest first."""
    rows = AuditEntry.objects.filter(kind=kind, name=name).order_by("id")
    return [(entry.action, entry.actor, entry.changes) for entry in rows]


def a_provider(**fields: Any) -> Provider:
    told = {"name": "gpu2", "kind": "triton", "base_url": "http://127.0.0.1:18009", "allow_private_network": True}
    return providers.create_provider(actor=KIM, **told | fields)


def test_a_provider_is_created_changed_deleted_and_restored(world: World) -> None:
    provider = a_provider(drain_s=30)
    providers.update_provider(provider, {"drain_s": 5, "enabled": True}, actor="client:ops")
    providers.delete_provider(provider, actor=KIM)
    providers.restore_provider(Provider.all_objects.get(pk=provider.pk), actor="user:lee")

    created, *others = trail("provider", "gpu2")
    assert created[:2] == ("created", KIM)
    assert created[2]["drain_s"] == {"from": 60, "to": 30}
    assert created[2]["kind"] == {"from": "", "to": "triton"}
    assert others == [
        ("changed", "client:ops", {"drain_s": {"from": 30, "to": 5}}),
        ("deleted", KIM, {}),
        ("restored", "user:lee", {}),
    ]


def test_of_a_secret_only_what_was_done_is_told(world: World) -> None:
    provider = a_provider()
    for key in (SECRET, SECRET, "another-key-entirely", ""):
        providers.update_provider(provider, {"api_key": key}, actor=KIM)
    told = [changes for _action, _actor, changes in trail("provider", "gpu2")[1:]]
    assert told == [{"api_key": {"secret": done}} for done in ("set", "changed", "removed")]
    assert a_provider(name="gpu3", base_url="http://127.0.0.1:18010", api_key=SECRET)
    assert trail("provider", "gpu3")[0][2]["api_key"] == {"secret": "set"}


def test_removing_a_secret_that_no_key_opens_is_told(world: World, settings: Any) -> None:
    provider = a_provider(api_key=SECRET)
    settings.CREDENTIAL_KEYS = ["x6NG2FzcWXH9hJcyLrZp5Qb4wN0oAqVfT1sUu8eKj3Y="]
    providers.update_provider(Provider.objects.get(pk=provider.pk), {"drain_s": 5}, actor=KIM)
    providers.update_provider(Provider.objects.get(pk=provider.pk), {"api_key": ""}, actor=KIM)
    assert [changes for *_who, changes in trail("provider", "gpu2")[1:]] == [
        {"drain_s": {"from": 60, "to": 5}},
        {"api_key": {"secret": "removed"}},
    ]


def test_a_model_is_registered_changed_deleted_and_restored(world: World) -> None:
    late = windows.create_window(name="late", actor=KIM, rules=HOURS)
    model = registration.register_model(
        actor=KIM, name="chat", remote_name="chat", provider=world.provider, verify=False
    )
    changes = {"priority": 7, "window": late, "input_price": "1.5"}
    registration.change_model(model, changes, actor="user:lee")
    registration.delete_model(model, actor=KIM)
    registration.restore_model(RegisteredModel.all_objects.get(pk=model.pk), actor=KIM)

    created, changed, *others = trail("model", "chat")
    assert created[2]["provider"] == {"from": None, "to": "gpu"}
    assert changed == (
        "changed",
        "user:lee",
        {
            "priority": {"from": 0, "to": 7},
            "window": {"from": None, "to": "late"},
            "input_price": {"from": None, "to": "1.5"},
        },
    )
    assert [action for action, *_rest in others] == ["deleted", "restored"]


def test_a_window_is_created_changed_deleted_and_restored(world: World) -> None:
    window = windows.create_window(name="late", actor=KIM, rules=HOURS)
    windows.update_window(window, {"drain_s": 5}, actor="user:lee")
    windows.except_until(window, until=now() + timedelta(hours=1), opens=True, actor=KIM)
    windows.delete_window(window, actor=KIM)
    windows.restore_window(Window.all_objects.get(pk=window.pk), actor=KIM)

    told = trail("window", "late")
    assert [action for action, *_rest in told] == ["created", "changed", "changed", "deleted", "restored"]
    assert told[1][1:] == ("user:lee", {"drain_s": {"from": None, "to": 5}})
    assert set(told[2][2]) == {"exceptions"}


def test_a_client_is_created_described_deleted_and_restored(world: World) -> None:
    client = clients.create_client("knowledge", actor=KIM)
    clients.update_client(client, {"description": "Answers"}, actor="user:lee")
    clients.delete_client(client, actor=KIM)
    clients.restore_client(Client.all_objects.get(pk=client.pk), actor=KIM)
    assert trail("client", "knowledge") == [
        ("created", KIM, {}),
        ("changed", "user:lee", {"description": {"from": "", "to": "Answers"}}),
        ("deleted", KIM, {}),
        ("restored", KIM, {}),
    ]


def test_a_key_is_issued_and_revoked_and_known_by_its_hint(world: World) -> None:
    key, row = clients.issue_key(world.client, scopes=["use"], actor=KIM)
    clients.revoke_key(row, actor="user:lee")
    clients.revoke_key(row, actor="user:lee")
    issued, revoked = trail("client", "chatbot")
    assert issued == (
        "key_issued",
        KIM,
        {"key": {"from": None, "to": row.hint}, "scopes": {"from": None, "to": ["use"]}},
    )
    assert revoked == ("key_revoked", "user:lee", {"key": {"from": row.hint, "to": None}})
    assert key not in str(issued)


def test_what_changes_nothing_or_is_refused_leaves_no_entry(world: World) -> None:
    world.add("chat")
    window = windows.create_window(name="late", actor=KIM, rules=HOURS)
    providers.update_provider(world.provider, {"drain_s": world.provider.drain_s}, actor=KIM)
    for refusal, deed in (
        (Invalid, lambda: providers.update_provider(world.provider_row(), {"drain_s": -1}, actor=KIM)),
        (EditConflict, lambda: providers.update_provider(world.provider_row(), {"drain_s": 1}, actor=KIM, edition=99)),
        (ProviderInUse, lambda: providers.delete_provider(world.provider_row(), actor=KIM)),
        (EditConflict, lambda: windows.update_window(window, {"drain_s": 1}, actor=KIM, edition=99)),
        (Invalid, lambda: clients.issue_key(world.client, scopes=["all"], actor=KIM)),
    ):
        with pytest.raises(refusal):
            deed()
    assert [(entry.kind, entry.action) for entry in AuditEntry.objects.all()] == [("window", "created")]


def test_an_entry_goes_with_the_transaction_that_did_the_deed(world: World) -> None:
    with transaction.atomic():
        clients.create_client("knowledge", actor=KIM)
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


def test_the_values_before_are_those_that_the_edit_replaced_not_those_that_were_read(world: World) -> None:
    stale = world.provider_row()
    providers.update_provider(world.provider_row(), {"drain_s": 10}, actor=KIM)
    providers.update_provider(stale, {"drain_s": 20}, actor="user:lee")
    assert trail("provider", "gpu")[-1] == ("changed", "user:lee", {"drain_s": {"from": 10, "to": 20}})
