"""Periods are local, half-open, without gaps, and right where clocks are changed."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.effort import effort
from usage.rules.periods import Interval, Period, periods
from usage.rules.pieces import Days, pieces, ranges

ZONES = [
    "Asia/Seoul",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Havana",  # midnight is skipped, and comes twice
    "Pacific/Apia",
    "UTC",
]
MANY = effort(examples=200, soak_examples=20_000)
moments = st.integers(0, 400 * 86_400).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def labelled(zone: str, interval: Interval, since: str, until: str) -> list[tuple[str | None, str]]:
    """Labels and lengths in hours."""
    found = periods(utc(since), utc(until), interval, ZoneInfo(zone))
    return [(period.label, f"{(period.end - period.start) / timedelta(hours=1):g}") for period in found]


@pytest.mark.parametrize(
    ("zone", "interval", "since", "until", "expected"),
    [
        ("Asia/Seoul", Interval.DAY, "2026-11-17T15:00", "2026-11-18T15:00", [("2026-11-18", "24")]),
        (
            "Asia/Seoul",
            Interval.DAY,
            "2026-11-17T14:00",
            "2026-11-17T16:00",
            [("2026-11-17", "1"), ("2026-11-18", "1")],
        ),
        ("America/New_York", Interval.DAY, "2026-11-01T04:00", "2026-11-02T05:00", [("2026-11-01", "25")]),
        ("America/New_York", Interval.DAY, "2026-03-08T05:00", "2026-03-09T04:00", [("2026-03-08", "23")]),
        (
            "America/New_York",
            Interval.HOUR,
            "2026-11-01T05:00",
            "2026-11-01T07:00",
            [("2026-11-01T01:00:00-04:00", "1"), ("2026-11-01T01:00:00-05:00", "1")],
        ),
        (
            "America/New_York",
            Interval.HOUR,
            "2026-03-08T06:00",
            "2026-03-08T08:00",
            [("2026-03-08T01:00:00-05:00", "1"), ("2026-03-08T03:00:00-04:00", "1")],
        ),
        (
            "Australia/Lord_Howe",
            Interval.HOUR,
            "2026-04-04T14:00",
            "2026-04-04T16:30",
            [
                ("2026-04-05T01:00:00+11:00", "1"),
                ("2026-04-05T01:30:00+10:30", "0.5"),
                ("2026-04-05T02:00:00+10:30", "1"),
            ],
        ),
        ("Australia/Lord_Howe", Interval.DAY, "2026-04-04T13:00", "2026-04-05T13:30", [("2026-04-05", "24.5")]),
        ("America/Havana", Interval.DAY, "2026-03-08T05:00", "2026-03-09T04:00", [("2026-03-08", "23")]),
        ("America/Havana", Interval.DAY, "2026-11-01T04:00", "2026-11-02T05:00", [("2026-11-01", "25")]),
        (
            "Pacific/Apia",
            Interval.DAY,
            "2011-12-29T10:00",
            "2011-12-31T10:00",
            [("2011-12-29", "24"), ("2011-12-31", "24")],
        ),
        ("Asia/Seoul", Interval.MONTH, "2026-01-31T15:00", "2026-02-28T15:00", [("2026-02", "672")]),
        ("America/New_York", Interval.MONTH, "2026-11-01T04:00", "2026-12-01T05:00", [("2026-11", "721")]),
        ("Asia/Seoul", Interval.NONE, "2026-01-01T00:30", "2026-01-02T00:00", [(None, "23.5")]),
        (
            "Asia/Kolkata",
            Interval.HOUR,
            "2026-01-01T00:00",
            "2026-01-01T01:00",
            [("2026-01-01T05:00:00+05:30", "0.5"), ("2026-01-01T06:00:00+05:30", "0.5")],
        ),
    ],
)
def test_periods(zone: str, interval: Interval, since: str, until: str, expected: list[tuple[str | None, str]]) -> None:
    assert labelled(zone, interval, since, until) == expected


def made(since: datetime, lasts: int, interval: Interval, zone: str) -> list[Period]:
    return list(periods(since, since + timedelta(seconds=lasts), interval, ZoneInfo(zone)))


ranges_of_time = {
    "since": moments,
    "lasts": st.integers(1, 40 * 86_400),
    "interval": st.sampled_from(Interval),
    "zone": st.sampled_from(ZONES),
}


@MANY
@given(**ranges_of_time)
def test_periods_cover_the_range_without_gaps_under_different_labels(since, lasts, interval, zone) -> None:
    found = made(since, lasts, interval, zone)
    assert (found[0].start, found[-1].end) == (since, since + timedelta(seconds=lasts))
    assert all(before.end == after.start for before, after in pairwise(found))
    assert all(period.start < period.end for period in found)
    assert len({period.label for period in found}) == len(found)


@MANY
@given(**ranges_of_time, later=st.integers(1, 86_400))
def test_a_moment_has_the_same_label_wherever_the_range_begins(since, lasts, interval, zone, later) -> None:
    whole = {period.end: period.label for period in made(since, lasts + later, interval, zone)}
    part = made(since + timedelta(seconds=later), lasts, interval, zone)
    assert {period.end: period.label for period in part}.items() <= whole.items()


@MANY
@given(**ranges_of_time, days_of=st.sampled_from([None, *ZONES]), kept_since=moments)
def test_every_moment_of_a_period_is_in_one_piece_of_it(since, lasts, interval, zone, days_of, kept_since) -> None:
    found = made(since, lasts, interval, zone)
    days = None if days_of is None else Days(ZoneInfo(days_of), kept_since.date())
    split = pieces(found, days)
    starts = {piece.start: piece for piece in (*split.hours, *split.records)}
    if days:
        assert all(piece.start >= days.since for piece in split.days)
        for piece in split.days:
            start, end = (
                datetime.combine(day, datetime.min.time(), days.zone).astimezone(UTC)
                for day in (piece.start, piece.end)
            )
            starts[start] = type(piece)(piece.period, start, end)
    at, seen = since, []
    while at in starts:
        piece = starts.pop(at)
        assert found[piece.period].start <= piece.start < piece.end <= found[piece.period].end
        at = piece.end
        seen.append(piece)
    assert (at, starts) == (since + timedelta(seconds=lasts), {})
    assert {str(at)[14:19] for piece in split.hours for at in (piece.start, piece.end)} <= {"00:00"}
    assert sum((end - start for start, end in ranges(split.records)), timedelta()) == sum(
        (piece.end - piece.start for piece in split.records), timedelta()
    )


def test_a_day_of_the_kept_zone_is_told_by_the_sums_of_days_and_others_by_hours() -> None:
    seoul = Days(ZoneInfo("Asia/Seoul"), datetime(1970, 1, 1, tzinfo=UTC).date())
    month = made(utc("2026-10-31T15:00"), 30 * 86_400, Interval.DAY, "Asia/Seoul")
    told = pieces(month, seoul)
    assert (len(told.days), told.hours, told.records) == (30, [], [])
    assert len(ranges(told.days)) == 1
    told = pieces(made(utc("2026-11-02T05:00"), 28 * 86_400, Interval.DAY, "America/New_York"), seoul)
    assert (told.days, len(told.hours), told.records) == ([], 28, [])
    told = pieces(made(utc("2026-11-02T05:00"), 28 * 86_400, Interval.NONE, "America/New_York"), seoul)
    assert (len(told.days), len(told.hours), told.records) == (1, 2, [])
    told = pieces(made(utc("2026-11-01T18:30"), 28 * 86_400, Interval.DAY, "Asia/Kolkata"), seoul)
    assert (told.days, len(told.hours), len(told.records)) == ([], 28, 56)
