"""Removing records after their retention; what was summed of them stays."""

import time
from datetime import datetime, timedelta

from django.conf import settings

from modelmanager.lib.clock import now
from modelmanager.lib.local_time import start_of_day
from modelmanager.lib.retry import retrying_transaction
from usage.ledger import hold_alone, read_ledger
from usage.models import Ledger, UsageRecord
from usage.periods import day_of
from usage.services.partitioning import drop_months

AT_A_TIME = 2000


def prune_usage(*, at_a_time: int = AT_A_TIME, for_s: float | None = None) -> int:
    """Remove the records of days that ended before the retention (`USAGE_RETENTION_DAYS`), the oldest first; how many.

    Reports of such calls are refused from the beginning on. Removes a bounded number in a transaction and pauses as
    long as each took, so that records go on arriving. With `for_s` it ends after about so many seconds; what is
    left is removed by the next run. Months that have partitions of their own are dropped as a whole.
    """
    until = _move_watermark(now() - timedelta(days=settings.USAGE_RETENTION_DAYS))
    deadline = None if for_s is None else time.monotonic() + for_s
    removed = drop_months(until)
    while deadline is None or time.monotonic() < deadline:
        began = time.monotonic()
        some = _remove_some(until, at_a_time)
        removed += some
        if some < at_a_time:
            break
        time.sleep(time.monotonic() - began)
    return removed


@retrying_transaction
def _move_watermark(until: datetime) -> datetime:
    """To the beginning of the day, so that days are pruned as a whole; never back. Where it stands."""
    ledger = hold_alone()
    midnight = start_of_day(day_of(until, ledger.zone), ledger.zone)
    if ledger.pruned_until is not None and ledger.pruned_until >= midnight:
        return ledger.pruned_until
    Ledger.objects.update(pruned_until=midnight)
    return midnight


@retrying_transaction
def _remove_some(until: datetime, at_most: int) -> int:
    # By their ids: a range of times would lock what lies beside it, and MySQL lets no statement both limit and join.
    oldest = UsageRecord.objects.filter(occurred_at__lt=until).order_by("occurred_at")
    ids = list(oldest.values_list("pk", flat=True)[:at_most])
    return UsageRecord.objects.filter(pk__in=ids).delete()[0] if ids else 0


def is_anything_left() -> bool:
    """Whether there are records behind the watermark that are still to be removed."""
    ledger = read_ledger()
    return ledger.pruned_until is not None and UsageRecord.objects.filter(occurred_at__lt=ledger.pruned_until).exists()
