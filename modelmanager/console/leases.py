"""Leases: every use of a model. Closed by hand only in need."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from modelmanager.console.actions import ObjectAction, Told
from modelmanager.console.amounts import lease_took
from modelmanager.console.badges import NOTHING, clock_time, lease_badge, row_link
from modelmanager.console.exporting import Exported, WithExport
from modelmanager.console.lists import between, by_row
from modelmanager.console.record import RecordAdmin
from usage.models import Lease
from usage.services.leases import revoke_lease


class OpenFilter(SimpleListFilter):
    """Open or closed leases."""

    title = gettext_lazy("state")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", pgettext_lazy("lease", "Open")), ("no", pgettext_lazy("lease", "Closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("yes", "no"):
            return queryset.filter(closed_at__isnull=self.value() == "yes")
        return queryset


class KeyFilter(SimpleListFilter):
    """Leases with which a provider's key was handed out."""

    title = gettext_lazy("provider's key")
    parameter_name = "key"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", gettext_lazy("Handed out")), ("no", gettext_lazy("Not handed out"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "yes":
                return queryset.exclude(key_hint="")
            case "no":
                return queryset.filter(key_hint="")
        return queryset


def _close(request: HttpRequest, lease: Lease, data: dict[str, Any]) -> Told:
    told = {"id": lease.pk, "client": lease.client.name, "model": lease.model.name}
    if not revoke_lease(lease):
        return Told(_("Lease %(id)s was closed already.") % told)
    return Told(_("Lease %(id)s of %(client)s on %(model)s is closed.") % told, logged=_("Closed by hand."))


CLOSE = ObjectAction(
    name="close",
    label=gettext_lazy("End the lease"),
    icon="link_off",
    permission="close",
    variant="danger",
    question=gettext_lazy(
        "The client may be in the middle of a call. It learns of this at its next renewal; "
        "the model may be unloaded at once."
    ),
    run=_close,
    shown=lambda lease: lease.closed_at is None,
)


@admin.register(Lease)
class LeaseAdmin(WithExport, RecordAdmin):
    """Every use of a model."""

    list_display = (
        "id",
        "shown_model",
        "shown_client",
        "instance",
        "shown_state",
        "shown_granted",
        "shown_closed",
        "shown_took",
        "shown_config",
        "shown_key",
    )
    beside = ("model", "client", "config")
    list_filter = (
        OpenFilter,
        KeyFilter,
        ("close_reason", ChoicesDropdownFilter),
        by_row("model"),
        by_row("client"),
        between("granted_at"),
    )
    search_fields = ("model__name", "client__name", "instance")
    sortable_by = ("id",)
    list_fullwidth = True
    exported = (
        Exported("ID", "id"),
        Exported(gettext_lazy("Model"), "model.name"),
        Exported(gettext_lazy("Client"), "client.name"),
        Exported(gettext_lazy("Instance"), "instance"),
        Exported(gettext_lazy("Granted"), "granted_at"),
        Exported(gettext_lazy("Expires"), "expires_at"),
        Exported(pgettext_lazy("lease", "Closed"), "closed_at"),
        Exported(gettext_lazy("Ended"), "close_reason"),
        Exported(gettext_lazy("Configuration"), "config.number"),
    )
    fields = (
        "shown_model",
        "shown_client",
        "instance",
        "shown_state",
        "shown_config",
        "shown_granted",
        "shown_expires",
        "ttl_s",
        "shown_closed",
        "shown_took",
        "shown_verified",
        "verify_ms",
        "shown_key",
    )
    readonly_fields = fields
    object_actions = (CLOSE,)
    bulk_actions = (CLOSE,)
    change_form_outer_before_template = "console/top.html"
    empty_text = gettext_lazy("Clients lease models through the API.")

    def has_close_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change leases."""
        return request.user.has_perm("usage.change_lease")

    @display(description=gettext_lazy("Model"))
    def shown_model(self, lease: Lease) -> SafeString:
        return row_link(lease.model)

    @display(description=gettext_lazy("Client"))
    def shown_client(self, lease: Lease) -> SafeString:
        return row_link(lease.client)

    @display(description=gettext_lazy("Configuration"))
    def shown_config(self, lease: Lease) -> SafeString:
        return row_link(lease.config, lease.config.number)

    @display(description=gettext_lazy("State"))
    def shown_state(self, lease: Lease) -> SafeString:
        return lease_badge(lease)

    @display(description=gettext_lazy("Granted"))
    def shown_granted(self, lease: Lease) -> Any:
        return clock_time(lease.granted_at)

    @display(description=gettext_lazy("Expires"))
    def shown_expires(self, lease: Lease) -> Any:
        return clock_time(lease.expires_at)

    @display(description=pgettext_lazy("lease", "Closed"))
    def shown_closed(self, lease: Lease) -> Any:
        return clock_time(lease.closed_at)

    @display(description=gettext_lazy("Took"))
    def shown_took(self, lease: Lease) -> SafeString:
        return format_html('<span class="mm-nowrap">{}</span>', lease_took(lease))

    @display(description=gettext_lazy("Verified"))
    def shown_verified(self, lease: Lease) -> Any:
        return clock_time(lease.verified_at)

    @display(description=gettext_lazy("Key handed out"))
    def shown_key(self, lease: Lease) -> str:
        return lease.key_hint or NOTHING
