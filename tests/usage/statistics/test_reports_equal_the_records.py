"""Whatever is asked, the answer is what the records say one by one."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_registry.models import Provider
from tests.properties.effort import effort
from tests.usage.statistics.arranging import Call, Office, plainly, same_sums
from usage.histogram import BOUNDS_US
from usage.models import Ledger, UsageDay, UsageHour, UsageRecord
from usage.rules.periods import Interval
from usage.statistics.question import GROUPS, Question
from usage.statistics.report import report

BEGIN = datetime(2026, 10, 28, tzinfo=UTC)  # New York and Lord Howe change their clocks around then
ZONES = ["Asia/Seoul", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]
SOME = effort(examples=60, soak_examples=2_000)
minutes = st.integers(0, 8 * 24 * 60)
made = st.tuples(
    st.integers(0, 2),
    st.integers(0, 1),
    st.integers(1, 2),
    st.sampled_from(["ok", "ok", "error", "timeout", "cancelled"]),
    minutes,
    st.sampled_from([0, 1, 999_999]) | st.integers(0, 59_999_999),
    st.integers(0, 2_000_000) | st.integers(0, BOUNDS_US[-1]),  # what takes longer is only told to be so
    st.integers(0, 10**6),
)


def label(call: Call, interval: Interval, zone: ZoneInfo) -> str | None:
    local = call.occurred_at.astimezone(zone)
    match interval:
        case Interval.DAY:
            return f"{local:%Y-%m-%d}"
        case Interval.MONTH:
            return f"{local:%Y-%m}"
        case _:
            return None


def by_key(rows: list[dict[str, Any]], groups: tuple[str, ...]) -> dict[Any, dict[str, Any]]:
    found = {(row["period"], *(row[group] for group in groups)): row for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.fixture
def offices(db: None) -> Any:
    """Makes an office anew for each example, over the same models and clients."""
    provider = Provider.objects.create(name="gpu", kind="triton", base_url="http://gpu", server_key="gpu:80/")
    office = Office(provider)
    models = [office.model(name) for name in ("bge", "chat", "rerank")]
    clients = [office.client(name) for name in ("bot", "wiki")]

    def fill(calls: list[Any], *, zone: str, days_since: date) -> Office:
        for table in (UsageRecord, UsageHour, UsageDay, Ledger):
            table.objects.all().delete()
        office.zone, office.calls = ZoneInfo(zone), []
        for model, client, config, outcome, minute, us, latency_us, tokens in calls:
            at = BEGIN + timedelta(minutes=minute, microseconds=us)
            more = {"latency_us": latency_us, "input_tokens": tokens, "output_tokens": tokens // 3, "cost": tokens * 7}
            office.call(models[model], clients[client], at, config, outcome=outcome, **more)
        office.keep(days_since=days_since)
        return office

    return fill


def test_any_report_is_what_the_records_say(offices: Any) -> None:
    @SOME
    @given(
        calls=st.lists(made, max_size=25),
        kept=st.sampled_from(["Asia/Seoul", "America/New_York", "Asia/Kolkata"]),
        days_since=st.sampled_from([date(1970, 1, 1), date(2026, 10, 31)]),
        zone=st.sampled_from(ZONES),
        interval=st.sampled_from([Interval.DAY, Interval.MONTH, Interval.NONE]),
        group_by=st.sets(st.sampled_from(GROUPS)),
        since=minutes,
        lasts=st.integers(1, 8 * 24 * 60),
    )
    def ask(calls, kept, days_since, zone, interval, group_by, since, lasts) -> None:
        office = offices(calls, zone=kept, days_since=days_since)
        start = BEGIN + timedelta(minutes=since)
        question = Question(
            since=start,
            until=start + timedelta(minutes=lasts),
            interval=interval,
            zone=ZoneInfo(zone),
            group_by=tuple(group_by),
        )
        asked = [call for call in office.calls if question.since <= call.occurred_at < question.until]
        plain = plainly(asked, question.groups, lambda call: label(call, interval, question.zone))
        told = by_key(report(question), question.groups)
        assert set(told) == set(plain)
        for key, row in told.items():
            same_sums(row, plain[key])

    ask()


@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York"])
@pytest.mark.parametrize("kept", ["Asia/Seoul", "America/New_York"])
def test_each_local_day_is_the_records_of_that_day_and_they_sum_up_to_the_total(
    offices: Any, zone: str, kept: str
) -> None:
    hourly = [(0, 0, 1, "ok", minute, 0, 5000, 10) for minute in range(0, 8 * 24 * 60, 20)]
    office = offices(hourly, zone=kept, days_since=date(1970, 1, 1))
    local = ZoneInfo(zone)
    since = datetime(2026, 10, 29, tzinfo=local)
    until = datetime(2026, 11, 4, tzinfo=local)
    days = report(Question(since, until, Interval.DAY, local))
    total = report(Question(since, until, Interval.NONE, local))
    calls = [call for call in office.calls if since <= call.occurred_at < until]
    assert {row["period"]: row["calls"] for row in days} == {
        day: sum(f"{call.occurred_at.astimezone(local):%Y-%m-%d}" == day for call in calls)
        for day in (f"2026-{day}" for day in ("10-29", "10-30", "10-31", "11-01", "11-02", "11-03"))
    }
    longest = max(row["calls"] for row in days)
    assert longest == (75 if zone == "America/New_York" else 72)  # the day on which the clocks are put back
    assert sum(row["calls"] for row in days) == total[0]["calls"] == len(calls)
    assert sum(row["input_tokens"] for row in days) == total[0]["input_tokens"] == 10 * len(calls)
