"""Hours and local days, and where they begin. Pure."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from modelmanager.lib.local_time import start_of_day

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def hour_of(at: datetime) -> datetime:
    """The hour (UTC) that a time belongs to."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hour_from(at: datetime) -> datetime:
    """The first hour that begins at this time or later."""
    begun = hour_of(at)
    return begun if begun == at else begun + HOUR


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """The day that a time belongs to in that zone."""
    return at.astimezone(zone).date()


def span_of(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a day of that zone begins and ends: 23 to 25 hours where clocks are changed."""
    return start_of_day(day, zone), start_of_day(day + DAY, zone)


def is_whole_hours(span: tuple[datetime, datetime]) -> bool:
    """Whether hours of UTC make up the span; they do not where a zone is off by half an hour."""
    return all(hour_of(border) == border for border in span)
