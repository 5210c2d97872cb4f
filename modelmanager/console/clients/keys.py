"""Keys of clients: seen by their hint, revoked, never read."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.decorators import display

from modelmanager.console.actions import ObjectAction, Told
from modelmanager.console.actor import actor_of
from modelmanager.console.badges import NOTHING, clock_time, key_badge, moment, row_link
from modelmanager.console.base import ReadOnlyAdmin
from modelmanager.console.lists import by_row
from modelmanager.lib.clock import now
from usage.models import ClientKey
from usage.services.clients import revoke_key


class StateFilter(SimpleListFilter):
    """By whether keys work."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("valid", gettext_lazy("Valid")),
            ("expired", gettext_lazy("Expired")),
            ("revoked", pgettext_lazy("key", "Revoked")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        expired = Q(expires_at__lte=now())
        match self.value():
            case "valid":
                return queryset.filter(revoked_at__isnull=True).exclude(expired)
            case "expired":
                return queryset.filter(expired, revoked_at__isnull=True)
            case "revoked":
                return queryset.filter(revoked_at__isnull=False)
        return queryset


def _revoke(request: HttpRequest, key: ClientKey, data: dict[str, Any]) -> Told:
    revoke_key(key, actor=actor_of(request))
    told = {"hint": key.hint, "client": key.client.name}
    return Told(_("The key %(hint)s of %(client)s is revoked.") % told, logged=_("Revoked."))


REVOKE = ObjectAction(
    name="revoke",
    label=gettext_lazy("Revoke"),
    icon="block",
    permission="revoke",
    variant="danger",
    question=gettext_lazy("Whoever uses it is refused within five seconds. This cannot be undone."),
    run=_revoke,
    shown=lambda key: key.revoked_at is None,
)


@admin.register(ClientKey)
class ClientKeyAdmin(ReadOnlyAdmin):
    """All keys; they are issued on the page of their client."""

    list_display = (
        "hint",
        "shown_client",
        "shown_state",
        "shown_scopes",
        "shown_created",
        "shown_expires",
        "shown_use",
    )
    list_select_related = ("client",)
    list_filter = (StateFilter, by_row("client"))
    search_fields = ("hint", "client__name")
    sortable_by = ("hint",)
    list_per_page = 50
    object_actions = (REVOKE,)
    bulk_actions = (REVOKE,)
    change_form_outer_before_template = "console/top.html"
    empty_text = gettext_lazy("Keys are issued on the page of a client.")

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change clients."""
        return request.user.has_perm("usage.change_client")

    @display(description=gettext_lazy("Client"))
    def shown_client(self, key: ClientKey) -> SafeString:
        return row_link(key.client)

    @display(description=gettext_lazy("State"))
    def shown_state(self, key: ClientKey) -> SafeString:
        return key_badge(key)

    @display(description=gettext_lazy("Scopes"))
    def shown_scopes(self, key: ClientKey) -> str:
        return ", ".join(key.scopes)

    @display(description=gettext_lazy("Created"))
    def shown_created(self, key: ClientKey) -> Any:
        return clock_time(key.created_at)

    @display(description=gettext_lazy("Expires"))
    def shown_expires(self, key: ClientKey) -> Any:
        return clock_time(key.expires_at) if key.expires_at else _("never")

    @display(description=gettext_lazy("Last used"))
    def shown_use(self, key: ClientKey) -> Any:
        return moment(key.last_used_at) if key.last_used_at else NOTHING
