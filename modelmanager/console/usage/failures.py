"""The last calls that failed."""

from typing import Any

from django.http import HttpRequest

from modelmanager.console.usage.use import Use
from usage.models import Outcome, UsageRecord

SHOWN = 10
FAILED = (Outcome.ERROR, Outcome.TIMEOUT)


def failures(use: Use, request: HttpRequest, **of: Any) -> list[UsageRecord]:
    """The last failed calls of a model or client in the stretch shown, for those who may see calls.

    The sums tell in which periods they are: millions of calls that went well are not searched for them.
    """
    since = _since(use)
    if since is None or not request.user.has_perm("usage.view_usagerecord"):
        return []
    rows = UsageRecord.objects.filter(outcome__in=FAILED, occurred_at__gte=since, occurred_at__lt=use.periods[-1].end)
    return list(rows.filter(**of).prefetch_related("model", "client").order_by("-occurred_at", "-id")[:SHOWN])


def _since(use: Use) -> Any:
    """The beginning of the last periods with enough failures; None without any."""
    failed = {row["period"]: row["errors"] for row in use.rows if row["errors"]}
    since, seen = None, 0
    for period in reversed(use.periods):
        if seen >= SHOWN:
            break
        if period.label in failed:
            since, seen = period.start, seen + failed[period.label]
    return since
