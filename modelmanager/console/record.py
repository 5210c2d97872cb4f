"""What happened: operations, status events and configuration versions. Only looked at."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from modelmanager.console.amounts import duration
from modelmanager.console.badges import NOTHING, badge, clock_time, outcome_badge, row_link, status_badge
from modelmanager.console.base import ReadOnlyAdmin
from modelmanager.console.lists import BoundedPaginator, between, by_row
from modelmanager.console.words import event_label, event_message
from models_registry.models import ConfigVersion, StatusEvent
from models_registry.own_words import retold
from monitoring.models import Operation, OperationKind

KIND_LOOK = {OperationKind.LOAD: "download", OperationKind.UNLOAD: "upload"}


def clipped(text: str) -> SafeString | str:
    """A long text in one line of a list, whole on hovering."""
    return format_html('<div class="mm-clip" title="{}">{}</div>', text, text) if text else NOTHING


class RecordAdmin(ReadOnlyAdmin):
    """A list that grows without end, newest first.

    What its rows refer to (`beside`) is read in statements of its own: joined to millions of rows, MariaDB begins
    with the smallest table and sorts everything for one page.
    """

    beside: tuple[str, ...] = ()

    paginator = BoundedPaginator
    list_per_page = 50
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related(*self.beside)


@admin.register(Operation)
class OperationAdmin(RecordAdmin):
    """Loads and unloads."""

    list_display = (
        "id",
        "shown_kind",
        "shown_model",
        "shown_provider",
        "shown_outcome",
        "shown_started",
        "shown_took",
        "requested_by",
        "shown_error",
    )
    beside = ("model", "provider")
    list_filter = (
        ("outcome", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        by_row("provider"),
        by_row("model"),
        between("started_at"),
    )
    search_fields = ("model__name", "requested_by")
    sortable_by = ("id",)
    fields = (
        "shown_kind",
        "shown_model",
        "shown_provider",
        "shown_outcome",
        "shown_whole_error",
        "requested_by",
        "shown_started",
        "shown_posted",
        "shown_finished",
        "shown_took",
        "shown_deadline",
    )
    readonly_fields = fields

    @display(description=_("Kind"))
    def shown_kind(self, operation: Operation) -> SafeString:
        return badge(operation.get_kind_display(), icon=KIND_LOOK[OperationKind(operation.kind)])

    @display(description=_("Model"))
    def shown_model(self, operation: Operation) -> SafeString:
        return row_link(operation.model)

    @display(description=_("Provider"))
    def shown_provider(self, operation: Operation) -> SafeString:
        return row_link(operation.provider)

    @display(description=_("Outcome"))
    def shown_outcome(self, operation: Operation) -> SafeString:
        return outcome_badge(operation.outcome)

    @display(description=_("Started"))
    def shown_started(self, operation: Operation) -> Any:
        return clock_time(operation.started_at)

    @display(description=_("Posted"))
    def shown_posted(self, operation: Operation) -> Any:
        return clock_time(operation.posted_at)

    @display(description=_("Finished"))
    def shown_finished(self, operation: Operation) -> Any:
        return clock_time(operation.finished_at)

    @display(description=_("Deadline"))
    def shown_deadline(self, operation: Operation) -> Any:
        return clock_time(operation.deadline_at)

    @display(description=_("Took"))
    def shown_took(self, operation: Operation) -> str:
        return duration(operation.posted_at or operation.started_at, operation.finished_at)

    @display(description=_("Error"))
    def shown_error(self, operation: Operation) -> SafeString | str:
        return clipped(retold(operation.error))

    @display(description=_("Error"))
    def shown_whole_error(self, operation: Operation) -> str:
        return retold(operation.error) or NOTHING


@admin.register(StatusEvent)
class StatusEventAdmin(RecordAdmin):
    """Every change of a model's status."""

    list_display = ("shown_at", "shown_model", "shown_from", "shown_to", "shown_what", "shown_message", "actor")
    beside = ("model",)
    list_filter = (("to_status", ChoicesDropdownFilter), by_row("model"), between("at"))
    search_fields = ("model__name", "code", "actor")
    sortable_by = ()
    fields = ("shown_at", "shown_model", "shown_from", "shown_to", "shown_what", "shown_whole_message", "actor")
    readonly_fields = fields

    @display(description=_("At"))
    def shown_at(self, event: StatusEvent) -> Any:
        return clock_time(event.at)

    @display(description=_("Model"))
    def shown_model(self, event: StatusEvent) -> SafeString:
        return row_link(event.model)

    @display(description=pgettext_lazy("status", "From"))
    def shown_from(self, event: StatusEvent) -> SafeString:
        return status_badge(event.from_status)

    @display(description=pgettext_lazy("status", "To"))
    def shown_to(self, event: StatusEvent) -> SafeString:
        return status_badge(event.to_status)

    @display(description=_("What"))
    def shown_what(self, event: StatusEvent) -> str:
        return event_label(event.code)

    @display(description=_("Message"))
    def shown_message(self, event: StatusEvent) -> SafeString | str:
        return clipped(event_message(event))

    @display(description=_("Message"))
    def shown_whole_message(self, event: StatusEvent) -> str:
        return event_message(event) or NOTHING


@admin.register(ConfigVersion)
class ConfigVersionAdmin(RecordAdmin):
    """What a model was set to, version by version."""

    list_display = ("shown_version", "shown_model", "comment", "created_by", "shown_created")
    beside = ("model",)
    list_filter = (by_row("model"), between("created_at"))
    search_fields = ("model__name", "comment")
    sortable_by = ()
    fields = ("shown_model", "number", "values", "comment", "created_by", "shown_created")
    readonly_fields = fields

    @display(description=_("Version"))
    def shown_version(self, version: ConfigVersion) -> int:
        return version.number

    @display(description=_("Model"))
    def shown_model(self, version: ConfigVersion) -> SafeString:
        return row_link(version.model)

    @display(description=_("Created"))
    def shown_created(self, version: ConfigVersion) -> Any:
        return clock_time(version.created_at)
