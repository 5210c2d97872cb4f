"""Keys of clients: issued and shown once, revoked, never read again."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from modelmanager.lib.clock import now
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World
from usage.models import Client, ClientKey
from usage.services.clients import digest_of, issue_key

CLIENTS, KEYS = "usage.client", "usage.clientkey"


@pytest.fixture
def chatbot(db: None) -> Client:
    return Client.objects.create(name="chatbot")


def issue(browser: Browser, client: Client, **data: Any) -> Any:
    return browser.post(page(CLIENTS, "do", client.pk, "issue-key"), data)


def test_the_form_explains_each_scope_and_suggests_an_end(browser: Browser, chatbot: Client) -> None:
    answer = browser.get(page(CLIENTS, "do", chatbot.pk, "issue-key"))
    shown = text_of(answer)
    for scope in ("use: ", "read: ", "manage: ", "secrets: "):
        assert scope in shown
    assert answer.context["form"]["expires_at"].value()


def test_the_key_is_shown_with_a_call_that_uses_it(browser: Browser, chatbot: Client) -> None:
    answer = issue(browser, chatbot, scopes=["read", "use"])
    key = answer.context["key"]
    row = ClientKey.objects.get()
    assert row.digest == digest_of(key)
    assert (row.scopes, row.expires_at) == (["read", "use"], None)
    assert f'curl -H "Authorization: Bearer {key}" http://testserver/api/v1/models/' in text_of(answer)
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("scope", ["read", "use", "manage"])
def test_the_call_that_is_suggested_works(browser: Browser, chatbot: Client, scope: str) -> None:
    context = issue(browser, chatbot, scopes=[scope]).context
    bearer = {"Authorization": f"Bearer {context['key']}"}
    assert Browser().get(context["try_url"], headers=bearer).status_code == 200


def test_the_key_is_kept_nowhere(browser: Browser, chatbot: Client) -> None:
    key = issue(browser, chatbot, scopes=["use"]).context["key"]
    later = [page(CLIENTS), page(CLIENTS, "change", chatbot.pk), page(CLIENTS, "history", chatbot.pk), page(KEYS)]
    assert all(key not in browser.get(address).content.decode() for address in later)
    sessions = [str(session.get_decoded()) for session in Session.objects.all()]
    assert all(key not in text for text in sessions)
    entry = LogEntry.objects.get()
    assert entry.object_repr == "chatbot"
    assert key not in entry.change_message
    assert entry.get_change_message() == f"Issued the key {ClientKey.objects.get().hint} (use)."


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"scopes": ["use"], "expires_at": "2020-01-01T00:00"}, "expires_at"),
        ({"scopes": ["use"], "expires_at": "soon"}, "expires_at"),
    ],
)
def test_what_makes_no_key_stands_on_its_field(
    browser: Browser, chatbot: Client, data: dict[str, Any], field: str
) -> None:
    answer = issue(browser, chatbot, **data)
    assert list(answer.context["form"].errors) == [field]
    assert not ClientKey.objects.exists()


def test_asking_issues_nothing(browser: Browser, chatbot: Client) -> None:
    browser.get(page(CLIENTS, "do", chatbot.pk, "issue-key"))
    assert not ClientKey.objects.exists()


def test_a_deleted_client_gets_no_key(browser: Browser, chatbot: Client) -> None:
    Client.objects.update(deleted_at=now())
    assert issue(browser, chatbot, scopes=["use"]).status_code == 403


def test_only_who_may_change_clients_issues_and_revokes(chatbot: Client) -> None:
    _key, row = issue_key(chatbot, scopes=["use"], actor="user:kim")
    viewer = signed_in(staff("vera", "view_client", "view_clientkey"))
    assert issue(viewer, chatbot, scopes=["use"]).status_code == 403
    assert viewer.post(page(KEYS, "do", row.pk, "revoke")).status_code == 403

    editor = signed_in(staff("ed", "view_client", "change_client", "view_clientkey"))
    assert issue(editor, chatbot, scopes=["use"]).status_code == 200
    assert editor.post(page(KEYS, "do", row.pk, "revoke")).status_code == 302


@pytest.mark.parametrize("scope", ["manage", "secrets"])
def test_only_a_superuser_gives_a_key_that_may_do_more_than_most_people(chatbot: Client, scope: str) -> None:
    editor = signed_in(staff("ed", "view_client", "change_client"))
    answer = issue(editor, chatbot, scopes=["use", scope])
    assert answer.context["form"].errors["scopes"] == [f"Only a superuser may give these: {scope}."]
    assert not ClientKey.objects.exists()

    root = signed_in(User.objects.create_superuser("root"))
    assert issue(root, chatbot, scopes=["use", scope]).status_code == 200
    assert ClientKey.objects.get().scopes == ["use", scope]


def test_revoking_asks_then_is_noted_and_leads_back(browser: Browser, chatbot: Client) -> None:
    _key, row = issue_key(chatbot, scopes=["use"], actor="user:kim")
    home = page(CLIENTS, "change", chatbot.pk)
    address = f"{page(KEYS, 'do', row.pk, 'revoke')}?next={home}"
    assert "cannot be undone" in text_of(browser.get(address))
    assert ClientKey.objects.get().revoked_at is None

    answer = browser.post(address)
    assert answer.headers["Location"] == home
    assert ClientKey.objects.get().revoked_at is not None
    assert LogEntry.objects.get().get_change_message() == "Revoked."
    assert "Revoked use" in text_of(browser.get(home))


def test_nobody_is_led_elsewhere(browser: Browser, chatbot: Client) -> None:
    _key, row = issue_key(chatbot, scopes=["use"], actor="user:kim")
    for wish in ("//evil.example/", "https://evil.example/", "javascript:alert(1)"):
        answer = browser.post(f"{page(KEYS, 'do', row.pk, 'revoke')}?next={wish}")
        assert answer.headers["Location"] == page(KEYS, "change", row.pk)


@pytest.mark.parametrize("state", ["valid", "expired", "revoked"])
def test_keys_are_found_by_state(browser: Browser, chatbot: Client, state: str) -> None:
    rows = {name: issue_key(chatbot, scopes=["use"], actor="user:kim")[1] for name in ("valid", "expired", "revoked")}
    ClientKey.objects.filter(pk=rows["expired"].pk).update(expires_at=now() - timedelta(seconds=1))
    ClientKey.objects.filter(pk=rows["revoked"].pk).update(revoked_at=now())
    found = browser.get(page(KEYS), {"state": state}).context["cl"].result_list
    assert list(found) == [rows[state]]


def test_the_list_takes_the_same_queries_for_one_and_for_many(
    browser: Browser, db: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(15):
        issue_key(Client.objects.create(name=f"client-{number}"), scopes=["use"], actor="user:kim")
    with django_assert_max_num_queries(5):
        assert "client-14" in text_of(browser.get(page(KEYS)))


def test_no_key_is_added_changed_or_deleted(browser: Browser, world: World) -> None:
    _key, row = issue_key(world.client, scopes=["use"], actor="user:kim")
    assert browser.get(page(KEYS, "add")).status_code == 403
    assert browser.post(page(KEYS, "change", row.pk), {"scopes": '["manage"]'}).status_code == 403
    assert browser.post(page(KEYS, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert ClientKey.objects.get().scopes == ["use"]
