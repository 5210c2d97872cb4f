"""Answering a question about use: which sums tell it, and by which names."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from modelmanager.lib.refusals import Invalid, Refusal
from models_registry.models import ConfigVersion, RegisteredModel
from usage.histogram import percentiles_ms
from usage.models import Client, Ledger
from usage.rules.periods import Period
from usage.rules.pieces import Days, Piece, Pieces, pieces
from usage.statistics.question import Question
from usage.statistics.totals import (
    Key,
    Narrowed,
    Totals,
    refuse_more,
    totals_of_days,
    totals_of_hours,
    totals_of_records,
)

MOST_OF_RECORDS = timedelta(days=10)  # so much may be read record by record
TRIES = 3

Row = dict[str, Any]


class SumsChanging(Refusal):
    """What is asked changes faster than it can be read."""

    code = "sums_changing"
    status = 503


def report(question: Question) -> list[Row]:
    """One row for each period and group in which something was called, in their order.

    A row has `period`, then per group its name (models and clients also `…_id` and `…_deleted`, since a name may be
    given again; a configuration its number), then the sums. At most ten statements, whatever is asked. Raises
    Invalid when the range cannot be told exactly, or would have more than 50,000 rows.
    """
    periods = question.periods()
    rows = _narrowed(question)
    if any(found is not None and not found for found in (rows.models, rows.clients)):
        return []
    totals = _read(periods, question.groups, rows)
    refuse_more(len(totals))
    return _rows(totals, periods, question.groups)


def _read(periods: Sequence[Period], groups: Sequence[str], rows: Narrowed) -> dict[Key, Totals]:
    """The totals of the periods; read again where other days are kept meanwhile. Raises Invalid where records went."""
    wanted = _pieces(periods, _ledger())
    for _try in range(TRIES):
        found = _summed(wanted, groups, rows)
        before, wanted = wanted, _pieces(periods, _ledger())
        if wanted == before:
            return found
    raise SumsChanging(_("The sums of usage are being made anew just now: try again."), retry_after_s=30)


def _ledger() -> Ledger | None:
    return Ledger.objects.filter(pk=Ledger.ONLY).first()


def _pieces(periods: Sequence[Period], ledger: Ledger | None) -> Pieces:
    """What to read. Raises Invalid when it takes records that are gone, or too many of them."""
    found = pieces(periods, None if ledger is None else Days(ledger.zone, ledger.days_since))
    if ledger is not None and ledger.pruned_until is not None:
        for piece in found.records:
            _refuse_pruned(piece, periods, ledger.pruned_until)
    if sum((piece.end - piece.start for piece in found.records), timedelta()) > MOST_OF_RECORDS:
        detail = _("Hours of this time zone do not begin on whole hours: choose a shorter range or a longer interval.")
        raise Invalid.of("tz", detail)
    return found


def _refuse_pruned(piece: Piece, periods: Sequence[Period], kept_since: datetime) -> None:
    if piece.start >= kept_since:
        return
    time = timezone.localtime(kept_since).isoformat(timespec="seconds")
    if piece.start == periods[0].start:
        field, detail = "from", _("Of the time before %(time)s only whole hours are known: begin on one.")
    elif piece.end == periods[-1].end:
        field, detail = "to", _("Of the time before %(time)s only whole hours are known: end on one.")
    else:
        field, detail = "tz", _("Of the time before %(time)s only whole hours are known, and this zone divides them.")
    raise Invalid.of(field, detail % {"time": time})


def _narrowed(question: Question) -> Narrowed:
    """The filters by ids. Deleted models and clients are found by their names, too."""
    models = _ids(RegisteredModel, question.models, question.model_id)
    clients = _ids(Client, question.clients, question.client_id)
    return Narrowed(models, clients, question.configs or None, question.outcomes or None)


def _ids(table: Any, names: Sequence[str], row_id: int | None) -> list[int] | None:
    if row_id is not None:
        return [row_id]
    return list(table.all_objects.filter(name__in=names).values_list("pk", flat=True)) if names else None


def _summed(wanted: Pieces, groups: Sequence[str], rows: Narrowed) -> dict[Key, Totals]:
    found: dict[Key, Totals] = {}
    for read, of in (
        (totals_of_days, wanted.days),
        (totals_of_hours, wanted.hours),
        (totals_of_records, wanted.records),
    ):
        for key, totals in read(of, groups, rows) if of else ():
            if key in found:
                found[key].add(totals)
            else:
                found[key] = totals
    return found


def _rows(totals: dict[Key, Totals], periods: Sequence[Period], groups: Sequence[str]) -> list[Row]:
    tell = [_teller(group, {key[place] for key in totals}) for place, group in enumerate(groups, start=1)]
    named = [
        (key[0], [named[value] for named, value in zip(tell, key[1:], strict=True)], found)
        for key, found in totals.items()
    ]
    named.sort(key=lambda row: (row[0], [tuple(group.values()) for group in row[1]]))
    return [_row(periods[period].label, group, found) for period, group, found in named]


def _teller(group: str, ids: Iterable[Any]) -> dict[Any, Row]:
    """What a row says of each of these: names first, by which rows are ordered."""
    match group:
        case "model":
            return _names(group, RegisteredModel, ids)
        case "client":
            return _names(group, Client, ids)
        case "config":
            numbers = ConfigVersion.objects.filter(pk__in=list(ids)).values_list("pk", "number")
            return {pk: {"config": number} for pk, number in numbers}
        case _:
            return {value: {group: value} for value in ids}


def _names(group: str, table: Any, ids: Iterable[int]) -> dict[Any, Row]:
    known = table.all_objects.filter(pk__in=list(ids)).values_list("pk", "name", "deleted_at")
    return {
        pk: {group: name, f"{group}_id": pk, f"{group}_deleted": deleted_at is not None}
        for pk, name, deleted_at in known
    }


def _row(label: str | None, groups: Sequence[Row], totals: Totals) -> Row:
    row: Row = {"period": label}
    for group in groups:
        row |= group
    return row | dict(_told(totals))


def _told(totals: Totals) -> Iterator[tuple[str, Any]]:
    yield "calls", totals.calls
    yield "errors", totals.errors
    yield "input_tokens", totals.input_tokens
    yield "output_tokens", totals.output_tokens
    yield "cost", totals.cost
    p50, p95, p99 = percentiles_ms(totals.buckets, (0.5, 0.95, 0.99), largest_us=totals.latency_max_us)
    mean = totals.latency_sum_us / totals.calls / 1000
    yield "latency_ms", {"mean": _rounded(mean), "p50": _rounded(p50), "p95": _rounded(p95), "p99": _rounded(p99)}


def _rounded(ms: float | None) -> float | None:
    """To a microsecond, in which latencies are kept."""
    return None if ms is None else round(ms, 3)
