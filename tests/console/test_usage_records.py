"""Reported calls are looked at, found by what matters, and never touched."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from modelmanager.lib.clock import now
from tests.console.calls import called, priced
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World
from usage.models import Client, UsageRecord

RECORDS = "usage.usagerecord"


@pytest.fixture
def bge(world: World) -> str:
    return world.add("bge")


def found(browser: Browser, **query: Any) -> list[str]:
    return [record.event_id for record in browser.get(page(RECORDS), query).context["cl"].result_list]


def test_a_call_tells_who_called_what_and_how_it_went(browser: Browser, world: World, bge: str) -> None:
    priced(world, bge, "1000", "400")
    called(world, bge, event_id="e-1", input_tokens=1200, output_tokens=80, latency_us=1_250_000)
    shown = text_of(browser.get(page(RECORDS)))
    assert "2026-11-24 18:00:00 bge chatbot OK 1.25 s 1,200 80 1.2320 1 e-1" in shown


def test_a_failed_call_shows_its_code(browser: Browser, world: World, bge: str) -> None:
    row = called(world, bge, outcome="error", error_code="upstream_502")
    assert "bge chatbot upstream_502 250 ms" in text_of(browser.get(page(RECORDS)))
    assert "Error code upstream_502" in text_of(browser.get(page(RECORDS, "change", row.pk)))


def test_calls_are_found_by_model_client_outcome_and_day(browser: Browser, world: World, bge: str) -> None:
    other = Client.objects.create(name="dictionary")
    world.add("chat")
    called(world, bge, event_id="first", at=now() - timedelta(days=2))
    called(world, bge, event_id="failed", outcome="error")
    called(world, "chat", event_id="late", outcome="timeout", client=other)
    assert found(browser, model__id__exact=world.model("chat").pk) == ["late"]
    assert found(browser, client__id__exact=world.client.pk) == ["failed", "first"]
    assert found(browser, outcome__exact=["error", "timeout"]) == ["late", "failed"]
    assert found(browser, occurred_at_from="2026-11-22", occurred_at_to="2026-11-22") == ["first"]


def test_a_call_is_found_by_its_whole_event_id(browser: Browser, world: World, bge: str) -> None:
    for event_id in ("Ab-1", "ab-1", "ab-12"):
        called(world, bge, event_id=event_id)
    assert found(browser, q="ab-1") == ["ab-1"]


def test_the_newest_come_first(browser: Browser, world: World, bge: str) -> None:
    called(world, bge, event_id="reported late", at=now() - timedelta(hours=3))
    called(world, bge, event_id="now")
    called(world, bge, event_id="reported later", at=now() - timedelta(hours=4))
    assert found(browser) == ["now", "reported late", "reported later"]


def test_calls_of_a_deleted_model_and_client_stay_and_are_marked(browser: Browser, world: World, bge: str) -> None:
    called(world, bge, event_id="e-1")
    world.put(bge, deleted_at=now())
    Client.objects.filter(pk=world.client.pk).update(deleted_at=now())
    assert "bge Deleted chatbot Deleted OK" in text_of(browser.get(page(RECORDS)))
    assert found(browser, model__id__exact=world.model(bge).pk, client__id__exact=world.client.pk) == ["e-1"]


def test_nobody_adds_changes_or_deletes_a_call(browser: Browser, world: World, bge: str) -> None:
    row = called(world, bge)
    chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    assert browser.get(page(RECORDS, "add")).status_code == 403
    assert browser.post(page(RECORDS, "change", row.pk), {"cost": "0"}).status_code == 403
    assert browser.post(page(RECORDS, "delete", row.pk), {"post": "yes"}).status_code == 403
    browser.post(page(RECORDS), chosen)
    assert UsageRecord.objects.get().cost == row.cost


def test_only_who_may_view_calls_does(world: World, bge: str) -> None:
    called(world, bge)
    assert signed_in(staff("vera", "view_usagerecord")).get(page(RECORDS)).status_code == 200
    assert signed_in(staff("nora", "view_lease")).get(page(RECORDS)).status_code == 403


def test_an_empty_list_tells_how_calls_are_reported(browser: Browser, world: World) -> None:
    shown = text_of(browser.get(page(RECORDS)))
    assert "No calls reported yet" in shown
    assert "/api/v1/usage/records/" in shown


def test_it_takes_the_same_queries_for_one_and_for_many(
    browser: Browser, world: World, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        called(world, world.add(f"m-{number}"), client=Client.objects.create(name=f"client-{number}"))
    with django_assert_max_num_queries(8):
        assert "m-11" in text_of(browser.get(page(RECORDS)))
