"""How many models are in each status now, and how long each was in which within a range of time."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from modelmanager.lib.refusals import Invalid
from models_registry.models import RegisteredModel, StatusEvent
from models_registry.vocabulary import Status
from usage.models import Lease
from usage.rules.status_time import Busy, Change, Life, StatusTime, busy, status_time

LONGEST_RANGE = timedelta(days=366)


@dataclass(frozen=True)
class Range:
    """`[since, until)`, not in the future."""

    since: datetime
    until: datetime

    @classmethod
    def of(cls, since: datetime, until: datetime, *, at: datetime) -> "Range":
        """What of the range has passed at `at`. Raises Invalid where nothing has, or where it is over a year."""
        until = min(until, at)
        if since >= until:
            raise Invalid.of("from", _("Give a time that has passed, before the end of the range."))
        if until - since > LONGEST_RANGE:
            raise Invalid.of("from", _("Give a range of at most %(n)d days.") % {"n": LONGEST_RANGE.days})
        return cls(since, until)


def models_per_status() -> dict[Status, int]:
    """How many living models are in each status now."""
    rows = RegisteredModel.objects.order_by().values_list("status").annotate(n=Count("pk"))
    return dict.fromkeys(Status, 0) | {Status(status): n for status, n in rows}


def models_in(asked: Range, *, names: Sequence[str] = ()) -> "QuerySet[RegisteredModel]":
    """The models that lived in the range, deleted ones too, by name; each with its events next to the range."""
    events = StatusEvent.objects.filter(model=OuterRef("pk")).values("pk")
    rows: Any = RegisteredModel.all_objects.filter(created_at__lte=asked.until)
    rows = rows.filter(Q(deleted_at__isnull=True) | Q(deleted_at__gt=asked.since))
    rows = rows.filter(name__in=names) if names else rows
    found: QuerySet[RegisteredModel] = rows.order_by("name", "id").annotate(
        event_before=Subquery(events.filter(at__lt=asked.since).order_by("-at", "-id")[:1]),
        event_after=Subquery(events.filter(at__gte=asked.until).order_by("at", "id")[:1]),
    )
    return found


def status_times(models: Sequence[Any], asked: Range) -> dict[int, StatusTime]:
    """What the range held for each of these models of `models_in`, by id. At most three statements."""
    changes, leased = _changes(models, asked), _leased(models, asked)
    _use_up(changes, leased, asked.since)
    return {
        model.pk: status_time(_life(model, changes), leased.get(model.pk, []), asked.since, asked.until)
        for model in models
    }


def _life(model: RegisteredModel, changes: Mapping[int, Sequence[Change]]) -> Life:
    return Life(model.created_at, model.deleted_at, changes.get(model.pk, ()), Status(model.status))


def _changes(models: Sequence[Any], asked: Range) -> dict[int, list[Change]]:
    """By model, in the order of their ids, in which they were made: the clocks of two hosts may differ."""
    beside = {pk for model in models for pk in (model.event_before, model.event_after) if pk is not None}
    within = StatusEvent.objects.filter(model__in=[model.pk for model in models])
    within = within.filter(at__gte=asked.since, at__lt=asked.until)
    columns = ("pk", "model_id", "at", "from_status", "to_status", "code", "wanted")
    rows = StatusEvent.objects.filter(pk__in=beside).order_by().values_list(*columns)
    found: dict[int, list[Change]] = defaultdict(list)
    for _pk, model_id, at, before, after, code, wanted in sorted(rows.union(within.order_by().values_list(*columns))):
        earlier = found[model_id]
        moment = max(at, earlier[-1].at) if earlier else at
        earlier.append(Change(moment, Status(before), Status(after), code, wanted))
    return found


def _use_up(changes: Mapping[int, list[Change]], leased: Mapping[int, Sequence[Busy]], since: datetime) -> None:
    """What had recovered before the range, and was leased before it, too, had become active: that left no event."""
    recovered = {model_id: last for model_id, those in changes.items() if (last := _recovered(those, since))}
    used = {pk for pk, last in recovered.items() if any(last.at <= held.start < since for held in leased.get(pk, ()))}
    used |= _leased_and_closed({pk: last.at for pk, last in recovered.items() if pk not in used}, since)
    for pk in used:
        those = changes[pk]
        those[those.index(recovered[pk])] = replace(recovered[pk], after=Status.ACTIVE)


def _recovered(changes: Sequence[Change], since: datetime) -> Change | None:
    """The last change before `since`, if the model had recovered by it."""
    last = next((change for change in reversed(changes) if change.at < since), None)
    return last if last is not None and last.after == Status.RECOVERED else None


def _leased_and_closed(after: Mapping[int, datetime], since: datetime) -> set[int]:
    """Which of the models had a lease wholly between that time and `since`. One statement."""
    if not after:
        return set()
    found = Q()
    for pk, at in after.items():
        leases = Lease.objects.filter(model=pk, closed_at__gte=at, closed_at__lte=since, granted_at__gte=at)
        found |= Q(Exists(leases), pk=pk)
    return set(RegisteredModel.all_objects.filter(found).values_list("pk", flat=True))


def _leased(models: Sequence[Any], asked: Range) -> dict[int, list[Busy]]:
    """By model, when it was leased; a lease that is open lasts."""
    rows = Lease.objects.filter(model__in=[model.pk for model in models], granted_at__lt=asked.until)
    rows = rows.filter(Q(closed_at__isnull=True) | Q(closed_at__gt=asked.since)).order_by("model_id", "granted_at")
    of_models = groupby(rows.values_list("model_id", "granted_at", "closed_at").iterator(), key=lambda row: row[0])
    return {model_id: busy(_spans(leases, asked.until)) for model_id, leases in of_models}


def _spans(leases: Iterator[Any], until: datetime) -> Iterator[tuple[datetime, datetime]]:
    return ((granted_at, closed_at or until) for _model_id, granted_at, closed_at in leases)
