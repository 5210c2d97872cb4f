"""The list of clients and the page of one."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from modelmanager.console.actor import actor_of
from modelmanager.console.badges import moment
from modelmanager.console.clients.issuing import ISSUE_KEY
from modelmanager.console.deleting import DeletedFilter, SoftDeletedAdmin, restore_action
from modelmanager.console.editing import ServiceForm
from modelmanager.console.usage.client_page import PAGE as USAGE
from modelmanager.lib.clock import now
from usage.models import Binding, Client, ClientKey, Lease
from usage.services import clients

SHOWN = 50


class ClientForm(ServiceForm):
    """What people say about a client."""

    class Meta:
        model = Client
        fields = ["name", "description"]
        widgets = {"description": UnfoldAdminTextareaWidget({"rows": 3})}

    def create(self, values: dict[str, Any]) -> Client:
        return clients.create_client(values["name"], actor=self.actor, description=values["description"])

    def update(self, row: Client, changes: dict[str, Any], edition: int | None) -> Client:
        return clients.update_client(row, changes, actor=self.actor, edition=edition)


def _count(rows: QuerySet[Any]) -> Coalesce:
    """How many of these rows a client has; a join each would multiply them."""
    counted = rows.filter(client=OuterRef("pk")).order_by().values("client").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _valid_keys() -> QuerySet[ClientKey]:
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now())
    return ClientKey.objects.filter(alive, revoked_at__isnull=True)


@admin.register(Client)
class ClientAdmin(SoftDeletedAdmin):
    """Downstream systems: their keys, what they use now, what they are set up to use."""

    form = ClientForm
    list_display = ("name", "description", "shown_keys", "shown_leases", "shown_bindings", "shown_use")
    list_filter = (DeletedFilter,)
    search_fields = ("name", "description")
    fields = ("name", "description")
    object_pages = (USAGE,)
    object_actions = (
        ISSUE_KEY,
        restore_action(lambda request, row: clients.restore_client(row, actor=actor_of(request))),
    )
    change_form_outer_before_template = "console/top.html"
    change_form_outer_after_template = "console/client/records.html"
    empty_title = _("No clients yet")
    empty_text = _("A client is a system that uses models: register it, then issue a key for it.")

    # -- the list

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        last_use = ClientKey.objects.filter(client=OuterRef("pk")).order_by().values("client")
        return (
            super()
            .get_queryset(request)
            .annotate(
                key_count=_count(_valid_keys()),
                lease_count=_count(Lease.objects.filter(closed_at__isnull=True)),
                binding_count=_count(Binding.objects.all()),
                used_at=Subquery(last_use.annotate(at=Max("last_used_at")).values("at")),
            )
        )

    @display(description=_("Valid keys"), ordering="key_count")
    def shown_keys(self, client: Any) -> int:
        return int(client.key_count)

    @display(description=_("Open leases"), ordering="lease_count")
    def shown_leases(self, client: Any) -> int:
        return int(client.lease_count)

    @display(description=_("Bindings"), ordering="binding_count")
    def shown_bindings(self, client: Any) -> int:
        return int(client.binding_count)

    @display(description=_("Last call"), ordering="used_at")
    def shown_use(self, client: Any) -> SafeString | str:
        return moment(client.used_at)

    # -- the page

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name",) if obj else ()

    def beside_form(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        client = self.get_object(request, object_id) if object_id else None
        records = _records(request, client) if client else None
        return {**super().beside_form(request, object_id), "records": records}

    # -- deleting

    def consequences(self, row: Any) -> Sequence[str]:
        keys, bindings = _valid_keys().filter(client=row).count(), row.bindings.count()
        leases = row.leases.filter(closed_at__isnull=True).count()
        told = [
            (keys, ngettext("%(n)d key is revoked.", "%(n)d keys are revoked.", keys)),
            (bindings, ngettext("%(n)d binding is removed.", "%(n)d bindings are removed.", bindings)),
            (leases, ngettext("%(n)d open lease runs out.", "%(n)d open leases run out.", leases)),
        ]
        return [text % {"n": n} for n, text in told if n]

    def delete_row(self, request: HttpRequest, row: Any) -> None:
        clients.delete_client(row, actor=actor_of(request))


def _records(request: HttpRequest, client: Client) -> dict[str, Any]:
    """Keys, open leases and bindings, newest first, with what this person may do about them."""
    may = request.user.has_perm
    return {
        "keys": client.keys.all()[:SHOWN],
        "leases": client.leases.filter(closed_at__isnull=True).select_related("model")[:SHOWN],
        "bindings": client.bindings.select_related("model")[:SHOWN],
        "may_revoke": may("usage.change_client"),
        "may_close": may("usage.change_lease"),
        "may_bind": may("usage.add_binding") and client.deleted_at is None,
        "may_unbind": may("usage.delete_binding"),
    }
