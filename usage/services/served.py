"""Keeping what servers count of their models' calls, by hour."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, Sum

from modelmanager.lib.retry import retrying_transaction
from usage.models import ServedCount, ServedHour
from usage.rules.served import Count, hour_of, since


@retrying_transaction
def note_reading(
    model_id: int, now: Count, *, before: ServedCount, loaded_anew: bool, last_at: datetime | None, at: datetime
) -> None:
    """Add what was answered since the reading `before` to its hour; nothing when another hand was first.

    Nothing is written where nothing changed.
    """
    known = Count(before.succeeded, before.failed)
    new = since(known, now, loaded_anew=loaded_anew)
    if now == known and not new.calls:
        return
    if not _replace(before, now, at):
        return
    if new.calls:
        _add(model_id, hour_of(last_at, after=before.read_at, at=at), new)


def first_reading(model_id: int, now: Count, *, at: datetime) -> ServedCount:
    """The row to compare with from now on; what was answered before the first reading is nobody's concern."""
    values = {"succeeded": now.succeeded, "failed": now.failed, "read_at": at}
    return ServedCount.objects.get_or_create(model_id=model_id, defaults=values)[0]


def calls_seen(start: datetime, end: datetime, *, models: Iterable[int] | None = None) -> dict[int, int]:
    """Calls that servers counted in the hours of `[start, end)`, by model id; models without any are left out."""
    rows = ServedHour.objects.filter(hour__gte=start, hour__lt=end)
    rows = rows if models is None else rows.filter(model_id__in=list(models))
    return dict(rows.values_list("model_id").annotate(total=Sum("calls")).values_list("model_id", "total"))


def _replace(before: ServedCount, now: Count, at: datetime) -> bool:
    """Compare-and-set: several processes may have read the same."""
    row = ServedCount.objects.filter(
        pk=before.pk, succeeded=before.succeeded, failed=before.failed, read_at=before.read_at
    )
    return bool(row.update(succeeded=now.succeeded, failed=now.failed, read_at=at))


def _add(model_id: int, hour: datetime, new: Count) -> None:
    """The row of the count is held: nobody else writes this model's hours meanwhile."""
    row = ServedHour.objects.filter(model_id=model_id, hour=hour)
    if not row.update(calls=F("calls") + new.calls, failed=F("failed") + new.failed):
        ServedHour.objects.create(model_id=model_id, hour=hour, calls=new.calls, failed=new.failed)
