"""What a model, a client and all together were used: numbers, tables, links, and who may see them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from modelmanager.lib.clock import now
from models_registry.models import RegisteredModel, StatusEvent
from tests.console.calls import called, priced
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World
from usage.models import Binding, Client, Lease, ServedHour

MODEL, CLIENT = "models_registry.registeredmodel", "usage.client"
OVERVIEW = "/admin/usage/statistics/"


def model_page(world: World, name: str) -> str:
    return page(MODEL, "look", world.model(name).pk, "usage")


def client_page(client: Client) -> str:
    return page(CLIENT, "look", client.pk, "usage")


def day(days_ago: int, hour: int = 12) -> datetime:
    """An hour of a day of Seoul, in whose afternoon the world's clock stands."""
    return now().replace(hour=0) - timedelta(days=days_ago) + timedelta(hours=hour - 9)


@pytest.fixture
def knowledge(world: World) -> Client:
    return Client.objects.create(name="knowledge")


@pytest.fixture
def used(world: World, knowledge: Client) -> World:
    """Two models and two clients over three days."""
    for name in ("bge", "chat"):
        world.add(name)
        world.put(name, created_at=now() - timedelta(days=100))
    priced(world, "bge", "0.5", "1.5")
    called(world, "bge", at=day(2), times=3, input_tokens=1_000_000, output_tokens=200_000)
    called(world, "bge", at=day(1), times=2, client=knowledge, latency_us=900_000)
    called(world, "bge", at=day(0), outcome="error", error_code="upstream_502", event_id="broken")
    called(world, "chat", at=day(1), times=4, client=knowledge)
    return world


def rows(answer: Any, table: str) -> list[tuple[Any, ...]]:
    """The cells of a table of the page, as plain text."""
    found = next(one for one in answer.context["use"].all_tables if one.name == table)
    return [tuple(str(text) for text, _number in cells) for cells in found.cells]


def test_a_models_page_sums_up_its_calls(browser: Browser, used: World) -> None:
    shown = text_of(browser.get(model_page(used, "bge")))
    assert "Calls 6 Errors 1 16.7 %" in shown
    assert "Tokens in / out 3,000,000 / 600,000 Cost 2.4000" in shown


def test_a_models_page_tells_who_called_it(browser: Browser, used: World) -> None:
    shown = text_of(browser.get(model_page(used, "bge")))
    assert "chatbot 4 1 25.0 %" in shown
    assert "knowledge 2 0 0.0 %" in shown


def test_the_charts_follow_the_days_and_leave_none_out(browser: Browser, used: World) -> None:
    use = browser.get(model_page(used, "bge"), {"period": "7d"}).context["use"]
    calls, latency, tokens, cost = use.charts
    assert calls.labels == ["11-18", "11-19", "11-20", "11-21", "11-22", "11-23", "11-24"]
    assert [values for _name, _colour, values in calls.series] == [[0, 0, 0, 0, 3, 2, 0], [0, 0, 0, 0, 0, 0, 1]]
    assert latency.series[0][2][:4] == [None] * 4
    assert tokens.series[0][2][4] == 3_000_000
    assert cost.series[0][2] == [0.0, 0.0, 0.0, 0.0, 2.4, 0.0, 0.0]


def test_a_chart_says_in_words_what_it_draws(browser: Browser, used: World) -> None:
    body = browser.get(model_page(used, "bge")).content.decode()
    assert 'aria-label="Calls: 6 calls, 1 of them failed."' in body
    assert 'aria-describedby="table-periods"' in body
    assert 'id="table-periods"' in body


def test_hours_are_shown_by_the_clock_that_is_chosen(browser: Browser, used: World) -> None:
    asked = {"period": "own", "since": "2026-11-22", "until": "2026-11-22", "interval": "hour", "tz": "Asia/Kolkata"}
    told = rows(browser.get(model_page(used, "bge"), asked), "periods")
    assert [row[:2] for row in told] == [("2026-11-22 08:00 (+05:30)", "3")]


def test_versions_are_compared(browser: Browser, used: World) -> None:
    assert rows(browser.get(model_page(used, "bge")), "configs")[0][:3] == ("1", "6", "1")


def test_the_last_failures_tell_their_codes(browser: Browser, used: World) -> None:
    shown = text_of(browser.get(model_page(used, "bge")))
    assert "2026-11-24 12:00:00 chatbot upstream_502 250 ms broken" in shown
    assert "None in this period." in text_of(browser.get(model_page(used, "chat")))


def test_failures_are_told_to_those_only_who_may_see_calls(used: World) -> None:
    browser = signed_in(staff("vera", "view_registeredmodel"))
    answer = browser.get(model_page(used, "bge"))
    assert answer.status_code == 200
    assert "upstream_502" not in text_of(answer)
    assert "All calls" not in text_of(answer)


def test_old_failures_are_found_behind_many_calls_that_went_well(browser: Browser, used: World) -> None:
    called(used, "chat", at=day(20), outcome="timeout", event_id="long ago")
    called(used, "chat", at=day(0), times=30)
    assert [row.event_id for row in browser.get(model_page(used, "chat")).context["failures"]] == ["long ago"]


