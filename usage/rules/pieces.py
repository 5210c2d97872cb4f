"""Which sums tell a period exactly: days where whole ones fit in, hours around them, records at the edges. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from modelmanager.lib.local_time import start_of_day
from usage.periods import hour_of
from usage.rules.periods import DAY, Period


@dataclass(frozen=True)
class Days:
    """The days whose sums are kept: those of the zone, complete from `since` on."""

    zone: ZoneInfo
    since: date


@dataclass(frozen=True)
class Piece:
    """`[start, end)`, dates of days or moments, of the period of that number."""

    period: int
    start: date
    end: date


@dataclass
class Pieces:
    """What to read: every moment of the periods is in exactly one piece."""

    days: list[Piece] = field(default_factory=list)
    hours: list[Piece] = field(default_factory=list)
    records: list[Piece] = field(default_factory=list)


def pieces(periods: Iterable[Period], days: Days | None) -> Pieces:
    """The fewest and largest pieces of the periods."""
    found = Pieces()
    for number, period in enumerate(periods):
        whole = _whole_days(period, days) if days else None
        if days is None or whole is None:
            _split(found, number, period.start, period.end)
            continue
        first, end = whole
        _split(found, number, period.start, start_of_day(first, days.zone))
        found.days.append(Piece(number, first, end))
        _split(found, number, start_of_day(end, days.zone), period.end)
    return found


def _whole_days(period: Period, days: Days) -> tuple[date, date] | None:
    """The days `[first, end)` that lie wholly within the period."""
    first = period.start.astimezone(days.zone).date()
    if start_of_day(first, days.zone) < period.start:
        first += DAY
    first = max(first, days.since)
    end = period.end.astimezone(days.zone).date()
    return (first, end) if first < end else None


def _split(found: Pieces, number: int, start: datetime, end: datetime) -> None:
    """Whole hours, and what is left before and after them."""
    first, last = hour_of(start), hour_of(end)
    if first < start:
        first += timedelta(hours=1)
    if first >= last:
        _add(found.records, number, start, end)
        return
    _add(found.records, number, start, first)
    _add(found.hours, number, first, last)
    _add(found.records, number, last, end)


def _add(pieces: list[Piece], number: int, start: datetime, end: datetime) -> None:
    if start < end:
        pieces.append(Piece(number, start, end))


def ranges(pieces: Sequence[Piece]) -> list[tuple[date, date]]:
    """The pieces, in order, with neighbours joined."""
    joined: list[tuple[date, date]] = []
    for piece in pieces:
        if joined and joined[-1][1] == piece.start:
            joined[-1] = (joined[-1][0], piece.end)
        else:
            joined.append((piece.start, piece.end))
    return joined
