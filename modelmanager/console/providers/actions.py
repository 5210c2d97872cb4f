"""What can be done with a provider."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from modelmanager.console.actions import ObjectAction, Shown, Told
from modelmanager.console.base import actor_of
from modelmanager.console.deleting import restore_action
from models_registry.models import Provider
from models_registry.services import providers
from models_registry.waking import wake
from monitoring import footprints
from monitoring.sync import resync_briefly


def _is_asked(provider: Provider) -> bool:
    """Whether we may talk to it."""
    return provider.deleted_at is None and provider.enabled and provider.is_triton


def _check(request: HttpRequest, provider: Provider, data: dict[str, Any]) -> Told:
    found = providers.check_provider(provider)
    wake(provider.pk)  # the next look writes down what this one saw
    values = {
        "name": provider.name,
        "detail": found.detail,
        "ms": f"{found.latency_ms:.1f}",
        "version": found.server_version,
    }
    if not found.ok:
        return Told(_("%(name)s gave no good answer within %(ms)s ms: %(detail)s") % values, level=messages.ERROR)
    if found.server_version:
        return Told(_("%(name)s: %(detail)s Version %(version)s, in %(ms)s ms.") % values)
    return Told(_("%(name)s: %(detail)s In %(ms)s ms.") % values)


def _resync(request: HttpRequest, provider: Provider, data: dict[str, Any]) -> Shown:
    report = resync_briefly(provider)
    return Shown(
        "console/provider/sync.html", {"report": report, "done": True, "may_resync": True}, logged=_("Resynchronised.")
    )


def _enable(request: HttpRequest, provider: Provider, data: dict[str, Any]) -> Told:
    providers.update_provider(provider, {"enabled": True}, actor=actor_of(request))
    return Told(_("%(name)s is enabled.") % {"name": provider.name}, logged=_("Enabled."))


def _disable(request: HttpRequest, provider: Provider, data: dict[str, Any]) -> Told:
    providers.update_provider(provider, {"enabled": False}, actor=actor_of(request))
    return Told(_("%(name)s is disabled.") % {"name": provider.name}, logged=_("Disabled."))


def _let_go(request: HttpRequest, provider: Provider, data: dict[str, Any]) -> Told:
    footprints.acknowledge(provider)
    return Told(_("%(name)s: loading goes on.") % {"name": provider.name}, logged=_("Let loading go on."))


LET_GO = ObjectAction(
    name="let-loading-go-on",
    label=gettext_lazy("Let loading go on"),
    icon="play_arrow",
    permission="change",
    variant="primary",
    run=_let_go,
    question=gettext_lazy(
        "The GPU still holds memory that an unload should have freed. A load that does not find enough of it fails."
    ),
    shown=lambda provider: provider.deleted_at is None and provider.memory_held_since is not None,
)
CHECK = ObjectAction(
    name="check-now",
    label=gettext_lazy("Check now"),
    icon="network_check",
    permission="change",
    run=_check,
    shown=lambda provider: provider.deleted_at is None,
)
RESYNC = ObjectAction(
    name="resync",
    label=gettext_lazy("Resync"),
    icon="sync",
    permission="change",
    variant="primary",
    own_page=True,
    run=_resync,
    shown=_is_asked,
)
ENABLE = ObjectAction(
    name="enable",
    label=gettext_lazy("Enable"),
    icon="toggle_on",
    permission="change",
    run=_enable,
    shown=lambda provider: provider.deleted_at is None and not provider.enabled,
)
DISABLE = ObjectAction(
    name="disable",
    label=gettext_lazy("Disable"),
    icon="toggle_off",
    permission="change",
    run=_disable,
    question=gettext_lazy(
        "No checks, no loads and unloads, and no new leases until it is enabled again. What runs there is left alone."
    ),
    shown=lambda provider: provider.deleted_at is None and provider.enabled,
)
RESTORE = restore_action(lambda request, row: providers.restore_provider(row, actor=actor_of(request)))