def test_leases_tell_how_long_they_were_held_and_how_they_ended(browser: Browser, used: World) -> None:
    used.make_ready("bge")
    grant = used.use("bge", instance="pod-7")
    used.advance(42)
    used.done(grant)
    shown = text_of(browser.get(model_page(used, "bge")))
    assert "chatbot pod-7 2026-11-24 18:00:00 2026-11-24 18:00:42 42.0 s Released 1" in shown


def test_prices_have_a_history(browser: Browser, used: World) -> None:
    shown = text_of(browser.get(model_page(used, "bge")))
    assert "Since Tokens in Tokens out 2025-11-24 18:00:00 0.50 1.50" in shown
    assert "It has no prices" in text_of(browser.get(model_page(used, "chat")))


def test_calls_that_only_the_server_counted_are_told(browser: Browser, used: World) -> None:
    ServedHour.objects.create(model=used.model("bge"), hour=day(2), calls=10, failed=0)
    ServedHour.objects.create(model=used.model("chat"), hour=day(1), calls=3, failed=0)
    assert "Not reported 4 of 10 that the server counted" in text_of(browser.get(model_page(used, "bge")))
    assert "Not reported" not in text_of(browser.get(model_page(used, "chat")))
    assert [row[1:] for row in rows(browser.get(OVERVIEW), "unreported")] == [("10", "6", "4")]


def test_reports_from_before_a_server_was_counted_hide_no_calls(browser: Browser, used: World) -> None:
    ServedHour.objects.create(model=used.model("bge"), hour=day(1), calls=4, failed=0)
    assert "Not reported 1 of 4 that the server counted" in text_of(browser.get(model_page(used, "bge")))
    assert [row[1:] for row in rows(browser.get(OVERVIEW), "unreported")] == [("4", "3", "1")]


def test_a_client_sees_what_it_used(browser: Browser, used: World, knowledge: Client) -> None:
    Binding.objects.create(client=knowledge, model=used.model("chat"), reference="answers")
    answer = browser.get(client_page(knowledge))
    assert "Calls 6 Errors 0 0.0 %" in text_of(answer)
    assert "chat 4 0 0.0 %" in text_of(answer)
    assert "chat answers" in text_of(answer)


def test_a_clients_page_tells_its_open_leases(browser: Browser, used: World) -> None:
    used.make_ready("bge")
    used.use("bge", instance="pod-7")
    assert Lease.objects.filter(closed_at__isnull=True).count() == 1
    assert "bge pod-7" in text_of(browser.get(client_page(used.client)))


def test_the_overview_sums_up_the_month_by_model_and_client(browser: Browser, used: World) -> None:
    called(used, "chat", at=day(30))  # October
    answer = browser.get(OVERVIEW)
    assert "Calls 10 Errors 1 10.0 %" in text_of(answer)
    assert [row[1] for row in rows(answer, "models")] == ["6", "4"]
    assert [row[1] for row in rows(answer, "clients")] == ["6", "4"]
    assert [row[2] for row in rows(answer, "pairs")] == ["4", "4", "2"]
    assert model_page(used, "bge") in answer.content.decode()


def test_what_was_deleted_stays_and_is_marked(browser: Browser, used: World, knowledge: Client) -> None:
    used.put("chat", deleted_at=now())
    Client.objects.filter(pk=knowledge.pk).update(deleted_at=now())
    assert "chat Deleted 4" in text_of(browser.get(OVERVIEW))
    assert "knowledge Deleted 2" in text_of(browser.get(model_page(used, "bge")))
    assert "chat Deleted" in text_of(browser.get(model_page(used, "chat")))
    assert "Calls 6" in text_of(browser.get(client_page(knowledge)))


def test_two_models_of_one_name_keep_their_own_history(browser: Browser, used: World) -> None:
    old = used.model("chat")
    used.put("chat", deleted_at=now())
    used.add("chat-2")
    RegisteredModel.objects.filter(name="chat-2").update(name="chat")
    new = RegisteredModel.objects.get(name="chat")
    called(used, "chat")
    for row, calls in ((old, 4), (new, 1)):
        assert f"Calls {calls} Errors" in text_of(browser.get(page(MODEL, "look", row.pk, "usage")))
    assert [row[1] for row in rows(browser.get(OVERVIEW), "models") if "chat" in row[0]] == ["4", "1"]


def test_a_model_without_calls_tells_how_they_are_reported(browser: Browser, used: World) -> None:
    used.add("new")
    shown = text_of(browser.get(model_page(used, "new")))
    assert "No calls reported yet" in shown
    assert 'with manager.lease("new") as model:' in shown


