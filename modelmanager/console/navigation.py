"""The sidebar: what is where, for those who may see it."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from modelmanager.console.usage.overview import may_see

# group, or None; then (label of the table, symbol)
PLACES: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "models",
        (
            ("models_registry.RegisteredModel", "deployed_code"),
            ("models_registry.Provider", "dns"),
            ("models_registry.Window", "schedule"),
        ),
    ),
    (
        "use",
        (
            ("usage.Client", "apps"),
            ("usage.ClientKey", "key"),
            ("usage.Lease", "bolt"),
            ("usage.Binding", "link"),
            ("usage.UsageRecord", "receipt_long"),
        ),
    ),
    (
        "record",
        (
            ("monitoring.Operation", "swap_vert"),
            ("models_registry.StatusEvent", "history"),
            ("models_registry.AuditEntry", "policy"),
            ("django_q.Failure", "report"),
        ),
    ),
    (
        "people",
        (
            ("auth.User", "person"),
            ("auth.Group", "group"),
            ("axes.AccessAttempt", "gpp_bad"),
            ("axes.AccessLog", "login"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links; a page that is not there or may not be seen is left out."""
    titles = {"models": _("Models"), "use": _("Use"), "record": _("Record"), "people": _("People")}
    overview = {"title": _("Overview"), "icon": "space_dashboard", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [overview]}]
    for key, places in PLACES:
        items = [item for label, icon in places if (item := _link(request, label, icon))]
        if key == "use" and may_see(request):
            items.insert(0, {"title": _("Usage"), "icon": "monitoring", "link": reverse("console-usage")})
        if items:
            groups.append({"title": titles[key], "separator": True, "items": items})
    return groups


def _link(request: HttpRequest, label: str, icon: str) -> dict[str, Any] | None:
    model = apps.get_model(label)
    registered = admin.site._registry.get(model)
    if registered is None or not registered.has_view_permission(request):
        return None
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    title = str(model._meta.verbose_name_plural)
    return {"title": title[:1].upper() + title[1:], "icon": icon, "link": reverse(name)}
