"""What a range of time is divided into: the hours, days or months of a place. Pure, and right across DST."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from modelmanager.lib.local_time import start_of_day

HOUR_S = 3600
DAY = timedelta(days=1)


class Interval(StrEnum):
    """How long a period is."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    NONE = "none"


@dataclass(frozen=True)
class Period:
    """`[start, end)` in UTC. The label is local: `2026-11-18`, `2026-11`, an hour with its offset, None for all."""

    label: str | None
    start: datetime
    end: datetime


def periods(since: datetime, until: datetime, interval: Interval, zone: ZoneInfo) -> Iterator[Period]:
    """The periods that `[since, until)` consists of, in order, without gaps; the first and the last may be cut."""
    if interval == Interval.NONE:
        yield Period(None, since, until)
        return
    for (label, start), (_label, end) in pairwise(_starts(since.astimezone(zone), interval, zone)):
        if start >= until:
            return
        if end > max(since, start):  # there are days that a place skips
            yield Period(label, max(start, since), min(end, until))


def _starts(first: datetime, interval: Interval, zone: ZoneInfo) -> Iterator[tuple[str, datetime]]:
    """Labels and beginnings without end, from the period on that `first` is in or one before it."""
    match interval:
        case Interval.MONTH:
            return _months(first, zone)
        case Interval.DAY:
            return _days(first.date(), zone)
        case _:
            return _hours(start_of_day(first.date(), zone), zone)


def _months(first: datetime, zone: ZoneInfo) -> Iterator[tuple[str, datetime]]:
    month = first.date().replace(day=1)
    while True:
        yield f"{month:%Y-%m}", start_of_day(month, zone)
        month = (month + 31 * DAY).replace(day=1)


def _days(day: date, zone: ZoneInfo) -> Iterator[tuple[str, datetime]]:
    while True:
        yield day.isoformat(), start_of_day(day, zone)
        day += DAY


def _hours(start: datetime, zone: ZoneInfo) -> Iterator[tuple[str, datetime]]:
    """Until the clocks show the next whole hour; the one in which they are put back by less is two."""
    while True:
        local = start.astimezone(zone)
        yield local.isoformat(), start
        start += timedelta(seconds=HOUR_S - 60 * local.minute - local.second)
