"""Listing usage records: latest first, by cursor, filtered, one's own."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from modelmanager.lib.clock import now
from tests.api.calls import Caller, a_caller, done, invalid, refused
from tests.monitoring.world import World
from tests.rows_read import learn_sizes, rows_read
from tests.usage.calls import call, record
from tests.usage.reporting import report
from usage.models import UsageHour, UsageRecord
from usage.services.clients import create_client

PATH = "usage/records/"


@pytest.fixture
def told(everything: World, chatbot: Caller) -> list[str]:
    """Twenty-three calls of two minutes, latest first; of the same time, who came last is first."""
    at = now() - timedelta(minutes=10)
    calls = [report(event_id=f"e{n:02}", occurred_at=at + timedelta(minutes=n % 2)) for n in range(23)]
    done(chatbot.post(PATH, calls))
    return [*(f"e{n:02}" for n in range(21, 0, -2)), *(f"e{n:02}" for n in range(22, -1, -2))]


def events(caller: Caller, **query: Any) -> list[str]:
    return [record["event_id"] for record in done(caller.get(PATH, **query))["results"]]


def walk(caller: Caller, page: dict[str, Any], link: str) -> list[list[str]]:
    """The pages from this one on, by their links."""
    pages = [page]
    while pages[-1][link]:
        pages.append(done(caller.get(pages[-1][link].partition("/api/v1/")[2])))
    return [[record["event_id"] for record in page["results"]] for page in pages]


@pytest.mark.parametrize("size", [1, 2, 7, 11, 22, 23, 24, 500])
def test_pages_hold_every_call_once_forwards_and_backwards(told: list[str], chatbot: Caller, size: int) -> None:
    first = done(chatbot.get(PATH, page_size=size))
    assert first["previous"] is None
    pages = walk(chatbot, first, "next")
    assert [event for page in pages for event in page] == told
    assert all(len(page) == size for page in pages[:-1])
    last = first
    while last["next"]:
        last = done(chatbot.get(last["next"].partition("/api/v1/")[2]))
    assert list(reversed(walk(chatbot, last, "previous")))[-len(pages) :] == pages


def test_what_arrives_while_one_reads_shifts_nothing(told: list[str], chatbot: Caller) -> None:
    first = done(chatbot.get(PATH, page_size=5))
    done(chatbot.post(PATH, [report(), report()]))
    assert [event for page in walk(chatbot, first, "next") for event in page] == told


def test_calls_are_filtered(told: list[str], everything: World, chatbot: Caller) -> None:
    everything.add("reranker")
    at = now()
    done(chatbot.post(PATH, [report(event_id="x", model="reranker", outcome="timeout", occurred_at=at)]))
    assert events(chatbot, model="reranker") == events(chatbot, outcome="timeout") == ["x"]
    assert events(chatbot, model="embedder") == told
    assert events(chatbot, outcome=["ok", "timeout"]) == ["x", *told]
    assert events(chatbot, model="nobody") == events(chatbot, client="nobody") == []
    later = (at - timedelta(minutes=9)).isoformat()
    assert events(chatbot, **{"from": later}) == ["x", *told[:11]]
    assert events(chatbot, to=later) == told[11:]
    assert events(chatbot, **{"from": later, "to": at.isoformat()}) == told[:11]
    invalid(chatbot.get(PATH, outcome="fine"), outcome="invalid_choice")
    invalid(chatbot.get(PATH, **{"from": "yesterday"}), **{"from": "invalid"})


def test_a_client_sees_its_own_calls_and_an_operator_all(told: list[str], manager: Caller) -> None:
    assert events(a_caller("knowledge", "read")) == []
    assert events(manager) == events(manager, client="chatbot") == told
    assert events(manager, client="knowledge") == []


def test_who_may_only_use_reads_no_calls(told: list[str]) -> None:
    refused(a_caller("knowledge", "use").get(PATH), 403, "permission_denied")


def test_a_deleted_model_keeps_its_calls_and_its_name(everything: World, chatbot: Caller, manager: Caller) -> None:
    done(chatbot.post(PATH, report(event_id="x")))
    done(manager.delete("models/embedder/"), 204)
    assert done(chatbot.get(PATH, model="embedder"))["results"][0]["model"] == "embedder"


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(cursor=st.one_of(st.text(max_size=30), st.from_regex(r"[ab]-?\d{0,30}\.?\d{0,30}", fullmatch=True)))
def test_a_cursor_of_any_kind_is_an_answer_or_invalid(everything: World, chatbot: Caller, cursor: str) -> None:
    response = chatbot.get(PATH, cursor=cursor)
    if response.status_code != 200:
        assert [error["field"] for error in refused(response, 400, "invalid")["errors"]] == ["cursor"]


def test_no_record_is_read_one_by_one(told: list[str], chatbot: Caller, django_assert_max_num_queries: Any) -> None:
    assert UsageRecord.objects.count() == 23
    done(chatbot.get(PATH))
    with django_assert_max_num_queries(6):
        assert len(events(chatbot, model="embedder", client="chatbot")) == 23


@pytest.mark.mariadb
@pytest.mark.parametrize("query", [{}, {"model": "embedder"}, {"client": "chatbot"}], ids=str)
def test_a_page_reads_no_more_than_it_shows_however_many_there_are(shared_world: World, query: dict[str, str]) -> None:
    shared_world.add("embedder")
    manager = a_caller("operator", "manage")
    record(shared_world.client.pk, *(call(now() - timedelta(seconds=n)) for n in range(1000)))
    learn_sizes(UsageRecord)
    done(manager.get(PATH, page_size=20, **query))
    assert rows_read(lambda: events(manager, page_size=20, **query)) < 150


@pytest.mark.mariadb
@pytest.mark.parametrize("query", [{}, {"model": "embedder"}, {"client": "chatbot"}], ids=str)
def test_calls_of_a_rare_outcome_are_not_searched_among_all(shared_world: World, query: dict[str, str]) -> None:
    shared_world.add("embedder")
    manager = a_caller("operator", "manage")
    calls = [call(now() - timedelta(seconds=n)) for n in range(1000)]
    record(shared_world.client.pk, *calls[:-3], *(one._replace(outcome="timeout") for one in calls[-3:]))
    learn_sizes(UsageRecord)
    asked = {"outcome": "timeout", "page_size": 20, **query}
    assert len(events(manager, **asked)) == 3
    assert rows_read(lambda: events(manager, **asked)) < 150


@pytest.mark.mariadb
def test_calls_of_a_model_that_a_client_never_used_are_not_searched_among_all(shared_world: World) -> None:
    for name in ("embedder", "reranker", "chat"):
        shared_world.add(name)
    manager, other = a_caller("operator", "manage"), create_client("other", actor="test")
    record(shared_world.client.pk, *(call(now() - timedelta(seconds=n)) for n in range(1000)))
    record(other.pk, *(call(now() - timedelta(seconds=n), model="reranker") for n in range(1000)))
    record(other.pk, call(now() - timedelta(days=3)), call(now() - timedelta(hours=5), model="chat"))
    record(shared_world.client.pk, *(call(now() - timedelta(days=9, seconds=n), model="chat") for n in range(1000)))
    learn_sizes(UsageRecord, UsageHour)
    for model, client, calls in (("reranker", "chatbot", 0), ("embedder", "other", 1), ("chat", "other", 1)):
        asked = {"model": model, "client": client, "page_size": 20}
        assert len(events(manager, **asked)) == calls
        assert rows_read(partial(events, manager, **asked)) < 150
