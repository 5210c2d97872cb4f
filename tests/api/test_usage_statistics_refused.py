"""Questions for statistics that have no answer: they make no sense, or what they need is pruned or changing."""

from datetime import UTC, date, datetime
from itertools import cycle
from typing import Any

import pytest
from django.db import connection

from tests.api.calls import Caller, done, invalid, refused
from tests.api.statistics import PATH, RANGE, rows
from tests.monitoring.world import World
from tests.usage.reporting import report
from tests.usage.statistics.arranging import Office
from usage.models import Ledger, UsageRecord
from usage.statistics import report as reports
from usage.statistics import totals


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"from": "yesterday"}, {"from": "invalid"}),
        ({"to": "2026-11-18T00:00:00"}, {"to": "no_offset"}),
        ({"from": RANGE["to"], "to": RANGE["from"]}, {"from": "invalid"}),
        ({"from": RANGE["from"], "to": RANGE["from"]}, {"from": "invalid"}),
        ({"from": "0001-01-01T00:00:00Z"}, {"from": "invalid"}),
        ({"to": "9999-12-31T23:59:59Z"}, {"to": "invalid"}),
        ({"interval": "week"}, {"interval": "invalid_choice"}),
        ({"interval": "hour", "from": "2020-01-01T00:00:00Z"}, {"interval": "invalid"}),
        ({"interval": "hour", "from": "2026-10-25T00:00:00Z", "tz": "Asia/Kolkata"}, {"tz": "invalid"}),
        ({"group_by": "provider"}, {"group_by": "invalid_choice"}),
        ({"tz": "Mars/Olympus"}, {"tz": "invalid_choice"}),
        ({"tz": "America"}, {"tz": "invalid_choice"}),
        ({"tz": "../etc/passwd"}, {"tz": "invalid_choice"}),
        ({"outcome": "fine"}, {"outcome": "invalid_choice"}),
        ({"config": "first"}, {"config": "invalid"}),
        ({"config": "-1"}, {"config": "invalid"}),
        ({"config": "9" * 100}, {"config": "invalid"}),
        ({"model": "\0"}, {"model": "invalid"}),
        ({"format": "pdf"}, {"format": "invalid_choice"}),
    ],
    ids=str,
)
def test_a_strange_question_is_invalid(office: Office, chatbot: Caller, query: Any, fields: Any) -> None:
    problem = refused(chatbot.get(PATH, **{**RANGE, **query}), 400, "invalid")
    assert {error["field"]: error["code"] for error in problem["errors"]} == fields


def test_of_what_is_pruned_whole_hours_are_known(office: Office, chatbot: Caller) -> None:
    for table in ("usagerecord", "usagehour", "usageday"):
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM usage_{table}")
    office.keep(pruned_until=datetime(2026, 11, 19, 0, 0, tzinfo=UTC))
    assert sum(row["calls"] for row in rows(chatbot)) == 4
    assert sum(row["calls"] for row in rows(chatbot, tz="America/New_York", interval="hour")) == 4
    invalid(chatbot.get(PATH, **RANGE, tz="Asia/Kolkata"), tz="invalid")
    invalid(chatbot.get(PATH, **{**RANGE, "from": "2026-11-17T15:00:01Z"}, tz="Asia/Seoul"), **{"from": "invalid"})
    invalid(chatbot.get(PATH, **{**RANGE, "to": "2026-11-18T15:30:00Z"}, tz="Asia/Seoul"), to="invalid")
    late = {"from": "2026-11-19T00:00:00Z", "to": "2026-11-19T10:10:10Z"}
    assert sum(row["calls"] for row in rows(chatbot, tz="Asia/Kolkata", **late)) == 1


def test_records_that_are_pruned_while_they_are_read_are_missed(
    office: Office, chatbot: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pruned_first(*asked: Any) -> Any:
        UsageRecord.objects.all().delete()
        Ledger.objects.update(pruned_until=datetime(2026, 11, 20, tzinfo=UTC))
        return totals.totals_of_records(*asked)

    assert len(rows(chatbot, tz="Asia/Kolkata")) == 2
    monkeypatch.setattr(reports, "totals_of_records", pruned_first)
    invalid(chatbot.get(PATH, **RANGE, tz="Asia/Kolkata"), tz="invalid")


def test_sums_that_never_come_to_rest_are_refused_for_now(
    office: Office, chatbot: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = cycle([date(2026, 11, 19), date(2026, 11, 18)])

    def made_anew(*asked: Any) -> Any:
        Ledger.objects.update(days_since=next(days))
        return totals.totals_of_days(*asked)

    monkeypatch.setattr(reports, "totals_of_days", made_anew)
    problem = refused(chatbot.get(PATH, **RANGE, tz="Asia/Seoul"), 503, "sums_changing")
    assert problem["retry_after_s"] == 30


def test_more_rows_than_anybody_reads_are_refused(
    office: Office, chatbot: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "MOST_ROWS", 3)
    assert len(rows(chatbot, group_by="model")) == 3
    invalid(chatbot.get(PATH, **RANGE, group_by="model,outcome"), interval="invalid")


def test_rows_are_those_of_the_answer_whatever_it_is_read_from(
    everything: World, chatbot: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours of a zone that is off by half an hour are read from the records, by the bucket of their latency."""
    monkeypatch.setattr(totals, "MOST_ROWS", 2)
    done(chatbot.post("usage/records/", [report(latency_ms=latency_ms) for latency_ms in (1, 10, 100, 1000, 10_000)]))
    asked = {"from": everything.at(-86400).isoformat(), "interval": "hour", "tz": "Asia/Kolkata"}
    (row,) = done(chatbot.get(PATH, **asked))["results"]
    assert row["calls"] == 5
    assert row["latency_ms"]["p50"] == pytest.approx(100, rel=0.12)
