"""What all models and clients used together."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from modelmanager.console.usage.span import Stretch
from modelmanager.console.usage.tables import CLIENT, MODEL
from modelmanager.console.usage.unreported import unreported
from modelmanager.console.usage.use import Grouping, use

SEEN = ("models_registry.view_registeredmodel", "usage.view_client")
GROUPINGS = (
    Grouping("models", _("By model"), ("model",), (MODEL,)),
    Grouping("clients", _("By client"), ("client",), (CLIENT,)),
    Grouping("pairs", _("By model and client"), ("model", "client"), (MODEL, CLIENT)),
)


def may_see(request: HttpRequest) -> bool:
    """Whether somebody may see the use of all models by all clients."""
    return all(request.user.has_perm(permission) for permission in SEEN)


def usage_overview(request: HttpRequest) -> HttpResponse:
    """The month so far, or another stretch of time, by model and client; a file when the address asks for one."""
    if not may_see(request):
        raise PermissionDenied
    found = use(request, "usage", GROUPINGS, usual=Stretch.THIS_MONTH)
    if found.span is not None:
        reported = {row["model_id"]: row["calls"] for row in found.tables[0].rows}
        found.unreported = unreported(found.span, reported)
    if (file := found.file(request)) is not None:
        return file
    context: dict[str, Any] = {**admin.site.each_context(request), "title": _("Usage"), "use": found}
    return TemplateResponse(request, "console/usage/overview.html", context)
