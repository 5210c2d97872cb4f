"""`/usage/statistics/` and `/models/{name}/statistics/` as a client sees them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from modelmanager.lib.clock import now
from models_registry.models import RegisteredModel
from tests.api.calls import Caller, done, refused
from tests.api.statistics import PATH, RANGE, calls_by, rows
from tests.monitoring.world import World
from tests.usage.reporting import report
from tests.usage.statistics.arranging import Office
from usage.models import Client, ServedHour

SUMS = {"calls", "errors", "input_tokens", "output_tokens", "cost", "latency_ms"}


def test_a_row_has_the_members_of_the_contract(office: Office, chatbot: Caller) -> None:
    whole = done(chatbot.get(PATH, **RANGE, tz="Asia/Seoul"))
    first = whole["results"][0]
    assert (whole["from"], whole["to"]) == ("2026-11-17T15:00:00Z", "2026-11-19T15:00:00Z")
    assert (whole["interval"], whole["tz"]) == ("day", "Asia/Seoul")
    assert set(first) == {"period"} | SUMS
    assert first["period"] == "2026-11-18"
    assert (first["calls"], first["errors"], first["input_tokens"], first["output_tokens"]) == (2, 1, 200, 20)
    assert first["cost"] == 1_234_574
    assert set(first["latency_ms"]) == {"mean", "p50", "p95", "p99"}
    assert first["latency_ms"]["mean"] == 800
    assert abs(first["latency_ms"]["p99"] - 1500) <= 0.12 * 1500


@pytest.mark.parametrize(
    ("interval", "periods"),
    [
        ("day", {"2026-11-18": 2, "2026-11-19": 2}),
        ("month", {"2026-11": 4}),
        ("none", {None: 4}),
        (
            "hour",
            {
                "2026-11-18T09:00:00+09:00": 1,
                "2026-11-18T23:00:00+09:00": 1,
                "2026-11-19T00:00:00+09:00": 1,
                "2026-11-19T09:00:00+09:00": 1,
            },
        ),
    ],
)
def test_periods_are_local(office: Office, chatbot: Caller, interval: str, periods: dict[Any, int]) -> None:
    assert {row["period"]: row["calls"] for row in rows(chatbot, interval=interval)} == periods


def test_hours_of_a_zone_between_the_hours_are_told_from_the_records(office: Office, chatbot: Caller) -> None:
    found = {row["period"]: row["calls"] for row in rows(chatbot, interval="hour", tz="Asia/Kathmandu")}
    assert found == {
        "2026-11-18T06:00:00+05:45": 1,  # 00:15 UTC
        "2026-11-18T20:00:00+05:45": 2,  # a moment before and at 15:00 UTC
        "2026-11-19T06:00:00+05:45": 1,
    }


def test_rows_are_grouped_by_what_is_asked(office: Office, chatbot: Caller) -> None:
    none = {"interval": "none"}
    assert calls_by(chatbot, "model", group_by="model", **none) == {("bge",): 3, ("chat",): 1}
    assert calls_by(chatbot, "outcome", group_by="outcome", **none) == {
        ("cancelled",): 1,
        ("error",): 1,
        ("ok",): 1,
        ("timeout",): 1,
    }
    assert calls_by(chatbot, "model", "client", group_by="client,model", **none) == {
        ("bge", "bot"): 2,
        ("bge", "wiki"): 1,
        ("chat", "wiki"): 1,
    }
    # Versions are numbered per model: their numbers alone would tell nothing.
    assert calls_by(chatbot, "model", "config", group_by="config", **none) == {
        ("bge", 1): 2,
        ("bge", 2): 1,
        ("chat", 1): 1,
    }


def test_rows_are_in_the_order_of_periods_and_names(office: Office, chatbot: Caller) -> None:
    found = [(row["period"], row["model"], row["client"]) for row in rows(chatbot, group_by="client,model")]
    assert found == [
        ("2026-11-18", "bge", "bot"),
        ("2026-11-19", "bge", "wiki"),
        ("2026-11-19", "chat", "wiki"),
    ]


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ({"model": "bge"}, 3),
        ({"model": ["bge", "chat"]}, 4),
        ({"model": "nothing"}, 0),
        ({"client": "wiki"}, 2),
        ({"client": ["wiki", "bot"], "model": "chat"}, 1),
        ({"config": "2"}, 1),
        ({"config": ["1", "2"]}, 4),
        ({"outcome": ["error", "timeout"]}, 2),
        ({"from": "2026-11-19T00:00:00+09:00"}, 2),
        ({"to": "2026-11-19T00:00:00+09:00"}, 2),
        ({"to": "2026-11-18T23:59:59.999999+09:00"}, 1),
    ],
    ids=str,
)
@pytest.mark.parametrize("interval", ["none", "day"])
def test_rows_are_narrowed(office: Office, chatbot: Caller, query: Any, calls: int, interval: str) -> None:
    assert sum(row["calls"] for row in rows(chatbot, interval=interval, **query)) == calls


def test_a_deleted_model_is_still_shown_and_told_apart_from_its_successor(office: Office, chatbot: Caller) -> None:
    old = RegisteredModel.objects.get(name="bge")
    RegisteredModel.objects.filter(pk=old.pk).update(deleted_at=now())
    assert [row["calls"] for row in rows(chatbot, "models/bge/statistics/", interval="none")] == [3]
    new = office.model("bge", remote_name="bge-2")
    office.calls = []
    office.call(new, Client.objects.get(name="bot"), "2026-11-18T10:00:00+09:00")
    office.keep()
    found = rows(chatbot, group_by="model", interval="none", model="bge")
    assert [(row["model"], row["model_id"], row["model_deleted"], row["calls"]) for row in found] == [
        ("bge", old.pk, True, 3),
        ("bge", new.pk, False, 1),
    ]
    assert [row["calls"] for row in rows(chatbot, "models/bge/statistics/", interval="none")] == [1]


def test_a_deleted_client_is_still_shown(office: Office, chatbot: Caller) -> None:
    Client.objects.filter(name="bot").update(deleted_at=now())
    found = rows(chatbot, group_by="client", interval="none")
    assert [(row["client"], row["client_deleted"], row["calls"]) for row in found] == [
        ("bot", True, 2),
        ("wiki", False, 2),
    ]


def test_one_model_has_the_statistics_of_its_rows(office: Office, chatbot: Caller) -> None:
    assert rows(chatbot, "models/bge/statistics/") == rows(chatbot, model="bge")
    refused(chatbot.get("models/nothing/statistics/"), 404, "not_found")


def test_what_nobody_reported_is_told_of_one_model(office: Office, chatbot: Caller) -> None:
    bge = RegisteredModel.objects.get(name="bge")
    path = "models/bge/statistics/"
    assert done(chatbot.get(path, **RANGE))["unattributed"] is None
    # It was first read at 09:00 in Seoul: what was reported before is not compared.
    office.call(bge, Client.objects.get(name="bot"), "2026-11-18T08:59:59+09:00", outcome="cancelled")
    office.calls = office.calls[-1:]
    office.keep()
    for hour, calls in ((0, 5), (14, 4), (16, 100)):
        ServedHour.objects.create(model=bge, hour=datetime(2026, 11, 18, hour, tzinfo=UTC), calls=calls, failed=0)
    part = {"from": "2026-11-17T15:00:00Z", "to": "2026-11-18T15:59:59Z"}
    assert done(chatbot.get(path, **part, client="wiki"))["unattributed"] == {
        "from": "2026-11-18T00:00:00Z",
        "to": "2026-11-18T15:00:00Z",
        "seen": 9,
        "reported": 2,
        "calls": 7,
    }
    ServedHour.objects.filter(model=bge).update(calls=0)
    assert done(chatbot.get(path, **part))["unattributed"]["calls"] == 0
    assert "unattributed" not in done(chatbot.get(PATH, **RANGE))


def test_without_a_range_the_last_thirty_days_are_told(office: Office, chatbot: Caller) -> None:
    whole = done(chatbot.get(PATH))  # it is 2026-11-24 09:00 UTC
    assert (whole["from"], whole["to"]) == ("2026-10-25T10:00:00Z", "2026-11-24T10:00:00Z")
    assert sum(row["calls"] for row in whole["results"]) == 4
    assert whole["tz"] == "Asia/Seoul"


def test_what_is_reported_is_told_at_once(everything: World, chatbot: Caller) -> None:
    client = Client.objects.get(name="chatbot")
    for outcome, latency_ms in (("ok", 10), ("ok", 30), ("timeout", 5000)):
        made = {"outcome": outcome, "latency_ms": latency_ms, "input_tokens": 7}
        done(chatbot.post("usage/records/", report(**made)))
    for query in ({}, {"tz": "America/New_York"}, {"interval": "hour", "tz": "Asia/Kathmandu"}, {"format": "json"}):
        answer = done(chatbot.get(PATH, **{"from": everything.at(-86400).isoformat(), **query}))
        assert [(row["calls"], row["errors"], row["input_tokens"]) for row in answer["results"]] == [(3, 1, 21)], query
        assert answer["results"][0]["latency_ms"]["mean"] == 1680
    found = done(chatbot.get(PATH, group_by="client,model,config"))["results"]
    assert [(row["client_id"], row["model"], row["config"]) for row in found] == [(client.pk, "embedder", 1)]


# -- the number of statements


@pytest.mark.parametrize("query", [{}, {"group_by": "model,client,config,outcome"}, {"interval": "hour"}], ids=str)
def test_statements_do_not_grow_with_what_is_found(office: Office, chatbot: Caller, query: Any) -> None:
    filters = {"model": ["bge", "chat"], "client": ["bot", "wiki"], "config": ["1"], "from": "2026-11-17T15:30:00Z"}
    asked = {**RANGE, **filters, **query}
    done(chatbot.get(PATH, **asked))  # notes the use of the key
    with CaptureQueriesContext(connection) as few:
        assert done(chatbot.get(PATH, **asked))["results"]
    office.calls = []
    for number in range(20):
        model, client = office.model(f"m{number}"), office.client(f"c{number}")
        office.call(model, client, datetime(2026, 11, 18, tzinfo=UTC) + timedelta(hours=number))
    office.keep()
    asked = {**asked, "model": [f"m{number}" for number in range(20)], "client": [f"c{number}" for number in range(20)]}
    with CaptureQueriesContext(connection) as many:
        assert sum(row["calls"] for row in done(chatbot.get(PATH, **asked))["results"]) == 20
    assert len(many) == len(few) <= 10


def test_one_model_takes_as_many_statements_however_much_was_called(office: Office, chatbot: Caller) -> None:
    ServedHour.objects.create(
        model_id=office.calls[0].model.pk, hour=datetime(2026, 11, 18, tzinfo=UTC), calls=9, failed=0
    )
    asked = {**RANGE, "group_by": "model,client,config,outcome", "client": ["bot", "wiki"]}
    path = "models/bge/statistics/"
    done(chatbot.get(path, **asked))  # notes the use of the key
    with CaptureQueriesContext(connection) as few:
        assert len(done(chatbot.get(path, **asked))["results"]) == 3
    bge, office.calls = office.calls[0].model, []
    for hour in range(3, 23):
        office.call(bge, Client.objects.get(name="wiki"), datetime(2026, 11, 18, hour, tzinfo=UTC), outcome="error")
    office.keep()
    with CaptureQueriesContext(connection) as many:
        assert len(done(chatbot.get(path, **asked))["results"]) == 5
    assert len(many) == len(few) <= 15
