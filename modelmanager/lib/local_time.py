"""From what the clocks of a place show to moments. Pure."""

import functools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def can_be_told(moment: datetime) -> bool:
    """Whether every zone can show this moment, and what is reckoned from it; no clock goes beyond the year 9999."""
    return FIRST <= moment < LAST


def first_moment(local: datetime, zone: ZoneInfo) -> datetime:
    """The first moment, in UTC, at which the clocks of the zone show this naive time.

    A time that is skipped (the hour lost in spring) stands for the first moment after it, one that comes twice
    (the hour won in autumn) for its first occurrence.
    """
    aware = local.replace(tzinfo=zone)
    moment = aware.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    return _end_of_gap(aware.replace(fold=1).astimezone(UTC), moment, zone)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, at which this day begins in the zone; not always at midnight."""
    return first_moment(datetime.combine(day, time()), zone)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment, between these two, at which the clocks are put forward."""
    offset_after = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before).total_seconds() // 2)
        if middle.astimezone(zone).utcoffset() == offset_after:
            after = middle
        else:
            before = middle
    return after


def zone_named(name: str) -> ZoneInfo | None:
    """The time zone of that name, or None."""
    return ZoneInfo(name) if name in _names() else None


@functools.cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())
