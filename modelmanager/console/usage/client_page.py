"""What a client used: which models, how much, what failed, what it cost."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from modelmanager.console.pages import ObjectPage
from modelmanager.console.usage.failures import failures
from modelmanager.console.usage.span import Stretch
from modelmanager.console.usage.tables import MODEL
from modelmanager.console.usage.use import Grouping, use
from usage.models import Client

SHOWN = 10
GROUPINGS = (Grouping("models", _("By model"), ("model",), (MODEL,)),)


def look(request: HttpRequest, client: Client) -> dict[str, Any] | HttpResponse:
    """The client's use in the chosen stretch of time; a file when the address asks for one."""
    found = use(request, client.name, GROUPINGS, usual=Stretch.MONTH, client_id=client.pk)
    if (file := found.file(request)) is not None:
        return file
    return {
        "use": found,
        "filter": f"client__id__exact={client.pk}",
        "leases": client.leases.filter(closed_at__isnull=True).select_related("model", "config")[:SHOWN],
        "bindings": client.bindings.select_related("model")[:SHOWN],
        "failures": failures(found, request, client=client),
    }


PAGE = ObjectPage(name="usage", label=_("Usage"), look=look, template="console/usage/client.html", icon="monitoring")