def test_a_period_without_calls_says_that_there_are_others(browser: Browser, used: World) -> None:
    shown = text_of(browser.get(model_page(used, "bge"), {"period": "last_month"}))
    assert "No calls in this period" in shown
    assert "No calls reported yet" not in shown


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"tz": "Mars/Olympus"}, "There is no such time zone"),
        ({"period": "own"}, "Choose a day."),
        ({"since": "2026-11-20", "until": "2026-11-19"}, "Choose a day that is not before the first."),
        ({"since": "yesterday"}, "Enter a valid date."),
        ({"period": "always"}, "Select a valid choice."),
        ({"since": "2025-01-01", "until": "2026-11-19", "interval": "hour"}, "That is more than 2500 periods"),
        ({"since": "0001-01-01", "until": "9999-12-31"}, "Ensure this value is"),
    ],
)
def test_what_cannot_be_shown_is_told_beside_the_choice(
    browser: Browser, used: World, query: dict[str, str], said: str
) -> None:
    answer = browser.get(OVERVIEW, query)
    assert answer.status_code == 200
    assert said in text_of(answer)
    assert answer.context["use"].charts == []


def test_who_may_not_view_a_model_or_client_sees_no_use_of_it(used: World) -> None:
    nora = signed_in(staff("nora", "view_registeredmodel"))
    assert nora.get(model_page(used, "bge")).status_code == 200
    assert nora.get(client_page(used.client)).status_code == 403
    assert nora.get(OVERVIEW).status_code == 403
    assert 'href="/admin/usage/statistics/"' not in nora.get("/admin/").content.decode()
    assert signed_in(staff("vera", "view_client")).get(model_page(used, "bge")).status_code == 403


@pytest.mark.parametrize("shown", ["model", "client", "overview"])
def test_a_page_asks_no_server_and_takes_a_fixed_number_of_statements(
    browser: Browser, used: World, knowledge: Client, django_assert_num_queries: DjangoAssertNumQueries, shown: str
) -> None:
    at_most = {"model": 27, "client": 18, "overview": 22}[shown]
    url = {"model": model_page(used, "bge"), "client": client_page(used.client), "overview": OVERVIEW}[shown]
    browser.get(url)
    with CaptureQueriesContext(connection) as few:
        browser.get(url)
    assert len(few) <= at_most
    for number in range(8):
        name = used.add(f"more-{number}")
        used.put(name, created_at=now() - timedelta(days=100))
        for client in (used.client, knowledge, Client.objects.create(name=f"client-{number}")):
            called(used, name, at=day(number), client=client, outcome="error")
            called(used, "bge", at=day(number), client=client, outcome="timeout")
    used.fake.calls.clear()
    with django_assert_num_queries(len(few)):
        browser.get(url)
    assert used.fake.calls == {}


def test_the_first_page_tells_what_was_used_today(browser: Browser, used: World) -> None:
    called(used, "chat", at=day(0, 3), times=3)
    assert "Used today Calls 4 Errors 1 25.0 % Cost 0.0000" in text_of(browser.get("/admin/"))
    hours = browser.get("/admin/usage/today/").context["today"].hours
    assert [hour for hour in hours if hour[1]] == [("03:00", 3, 100), ("12:00", 1, 33)]
    assert len(hours) == 24
    nora = signed_in(staff("nora", "view_registeredmodel", "view_provider"))
    assert "Used today" not in text_of(nora.get("/admin/"))


def test_the_time_in_each_status_and_the_availability_are_told(browser: Browser, used: World) -> None:
    model = used.model("bge")
    at, changes = day(2, 0), [(0, 10, 30, "ready"), (30, 30, 60, "not_loaded"), (36, 60, 30, "ready")]
    for hours, before, after, code in changes:
        moment = at + timedelta(hours=hours)
        told = {"from_status": before, "to_status": after, "code": code, "wanted": True, "actor": "system"}
        StatusEvent.objects.create(model=model, at=moment, **told)
    asked = {"period": "own", "since": "2026-11-22", "until": "2026-11-24"}
    shown = text_of(browser.get(model_page(used, "bge"), asked))
    assert "Availability 90.9 % of 2 d 18 h in which it was wanted" in shown
    assert "Times in error 1 Mean time to recover 6 h 0 min" in shown
    assert "Active 2 d 12 h 90.9 % Error 6 h 0 min 9.1 %" in shown


def test_of_a_future_there_is_no_availability(browser: Browser, used: World) -> None:
    answer = browser.get(model_page(used, "bge"), {"since": "2026-12-01", "until": "2026-12-02"})
    assert "Time in each status" not in text_of(answer)


def test_the_list_of_calls_opens_on_the_days_that_were_shown(browser: Browser, used: World) -> None:
    days = "occurred_at_from=2026-11-22&amp;occurred_at_to=2026-11-23"
    asked = {"since": "2026-11-22", "until": "2026-11-23"}
    link = f'href="{page("usage.usagerecord")}?model__id__exact={used.model("bge").pk}&amp;{days}"'
    assert link in browser.get(model_page(used, "bge"), asked).content.decode()
    assert days not in browser.get(model_page(used, "bge"), asked | {"tz": "UTC"}).content.decode()
