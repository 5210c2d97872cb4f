"""The history of a row: its entries in the audit trail, and what was pressed on its pages."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from modelmanager.console.actions import WithActions
from modelmanager.console.audit import action_badge, changes_of
from models_registry.auditing import kind_of
from models_registry.models import AuditEntry

SHOWN = 100


class WithHistory(WithActions):
    """A page over rows of which the audit trail tells."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Who changed the row and how, newest first: people here and clients over the API."""
        row = self.row_for(request, object_id, "view_or_change")
        context = {
            **self.admin_site.each_context(request),
            "title": _("History of %(row)s") % {"row": row},
            "opts": self.opts,
            "original": row,
            "entries": _entries(row),
            "presses": _presses(row),
        }
        return TemplateResponse(request, "console/history.html", context)


def _entries(row: Any) -> list[dict[str, Any]]:
    found = AuditEntry.objects.filter(kind=kind_of(row), name=str(row), object_id=row.pk)[:SHOWN]
    return [
        {
            "at": entry.at,
            "badge": action_badge(entry),
            "changes": changes_of(entry),
            "actor": entry.actor,
            "reason": entry.reason,
        }
        for entry in found
    ]


def _presses(row: Any) -> Any:
    rows = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk))
    return rows.select_related("user").order_by("-action_time")[:SHOWN]
