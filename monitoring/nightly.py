"""What the worker does every night: remove usage records after their retention, and check what was summed of them."""

from datetime import datetime, time, timedelta

from django.utils import timezone
from django_q.tasks import async_task

from modelmanager.lib.clock import now
from usage.services import checking, partitioning, pruning

STRETCH_S = 50.0
PRUNE_TASK = "monitoring.nightly.prune_usage"
CHECK_TASK = "monitoring.nightly.check_usage"
# Name, task and local time; while few people work, and not at an hour that is missing when clocks are changed.
SCHEDULES = [
    ("prune_usage", PRUNE_TASK, time(4, 10)),
    ("check_usage", CHECK_TASK, time(4, 40)),
]


def next_(at: time) -> datetime:
    """The next moment at which the installation's clocks show this time."""
    local = timezone.localtime(now())
    today = timezone.make_aware(datetime.combine(local.date(), at))
    return today if today > local else timezone.make_aware(datetime.combine(local.date() + timedelta(days=1), at))


def prune_usage() -> None:
    """Remove records after their retention for a while, and go on in another task when some are left.

    Where months have partitions, those of the next months are made, too.
    """
    if partitioning.partitions():
        partitioning.partition_records()
    pruning.prune_usage(for_s=STRETCH_S)
    if pruning.is_anything_left():
        async_task(PRUNE_TASK)


def check_usage(since: str = "") -> None:
    """Compare the sums of the last days, or from `since` (ISO 8601) on, with the records for a while.

    Goes on in another task from where the time was over.
    """
    at = now()
    start = datetime.fromisoformat(since) if since else at - checking.CHECKED_NIGHTLY
    until = at + timedelta(hours=1)
    check = checking.check_rollups(since=start, until=until, for_s=STRETCH_S)
    if check.until < until:
        async_task(CHECK_TASK, check.until.isoformat())
