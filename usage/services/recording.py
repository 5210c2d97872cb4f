"""Keeping what clients report, each call once, and its sums in the same transaction."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction

from modelmanager.lib.clock import now
from modelmanager.lib.retry import retrying_transaction
from usage.ledger import hold_shared
from usage.models import Ledger, UsageDay, UsageHour
from usage.record_sql import insert_records, known_events, raise_rollups
from usage.reports import Batch, Fault
from usage.services.resolving import Row, resolve, too_old
from usage.sums import by_day, by_hour

TRIES = 3  # by one statement for all events


class Recorded(NamedTuple):
    """How many calls a batch added, and how many of it were known already."""

    accepted: int
    duplicates: int


def record_usage(batch: Batch, *, client_id: int) -> Recorded:
    """Keep all reports of a client, or none; an event id counts once, however often and by whomever it is sent.

    Raises Invalid, which names each report that is wrong.
    """
    at = now()
    rows = resolve(batch, client_id=client_id, at=at)
    return store(batch, rows, at=at)


@retrying_transaction
def store(batch: Batch, rows: Sequence[Row], *, at: datetime) -> Recorded:
    """Store the rows of a batch that are new, and raise the rollups by them. Raises Invalid behind the prune."""
    ledger = hold_shared()
    _refuse_pruned(batch, ledger)
    fresh = _insert_new(rows, at=at)
    raise_rollups(UsageHour, by_hour(fresh))
    in_days = {key: sums for key, sums in by_day(fresh, ledger.zone).items() if key[0] >= ledger.days_since}
    raise_rollups(UsageDay, in_days)
    return Recorded(len(fresh), len(rows) - len(fresh))


def _refuse_pruned(batch: Batch, ledger: Ledger) -> None:
    since = ledger.pruned_until
    if since is not None:
        late = (index for index, report in enumerate(batch.reports) if report.occurred_at < since)
        batch.refuse([Fault(index, "occurred_at", *too_old(since)) for index in late])


def _insert_new(rows: Sequence[Row], *, at: datetime) -> list[Row]:
    """Store those rows whose events are not known; which. In the order of their events, so that nobody deadlocks.

    Whoever stores the same event at the same moment is waited for and then found: of two, one is new.
    """
    once = {row.event_id: row for row in reversed(rows)}
    for _try in range(TRIES):
        fresh = _unknown(once)
        if not fresh:
            return []
        with suppress(IntegrityError), transaction.atomic():
            insert_records(fresh, received_at=at)
            return fresh
    # Others may go on being first, each time with another event of ours; with a single one, only once.
    return [row for row in _unknown(once) if _is_inserted(row, at)]


def _unknown(once: Mapping[str, Row]) -> list[Row]:
    """The rows whose events are not stored, in the order of these."""
    known = known_events(next(iter(once.values())).client_id, once) if once else set()
    return [once[event_id] for event_id in sorted(once) if event_id not in known]


def _is_inserted(row: Row, at: datetime) -> bool:
    """Store one row; False when its event was stored meanwhile."""
    try:
        with transaction.atomic():
            insert_records([row], received_at=at)
    except IntegrityError:
        if not known_events(row.client_id, [row.event_id]):
            raise
        return False
    return True
