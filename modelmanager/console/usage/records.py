"""Usage records: every call that a client reported. Only looked at: they are what statistics and costs rest on."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import MultipleChoicesDropdownFilter
from unfold.decorators import display

from modelmanager.console import amounts
from modelmanager.console.badges import NOTHING, call_badge, clock_time, row_link
from modelmanager.console.exporting import Exported, WithExport
from modelmanager.console.lists import ShortPaginator, between, by_row
from modelmanager.console.record import RecordAdmin, clipped
from usage.models import Client, UsageRecord


@admin.register(UsageRecord)
class UsageRecordAdmin(WithExport, RecordAdmin):
    """Calls, newest first."""

    paginator = ShortPaginator
    ordering = ("-occurred_at",)
    list_display = (
        "shown_occurred",
        "shown_model",
        "shown_client",
        "shown_outcome",
        "shown_latency",
        "shown_input",
        "shown_output",
        "shown_cost",
        "shown_config",
        "shown_event",
    )
    beside = ("model", "client", "config")
    list_filter = (
        by_row("model"),
        by_row("client"),
        ("outcome", MultipleChoicesDropdownFilter),
        between("occurred_at"),
    )
    search_fields = ("event_id",)
    search_help_text = _("Search by the whole event id")
    sortable_by = ()
    list_fullwidth = True
    exported = (
        Exported(_("Occurred at"), "occurred_at"),
        Exported(_("Model"), "model.name"),
        Exported(_("Client"), "client.name"),
        Exported(_("Outcome"), "outcome"),
        Exported(_("Error code"), "error_code"),
        Exported(_("Latency (ms)"), "latency_us", lambda latency_us: latency_us / 1000),
        Exported(_("Tokens in"), "input_tokens"),
        Exported(_("Tokens out"), "output_tokens"),
        Exported(_("Cost"), "cost", amounts.money),
        Exported(_("Configuration"), "config.number"),
        Exported(_("Lease"), "lease_id"),
        Exported(_("Event id"), "event_id"),
    )
    fields = (
        "event_id",
        "shown_model",
        "shown_client",
        "shown_outcome",
        "shown_code",
        "shown_latency",
        "shown_input",
        "shown_output",
        "shown_cost",
        "shown_config",
        "shown_lease",
        "shown_occurred",
        "shown_received",
    )
    readonly_fields = fields
    empty_title = _("No calls reported yet")
    empty_text = _(
        "Clients report their calls with a lease's release or to /api/v1/usage/records/; "
        "the Python client does so by itself."
    )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """By the event id as its client gave it: the index over client and event id finds it in any number of rows."""
        if not search_term:
            return queryset, False
        clients = list(Client.all_objects.values_list("pk", flat=True))
        return queryset.filter(client__in=clients, event_id=search_term), False

    @display(description=_("Occurred at"))
    def shown_occurred(self, record: UsageRecord) -> Any:
        return clock_time(record.occurred_at)

    @display(description=_("Event id"))
    def shown_event(self, record: UsageRecord) -> SafeString:
        return format_html('<div class="mm-clip-short">{}</div>', clipped(record.event_id))

    @display(description=_("Received at"))
    def shown_received(self, record: UsageRecord) -> Any:
        return clock_time(record.received_at)

    @display(description=_("Model"))
    def shown_model(self, record: UsageRecord) -> SafeString:
        return row_link(record.model)

    @display(description=_("Client"))
    def shown_client(self, record: UsageRecord) -> SafeString:
        return row_link(record.client)

    @display(description=_("Outcome"))
    def shown_outcome(self, record: UsageRecord) -> SafeString:
        return call_badge(record.outcome, record.error_code)

    @display(description=_("Error code"))
    def shown_code(self, record: UsageRecord) -> str:
        return record.error_code or NOTHING

    @display(description=_("Latency"))
    def shown_latency(self, record: UsageRecord) -> SafeString:
        return format_html('<span class="mm-nowrap">{}</span>', amounts.latency(record.latency_us / 1000))

    @display(description=_("Tokens in"))
    def shown_input(self, record: UsageRecord) -> str:
        return amounts.count(record.input_tokens)

    @display(description=_("Tokens out"))
    def shown_output(self, record: UsageRecord) -> str:
        return amounts.count(record.output_tokens)

    @display(description=_("Cost"))
    def shown_cost(self, record: UsageRecord) -> str:
        return amounts.cost(record.cost)

    @display(description=_("Configuration"))
    def shown_config(self, record: UsageRecord) -> SafeString:
        return row_link(record.config, record.config.number)

    @display(description=_("Lease"))
    def shown_lease(self, record: UsageRecord) -> SafeString | str:
        return row_link(record.lease) if record.lease is not None else NOTHING
