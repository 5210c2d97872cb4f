"""A model's history of use: how much, by whom, how fast, for how much; its leases, failures and prices."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from modelmanager.console.pages import ObjectPage
from modelmanager.console.usage.availability import availability
from modelmanager.console.usage.failures import failures
from modelmanager.console.usage.span import Stretch
from modelmanager.console.usage.tables import CLIENT, CONFIG
from modelmanager.console.usage.unreported import unreported
from modelmanager.console.usage.use import Grouping, use
from models_registry.models import ModelPrice, RegisteredModel
from usage.models import Lease

SHOWN = 10
GROUPINGS = (
    Grouping("clients", _("By client"), ("client",), (CLIENT,)),
    Grouping("configs", _("By configuration version"), ("config",), (CONFIG,)),
)


def look(request: HttpRequest, model: RegisteredModel) -> dict[str, Any] | HttpResponse:
    """The model's use in the chosen stretch of time; a file when the address asks for one."""
    found = use(request, model.name, GROUPINGS, usual=Stretch.MONTH, model_id=model.pk)
    if found.span is not None:
        reported = found.total["calls"] if found.total else 0
        found.unreported = unreported(found.span, {model.pk: reported}, models=[model.pk])
    if (file := found.file(request)) is not None:
        return file
    return {
        "use": found,
        "availability": availability(model, found.span, found.at) if found.span else None,
        "filter": f"model__id__exact={model.pk}",
        "leases": Lease.objects.filter(model=model).prefetch_related("client", "config").order_by("-id")[:SHOWN],
        "failures": failures(found, request, model=model),
        "prices": ModelPrice.objects.filter(model=model).order_by("-since", "-id")[:SHOWN],
    }


PAGE = ObjectPage(name="usage", label=_("Usage"), look=look, template="console/usage/model.html", icon="monitoring")
