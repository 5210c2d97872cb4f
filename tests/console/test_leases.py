"""Leases are looked at, and closed by hand only in need."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World
from usage.models import CloseReason, Lease

LEASES = "usage.lease"


@pytest.fixture
def lease(world: World) -> Lease:
    world.add("bge")
    world.make_ready("bge")
    return Lease.objects.get(pk=world.use("bge", instance="pod-7").lease_id)


def found(browser: Browser, **query: Any) -> list[Lease]:
    return list(browser.get(page(LEASES), query).context["cl"].result_list)


def test_the_list_tells_who_uses_what(browser: Browser, lease: Lease) -> None:
    assert "bge chatbot pod-7 Open" in text_of(browser.get(page(LEASES)))


def test_one_past_its_end_is_running_out(browser: Browser, world: World, lease: Lease) -> None:
    world.advance(61)
    assert "Running out" in text_of(browser.get(page(LEASES)))


def test_they_are_found_by_state_model_client_and_reason(browser: Browser, world: World, lease: Lease) -> None:
    closed = world.use("bge")
    world.done(closed)
    assert [row.pk for row in found(browser, open="yes")] == [lease.pk]
    assert [row.pk for row in found(browser, open="no")] == [closed.lease_id]
    assert [row.pk for row in found(browser, close_reason__exact="released")] == [closed.lease_id]
    assert len(found(browser, model__id__exact=lease.model_id)) == 2
    assert found(browser, client__id__exact=lease.client_id + 1) == []
    assert [row.pk for row in found(browser, q="pod-7")] == [lease.pk]


def test_closing_asks_first(browser: Browser, lease: Lease) -> None:
    assert "middle of a call" in text_of(browser.get(page(LEASES, "do", lease.pk, "close")))
    assert Lease.objects.get().closed_at is None


def test_a_closed_lease_is_counted_down_and_noted(browser: Browser, world: World, lease: Lease) -> None:
    answer = browser.post(page(LEASES, "do", lease.pk, "close"), follow=True)
    assert f"Lease {lease.pk} of chatbot on bge is closed." in text_of(answer)
    assert Lease.objects.get().close_reason == CloseReason.REVOKED
    assert world.model("bge").open_leases == 0
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.get_change_message()) == ("olivia", "Closed by hand.")


def test_closing_again_does_no_harm(browser: Browser, world: World, lease: Lease) -> None:
    browser.post(page(LEASES, "do", lease.pk, "close"))
    answer = browser.post(page(LEASES, "do", lease.pk, "close"), follow=True)
    assert "was closed already" in text_of(answer)
    assert world.model("bge").open_leases == 0


def test_many_are_closed_after_one_question(browser: Browser, world: World, lease: Lease) -> None:
    world.use("bge")
    chosen = {"action": "bulk_close", "_selected_action": [row.pk for row in Lease.objects.all()]}
    assert "middle of a call" in text_of(browser.post(page(LEASES), chosen))
    assert world.model("bge").open_leases == 2
    browser.post(page(LEASES), chosen | {"confirmed": "1"})
    assert world.model("bge").open_leases == 0


def test_only_who_may_change_leases_closes_them(lease: Lease) -> None:
    viewer = signed_in(staff("vera", "view_lease"))
    assert viewer.post(page(LEASES, "do", lease.pk, "close")).status_code == 403
    assert "bulk_close" not in viewer.get(page(LEASES)).content.decode()
    closer = signed_in(staff("cleo", "view_lease", "change_lease"))
    assert closer.post(page(LEASES, "do", lease.pk, "close")).status_code == 302
    assert Lease.objects.get().closed_at is not None


def test_nothing_else_can_be_done_with_one(browser: Browser, lease: Lease) -> None:
    assert browser.get(page(LEASES, "add")).status_code == 403
    assert browser.post(page(LEASES, "change", lease.pk), {"instance": "x"}).status_code == 403
    assert browser.post(page(LEASES, "delete", lease.pk), {"post": "yes"}).status_code == 403


def test_the_page_tells_all_about_one(browser: Browser, lease: Lease) -> None:
    shown = text_of(browser.get(page(LEASES, "change", lease.pk)))
    for told in ("bge", "chatbot", "pod-7", "Open", "Renewal period (s)"):
        assert told in shown


def test_the_list_takes_the_same_queries_for_one_and_for_many(
    browser: Browser, world: World, lease: Lease, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _number in range(15):
        world.use("bge")
    with django_assert_max_num_queries(8):
        browser.get(page(LEASES))
