"""Comparing the sums of usage with the records, and keeping what came of it where ops see it."""

import logging
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from modelmanager.lib.clock import now
from modelmanager.lib.retry import retrying_transaction
from usage.ledger import hold_alone, read_ledger
from usage.models import Ledger, RollupCheck, UsageDay, UsageHour
from usage.periods import HOUR, hour_from, hour_of, is_whole_hours, span_of
from usage.rollup_sql import Told, told_by_hours, told_by_records, told_by_rollups
from usage.services.rebuilding import EVER, NEVER, days_with_calls, hours_with_calls

logger = logging.getLogger(__name__)

CHECKED_NIGHTLY = timedelta(days=8)


class Difference(NamedTuple):
    """An hour or day whose sums are not those of its records: calls that it tells of, and calls there were."""

    period: str
    told: int
    found: int

    def __str__(self) -> str:
        # Stored and logged: in one language, whoever ran the check.
        return f"{self.period} tells of {self.told} calls, there were {self.found}"


def check_rollups(*, since: datetime = EVER, until: datetime = NEVER, for_s: float | None = None) -> RollupCheck:
    """Compare the rollups from `since` to `until` with the records, as far back as these are kept; keep the result.

    What differs is logged as an error, and `manage.py doctor` tells of it until a rebuild. With `for_s` it ends
    after about so many seconds and one hour at least; `until` then tells how far it came.
    """
    check, ledger = RollupCheck(since=since, until=until, started_at=now()), read_ledger()
    deadline = None if for_s is None else time.monotonic() + for_s
    found = []
    for hour in hours_with_calls(max(hour_of(since), hour_from(ledger.pruned_until or EVER)), until):
        found += _difference(f"{hour:%Y-%m-%d %H:00} UTC", _looks_at_hour(hour))
        if deadline is not None and time.monotonic() > deadline:
            check.until = min(until, hour + HOUR)
            break
    for day in days_with_calls(ledger, since, check.until):
        found += _difference(f"{day} {ledger.day_zone}", _looks_at_day(day, ledger))
    check.differences, check.finished_at = len(found), now()
    check.detail = "; ".join(map(str, found))[:500]
    retrying_transaction(check.save)()
    if found:
        logger.error("Sums of usage differ from the records: %s", check.detail)
    return check


# What the rollups of a period tell, and what they should; None when nobody can say any more.
Looks = Callable[[], tuple[Told, Told] | None]


def _difference(period: str, looks: Looks) -> list[Difference]:
    """Compare without holding anybody up; what differs then, again while nobody adds records."""
    return [] if _agree(looks()) else _held_difference(period, looks)


@retrying_transaction
def _held_difference(period: str, looks: Looks) -> list[Difference]:
    hold_alone()
    seen = looks()
    if seen is None or _agree(seen):
        return []
    told, should = (sum(sums[0] for sums in side.values()) for side in seen)
    return [Difference(period, told, should)]


def _agree(seen: tuple[Told, Told] | None) -> bool:
    return seen is None or seen[0] == seen[1]


def _looks_at_hour(hour: datetime) -> Looks:
    def looks() -> tuple[Told, Told] | None:
        pruned_until = read_ledger().pruned_until
        if pruned_until is not None and hour < pruned_until:
            return None
        return told_by_rollups(UsageHour, hour), told_by_records(hour, hour + HOUR)

    return looks


def _looks_at_day(day: date, ledger: Ledger) -> Looks:
    span = span_of(day, ledger.zone)

    def looks() -> tuple[Told, Told] | None:
        current = read_ledger()
        if day < current.days_since or current.day_zone != ledger.day_zone:
            return None
        if is_whole_hours(span):
            return told_by_rollups(UsageDay, day), told_by_hours(*span)
        if current.pruned_until is not None and span[0] < current.pruned_until:
            return None
        return told_by_rollups(UsageDay, day), told_by_records(*span)

    return looks
