"""Clients in the console: registered, described, deleted and restored."""

from datetime import timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from modelmanager.lib.clock import now
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World
from usage.models import Client, ClientKey
from usage.services.bindings import bind
from usage.services.clients import issue_key

CLIENTS = "usage.client"


def busy_client(world: World) -> Client:
    """One valid key, one that expired, one open lease, one binding."""
    world.add("bge")
    world.make_ready("bge")
    world.use("bge", instance="pod-7")
    bind("bge", client_id=world.client.pk, reference="search index")
    issue_key(world.client, scopes=["use"], actor="user:kim")
    _key, expired = issue_key(world.client, scopes=["read"], actor="user:kim")
    ClientKey.objects.filter(pk=expired.pk).update(expires_at=now() - timedelta(days=1))
    return world.client


def test_the_list_counts_keys_that_work_leases_and_bindings(browser: Browser, world: World) -> None:
    busy_client(world)
    client = browser.get(page(CLIENTS)).context["cl"].result_list[0]
    assert (client.key_count, client.lease_count, client.binding_count) == (1, 1, 1)


def test_the_list_takes_the_same_queries_for_one_and_for_many(
    browser: Browser, db: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        issue_key(Client.objects.create(name=f"client-{number}"), scopes=["use"], actor="user:kim")
    with django_assert_max_num_queries(5):
        assert "client-19" in text_of(browser.get(page(CLIENTS)))


def test_the_page_shows_keys_leases_and_bindings_and_what_can_be_done(browser: Browser, world: World) -> None:
    shown = text_of(browser.get(page(CLIENTS, "change", busy_client(world).pk)))
    for told in ("Valid use", "Expired read", "bge pod-7", "bge search index"):
        assert told in shown
    for offered in ("Issue a key", "Revoke", "now End", "Remove", "Add a binding"):
        assert offered in shown


def test_one_is_registered_described_and_found(browser: Browser, db: None) -> None:
    assert browser.post(page(CLIENTS, "add"), {"name": "chatbot", "description": "Answers"}).status_code == 302
    client = Client.objects.get()
    seen = browser.get(page(CLIENTS, "change", client.pk)).context["adminform"].form
    sent: dict[str, Any] = {"edition": seen["edition"].value(), "seen": seen["seen"].value(), "description": "Asks"}
    assert browser.post(page(CLIENTS, "change", client.pk), sent).status_code == 302
    assert Client.objects.get().description == "Asks"
    assert "chatbot" in text_of(browser.get(page(CLIENTS), {"q": "sks"}))
    assert [entry.action_flag for entry in LogEntry.objects.order_by("pk")] == [1, 2]


def test_a_bad_or_taken_name_is_refused_on_its_field(browser: Browser, world: World) -> None:
    for name in ("Chat Bot", "chatbot", ""):
        answer = browser.post(page(CLIENTS, "add"), {"name": name})
        assert "name" in answer.context["adminform"].form.errors


def test_deleting_tells_what_goes_with_it(browser: Browser, world: World) -> None:
    client = busy_client(world)
    address = page(CLIENTS, "delete", client.pk)
    asked = text_of(browser.get(address))
    for told in ("1 key is revoked.", "1 binding is removed.", "1 open lease runs out."):
        assert told in asked

    assert browser.post(address).status_code == 302
    assert not Client.objects.exists()
    assert not ClientKey.objects.filter(revoked_at=None).exists()
    assert (world.model("bge").bindings, world.model("bge").open_leases) == (0, 1)


def test_a_restored_one_has_no_valid_key(browser: Browser, world: World) -> None:
    client = busy_client(world)
    browser.post(page(CLIENTS, "delete", client.pk))
    answer = browser.post(page(CLIENTS, "do", client.pk, "restore"), follow=True)
    assert "chatbot is restored." in text_of(answer)
    assert "Valid" not in text_of(answer)


def test_one_whose_name_was_taken_stays_deleted(browser: Browser, world: World) -> None:
    browser.post(page(CLIENTS, "delete", world.client.pk))
    Client.objects.create(name="chatbot")
    answer = browser.post(page(CLIENTS, "do", world.client.pk, "restore"), follow=True)
    assert "Another client is called chatbot now." in text_of(answer)


def test_who_may_only_look_changes_nothing(world: World) -> None:
    client = busy_client(world)
    viewer = signed_in(staff("vera", "view_client"))
    shown = text_of(viewer.get(page(CLIENTS, "change", client.pk)))
    for offered in ("Issue a key", "Revoke", "now End", "Remove", "Add a binding"):
        assert offered not in shown
    assert viewer.post(page(CLIENTS, "add"), {"name": "other"}).status_code == 403
    assert viewer.post(page(CLIENTS, "delete", client.pk)).status_code == 403
