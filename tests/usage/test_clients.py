"""Clients and their keys: shown once, stored as a hash, ending when they should."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import EditConflict, Invalid, NameTaken
from tests.monitoring.world import World
from usage.models import Client, ClientKey
from usage.services.clients import (
    create_client,
    delete_client,
    issue_key,
    restore_client,
    revoke_key,
    update_client,
)


def columns(row: ClientKey) -> str:
    """Everything that is stored of a key."""
    return repr(ClientKey.objects.filter(pk=row.pk).values().get())


def test_a_key_is_stored_as_its_hash_and_a_hint_that_tells_little(world: World) -> None:
    key, row = issue_key(world.client, scopes=["read", "use"], actor="user:kim")
    assert row.digest == hashlib.sha256(key.encode()).hexdigest()
    assert key not in columns(row)
    assert (row.hint, len(key) >= 46) == (f"{key[:7]}…{key[-4:]}", True)
    assert (row.scopes, row.expires_at, row.revoked_at, str(row)) == (["read", "use"], None, None, row.hint)


def test_keys_are_never_the_same(world: World) -> None:
    keys = {issue_key(world.client, scopes=["use"], actor="user:kim")[0] for _key in range(50)}
    assert len(keys) == len({key[3:12] for key in keys}) == 50


@pytest.mark.parametrize("scopes", [[], ["root"], ["use", "root"], ["USE"], [""]])
def test_scopes_that_do_not_exist_are_refused(world: World, scopes: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        issue_key(world.client, scopes=scopes, actor="user:kim")
    assert refused.value.extra["errors"][0]["field"] == "scopes"
    assert not ClientKey.objects.exists()


def test_a_scope_named_twice_is_held_once(world: World) -> None:
    assert issue_key(world.client, scopes=["use", "read", "use"], actor="user:kim")[1].scopes == ["use", "read"]


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_key_that_has_expired_already_is_refused(world: World, seconds: int) -> None:
    with pytest.raises(Invalid):
        issue_key(world.client, scopes=["use"], expires_at=now() + timedelta(seconds=seconds), actor="user:kim")


def test_a_deleted_client_gets_no_key(shared_world: World) -> None:
    delete_client(shared_world.client, actor="user:kim")
    with pytest.raises(Invalid):
        issue_key(shared_world.client, scopes=["use"], actor="user:kim")
    assert not ClientKey.objects.exists()


def test_revoking_twice_keeps_the_first_time(world: World) -> None:
    _key, row = issue_key(world.client, scopes=["use"], actor="user:kim")
    revoke_key(row, actor="user:kim")
    world.advance(60)
    revoke_key(row, actor="user:kim")
    assert row.revoked_at == world.at(-60)


@pytest.mark.parametrize("name", ["", "a", "Chatbot", "chat bot", "x" * 101, "chatbot"])
def test_a_clients_name_is_a_slug_of_its_own(world: World, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        create_client(name, actor="user:kim")
    assert {error["field"] for error in refused.value.extra["errors"]} == {"name"}


def test_a_name_taken_at_the_same_moment(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client, "validate_constraints", lambda self, **_: None)
    with pytest.raises(Invalid) as refused:
        create_client("chatbot", actor="user:kim")
    assert isinstance(refused.value.__cause__, IntegrityError)


def test_only_the_description_of_a_client_changes(world: World) -> None:
    changes = {"name": "other", "deleted_at": now(), "description": "new"}
    client = update_client(world.client, changes, edition=1, actor="user:kim")
    assert (client.name, client.deleted_at, client.description, client.edition) == ("chatbot", None, "new", 2)
    with pytest.raises(EditConflict):
        update_client(client, {"description": "newer"}, edition=1, actor="user:kim")


def test_deleting_a_client_revokes_its_keys_and_restoring_brings_none_back(world: World) -> None:
    _key, row = issue_key(world.client, scopes=["use"], actor="user:kim")
    other = create_client("knowledge", actor="user:kim")
    _key, theirs = issue_key(other, scopes=["use"], actor="user:kim")
    delete_client(world.client, actor="user:kim")
    delete_client(world.client, actor="user:kim")

    client = restore_client(Client.all_objects.get(pk=world.client.pk), actor="user:kim")

    row.refresh_from_db()
    theirs.refresh_from_db()
    assert (client.deleted_at, row.revoked_at, theirs.revoked_at) == (None, now(), None)


def test_restoring_onto_a_taken_name(world: World) -> None:
    delete_client(world.client, actor="user:kim")
    create_client("chatbot", actor="user:kim")
    with pytest.raises(NameTaken):
        restore_client(Client.all_objects.get(pk=world.client.pk), actor="user:kim")


def test_restoring_onto_a_name_taken_at_the_same_moment(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    delete_client(shared_world.client, actor="user:kim")
    create_client("chatbot", actor="user:kim")
    monkeypatch.setattr("django.db.models.query.QuerySet.exists", lambda self: False)
    with pytest.raises(NameTaken) as refused:
        restore_client(Client.all_objects.get(pk=shared_world.client.pk), actor="user:kim")
    assert isinstance(refused.value.__cause__, IntegrityError)


def test_restoring_a_living_client_changes_nothing(world: World) -> None:
    assert restore_client(world.client, actor="user:kim").deleted_at is None


# -- manage.py create_client


def last_line(capsys: Any, *arguments: str) -> str:
    call_command("create_client", *arguments)
    return str(capsys.readouterr().out.splitlines()[-1])


def test_the_command_prints_a_working_key_on_its_last_line(world: World, capsys: Any) -> None:
    key = last_line(capsys, "knowledge", "--scopes", "read,use,manage", "--expires-days", "30")
    row = ClientKey.objects.get(digest=hashlib.sha256(key.encode()).hexdigest())
    assert (row.client.name, row.scopes) == ("knowledge", ["read", "use", "manage"])
    assert row.expires_at == now() + timedelta(days=30)


def test_the_command_gives_an_existing_client_one_more_key(world: World, capsys: Any) -> None:
    first, second = last_line(capsys, "chatbot"), last_line(capsys, "chatbot")
    assert first != second
    assert world.client.keys.count() == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("Chat Bot",),
        ("ok", "--scopes", "root"),
        ("ok", "--scopes", ""),
        ("ok", "--expires-days", "0"),
        ("ok", "--expires-days", "99999999"),
    ],
)
def test_wrong_arguments_end_with_2_and_leave_nothing(shared_world: World, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("create_client", *arguments)
    assert refused.value.returncode == 2
    assert (ClientKey.objects.count(), Client.all_objects.count()) == (0, 1)
