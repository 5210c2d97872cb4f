"""Calls that servers counted and nobody reported."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from modelmanager.console import amounts
from modelmanager.console.usage.span import Span
from modelmanager.console.usage.tables import MODEL, Column, Table
from models_registry.models import RegisteredModel
from usage.rules.served import unattributed
from usage.services.served import calls_seen
from usage.statistics.report import Row
from usage.statistics.unattributed import reported_uncounted

COLUMNS = (
    MODEL,
    Column(_("Counted by the server"), lambda row: row["seen"], lambda row: amounts.count(row["seen"])),
    Column(_("Reported"), lambda row: row["reported"], lambda row: amounts.count(row["reported"])),
    Column(_("Not reported"), lambda row: row["beyond"], lambda row: amounts.count(row["beyond"])),
)


def unreported(span: Span, reported: Mapping[int, int], *, models: Sequence[int] | None = None) -> Table:
    """Each model of which its server counted more calls than were `reported` (by model id), the most first.

    Of each from the hour on in which its server was found counting.
    """
    seen = calls_seen(span.since, span.until, models=models)
    uncounted = reported_uncounted(span.since, span.until, models=seen)
    comparable = {pk: reported.get(pk, 0) - uncounted.get(pk, 0) for pk in seen}
    beyond = unattributed(seen, comparable)
    rows: list[Row] = [
        {
            "model": model.name,
            "model_id": model.pk,
            "model_deleted": model.deleted_at is not None,
            "seen": seen[model.pk],
            "reported": comparable[model.pk],
            "beyond": beyond[model.pk],
        }
        for model in RegisteredModel.all_objects.filter(pk__in=beyond).only("name", "deleted_at")
    ]
    rows.sort(key=lambda row: row["beyond"], reverse=True)
    return Table("unreported", _("Calls that nobody reported"), COLUMNS, rows)
