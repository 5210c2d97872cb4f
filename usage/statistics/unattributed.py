"""Calls of a model that its server counted and nobody reported."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min, Q, Sum

from usage.models import ServedHour, UsageHour
from usage.periods import hour_of
from usage.rules.served import unattributed
from usage.services.served import calls_seen

ALMOST_AN_HOUR = timedelta(hours=1) - timedelta(microseconds=1)


@dataclass(frozen=True)
class Unattributed:
    """Of the hours `[since, until)`: calls that the server counted, that were reported, and that nobody reported.

    The two are counted by different clocks, and a report may come later than its call: of the last minutes, and of
    short ranges, this is a hint. It is never negative: what a server refuses before it reaches the model it counts
    nowhere.
    """

    since: datetime
    until: datetime
    seen: int
    reported: int
    calls: int


def unattributed_calls(model_id: int, since: datetime, until: datetime) -> Unattributed | None:
    """What nobody reported in the whole hours of the range, from when its server's counters were read; else None."""
    first = ServedHour.objects.filter(model_id=model_id).aggregate(hour=Min("hour"))["hour"]
    if first is None:
        return None
    start, end = max(hour_of(since + ALMOST_AN_HOUR), first), hour_of(until)
    if start >= end:
        return None
    seen = calls_seen(start, end, models=[model_id])
    hours = UsageHour.objects.filter(model_id=model_id, hour__gte=start, hour__lt=end)
    reported = {model_id: hours.aggregate(total=Sum("calls"))["total"] or 0}
    beyond = unattributed(seen, reported)
    return Unattributed(start, end, seen.get(model_id, 0), reported[model_id], beyond.get(model_id, 0))


def reported_uncounted(since: datetime, until: datetime, *, models: Iterable[int]) -> dict[int, int]:
    """Calls that were reported of the hours of the range before anything was counted of their model, by model id.

    They say nothing about the calls that were counted later. Two statements at most, however many models.
    """
    hours = ServedHour.objects.filter(model_id__in=list(models)).values_list("model_id")
    late = {model_id: first for model_id, first in hours.annotate(first=Min("hour")) if first > since}
    if not late:
        return {}
    before = Q()
    for model_id, first in late.items():
        before |= Q(model_id=model_id, hour__gte=since, hour__lt=min(first, until))
    reported = UsageHour.objects.filter(before).order_by().values_list("model_id")
    return dict(reported.annotate(total=Sum("calls")).values_list("model_id", "total"))
