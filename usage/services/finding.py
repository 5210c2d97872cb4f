"""Finding the calls of a kind among millions of others."""

from datetime import timedelta

from django.db.models import Q, QuerySet

from usage.models import UsageHour, UsageRecord

HOUR = timedelta(hours=1)


def records_of(calls: Q) -> "QuerySet[UsageRecord]":
    """The records of these calls, told by model, client and outcome; looked for only where the sums know of any.

    An index serves each of the three alone: of a client's millions of calls, those of a model that it left long ago,
    or never used, would be searched for among all.
    """
    rows = UsageRecord.objects.filter(calls)
    if len(calls) < 2:
        return rows
    hours = UsageHour.objects.filter(calls).values_list("hour", flat=True)
    first, last = hours.order_by("hour").first(), hours.order_by("-hour").first()
    if first is None or last is None:
        return rows.none()
    return rows.filter(occurred_at__gte=first, occurred_at__lt=last + HOUR)
