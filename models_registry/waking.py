"""Waking a server: lower layers say that something is due; `monitoring` finds it in the rows."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django_q.tasks import async_task

from modelmanager.lib.clock import now
from modelmanager.lib.retry import retrying
from models_registry.models import Provider

WATCH_TASK = "monitoring.tasks.watch"
SOON = timedelta(seconds=60)


def wake(provider_id: int, *, at: datetime | None = None) -> None:
    """Have the server reconciled at `at` (default: at once), once the transaction has committed.

    It is written after the commit, alone: a row lock on the provider is never held with a model's.
    A process killed in between loses it; the two-minute poll then finds what is due.
    """
    due = at or now()
    transaction.on_commit(lambda: _wake(provider_id, due))


def _wake(provider_id: int, due: datetime) -> None:
    later_or_none = Q(wake_at__isnull=True) | Q(wake_at__gt=due)
    retrying(Provider.all_objects.filter(later_or_none, pk=provider_id).update)(wake_at=due)
    if due <= now() + SOON:  # what is due later is found by the one-minute schedule
        async_task(WATCH_TASK)
