"""The audit trail: who changed what, when and why. Only looked at."""

import json
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter
from unfold.decorators import display

from modelmanager.console.badges import NOTHING, badge, clock_time, row_link
from modelmanager.console.lists import between
from modelmanager.console.record import RecordAdmin, clipped
from models_registry.models import AuditEntry
from models_registry.own_words import retold
from models_registry.vocabulary import AuditAction, AuditKind

TABLES = {
    AuditKind.PROVIDER: "models_registry.Provider",
    AuditKind.MODEL: "models_registry.RegisteredModel",
    AuditKind.WINDOW: "models_registry.Window",
    AuditKind.CLIENT: "usage.Client",
}
TONES = {
    AuditAction.CREATED: "success",
    AuditAction.CHANGED: "info",
    AuditAction.DELETED: "danger",
    AuditAction.RESTORED: "success",
    AuditAction.KEY_REVEALED: "warning",
    AuditAction.KEY_PROMOTED: "info",
    AuditAction.KEY_ISSUED: "success",
    AuditAction.KEY_REVOKED: "danger",
}
SECRETS = {
    "set": gettext_lazy("set"),
    "changed": gettext_lazy("changed"),
    "removed": gettext_lazy("removed"),
    "shown": gettext_lazy("shown"),
}


# Of a client's key, which has no entries of its own.
KEY_LABELS = {"key": gettext_lazy("key"), "scopes": gettext_lazy("scopes"), "expires_at": gettext_lazy("expires at")}


def changes_of(entry: AuditEntry) -> list[tuple[str, str]]:
    """(field, what changed) in words."""
    table: Any = apps.get_model(TABLES[AuditKind(entry.kind)])
    fields = {field.name: field for field in table._meta.concrete_fields}
    return [(_label(name, fields.get(name)), _told(change, fields.get(name))) for name, change in entry.changes.items()]


def _label(name: str, field: Any) -> str:
    return capfirst(str(getattr(field, "verbose_name", KEY_LABELS.get(name, name))))


def _told(change: dict[str, Any], field: Any) -> str:
    if "secret" in change:
        return str(SECRETS.get(change["secret"], change["secret"]))
    labels = dict(getattr(field, "flatchoices", ()))
    before, after = (_value(labels.get(value, value) if isinstance(value, str) else value) for value in _both(change))
    return f"{before} → {after}"


def _both(change: dict[str, Any]) -> tuple[Any, Any]:
    return change.get("from"), change.get("to")


def _value(value: Any) -> str:
    match value:
        case None | "":
            return NOTHING
        case bool():
            return _("yes") if value else _("no")
        case str() | Promise():
            return str(value)
        case _:
            return json.dumps(value, ensure_ascii=False)


def action_badge(entry: AuditEntry) -> SafeString:
    """What was done."""
    action = AuditAction(entry.action)
    return badge(action.label, TONES[action])


@admin.register(AuditEntry)
class AuditEntryAdmin(RecordAdmin):
    """Everything that people and clients did to providers, models, windows and clients."""

    list_display = ("shown_at", "shown_action", "kind", "shown_name", "shown_summary", "actor", "shown_reason")
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        ("action", ChoicesDropdownFilter),
        ("actor", FieldTextFilter),
        between("at"),
    )
    search_fields = ("name", "actor", "reason")
    sortable_by = ()
    fields = ("shown_at", "actor", "shown_action", "kind", "shown_object", "shown_changes", "shown_whole_reason")
    readonly_fields = fields

    @display(description=gettext_lazy("At"))
    def shown_at(self, entry: AuditEntry) -> Any:
        return clock_time(entry.at)

    @display(description=gettext_lazy("What"))
    def shown_action(self, entry: AuditEntry) -> SafeString:
        return action_badge(entry)

    @display(description=gettext_lazy("Name"))
    def shown_name(self, entry: AuditEntry) -> str:
        return entry.name

    @display(description=gettext_lazy("Changes"))
    def shown_summary(self, entry: AuditEntry) -> SafeString | str:
        return clipped("; ".join(f"{label}: {told}" for label, told in changes_of(entry)))

    @display(description=gettext_lazy("Reason"))
    def shown_reason(self, entry: AuditEntry) -> SafeString | str:
        return clipped(retold(entry.reason))

    @display(description=gettext_lazy("Reason"))
    def shown_whole_reason(self, entry: AuditEntry) -> str:
        return retold(entry.reason) or NOTHING

    @display(description=gettext_lazy("Name"))
    def shown_object(self, entry: AuditEntry) -> SafeString | str:
        """A link to the row, which may be called like another by now, but is the same."""
        table: Any = apps.get_model(TABLES[AuditKind(entry.kind)])
        row = table._base_manager.filter(pk=entry.object_id).first()
        return row_link(row, entry.name) if row else entry.name

    @display(description=gettext_lazy("Changes"))
    def shown_changes(self, entry: AuditEntry) -> SafeString | str:
        lines = format_html_join("", "<li><b>{}</b>: {}</li>", changes_of(entry))
        return format_html('<ul class="mm-list">{}</ul>', lines) if lines else NOTHING
