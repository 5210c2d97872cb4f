"""When a window is open: weekly rules in local time, and dated exceptions. Pure, and right across DST.

A clock time that a day skips (the hour lost in spring) stands for the first moment after it, one that a day
has twice (the hour won in autumn) for its first occurrence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from modelmanager.lib.local_time import first_moment

DAY_MINUTES = 24 * 60
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Rule:
    """Open on these weekdays (Monday is 0) from `start` to `end`, in minutes since midnight.

    An end before the start is on the next day; `end` may be 1440, the end of the day itself.
    """

    weekdays: frozenset[int]
    start: int
    end: int


@dataclass(frozen=True)
class Dated:
    """Open, or closed, from `start` until `end` whatever the rules say: a holiday, "stay open until"."""

    start: datetime
    end: datetime
    opens: bool


@dataclass(frozen=True)
class OpeningHours:
    """Weekly rules in one time zone, and dated exceptions; of several that hold at once the last decides.

    Moments, asked and told, are in UTC.
    """

    zone: ZoneInfo
    rules: Sequence[Rule]
    exceptions: Sequence[Dated] = ()

    def contains(self, at: datetime) -> bool:
        """Whether it is open at `at`; an opening belongs to it, a closing does not."""
        dated = self._dated(at)
        if dated is not None:
            return dated.opens
        return any(start <= at < end for start, end in self._spans(at, days=1))

    def next_opening(self, at: datetime) -> datetime | None:
        """The first moment after `at` at which it turns from closed to open; None when it never does."""
        return self._next_turn(at, to_open=True)

    def next_closing(self, at: datetime) -> datetime | None:
        """The first moment after `at` at which it turns from open to closed; None when it never does."""
        return self._next_turn(at, to_open=False)

    def spans(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The stretches within `[since, until)` in which it is open, in order."""
        start = since if self.contains(since) else self.next_opening(since)
        while start is not None and start < until:
            end = self.next_closing(start)
            yield start, until if end is None else min(end, until)
            start = None if end is None else self.next_opening(end)

    def _next_turn(self, at: datetime, *, to_open: bool) -> datetime | None:
        was_open = self.contains(at)
        for edge in self._edges(at):
            is_open = self.contains(edge)
            if is_open != was_open and is_open == to_open:
                return edge
            was_open = is_open
        return None

    def _edges(self, at: datetime) -> Iterator[datetime]:
        """The moments after `at` at which the answer may change, in order.

        Rules repeat every week: of a longer stretch without an exception its first two weeks show all of it.
        """
        dated = sorted({edge for span in self.exceptions for edge in (span.start, span.end) if edge > at})
        for since, until in pairwise([at, *dated, None]):
            assert since is not None  # noqa: S101
            shown = since + 2 * WEEK if until is None else min(until, since + 2 * WEEK)
            if self._dated(since) is None:
                yield from self._rule_edges(since, shown)
            if until is not None:
                yield until

    def _rule_edges(self, since: datetime, until: datetime) -> list[datetime]:
        """The moments between these two at which the rules turn, in order; where two spans meet, they do not."""
        turns: list[datetime] = []
        for start, end in sorted(self._spans(since, days=(until - since).days + 1)):
            if turns and start <= turns[-1]:
                turns[-1] = max(turns[-1], end)
            else:
                turns += [start, end]
        return [turn for turn in turns if since < turn < until]

    def _dated(self, at: datetime) -> Dated | None:
        return next((dated for dated in reversed(self.exceptions) if dated.start <= at < dated.end), None)

    def _spans(self, at: datetime, *, days: int) -> Iterator[tuple[datetime, datetime]]:
        """What the rules say from the day before `at` to `days` after it."""
        today = at.astimezone(self.zone).date()
        for offset in range(-1, days + 1):
            day = today + timedelta(days=offset)
            for rule in self.rules:
                if day.weekday() in rule.weekdays:
                    last_day = day if rule.end > rule.start else day + timedelta(days=1)
                    yield self._moment(day, rule.start), self._moment(last_day, rule.end)

    def _moment(self, day: date, minute: int) -> datetime:
        """The first moment at which the clocks of that day show this minute or a later one; in UTC."""
        days, minute = divmod(minute, DAY_MINUTES)
        return first_moment(datetime.combine(day + timedelta(days=days), time(minute // 60, minute % 60)), self.zone)
