"""Pages that ask a provider: what it offers, what occupies its GPU, what a resync would do."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from modelmanager.console.pages import ObjectPage
from modelmanager.console.providers.importing import IMPORT, ImportForm
from models_registry.guessing import name_for
from models_registry.models import Provider, RegisteredModel
from models_registry.services.looking import CatalogEntry, catalog
from monitoring.residents import occupancy
from monitoring.sync import preview

ADD_MODEL = "admin:models_registry_registeredmodel_add"


def _is_live_triton(provider: Provider) -> bool:
    return provider.deleted_at is None and provider.is_triton


def _models(provider: Provider) -> dict[str, RegisteredModel]:
    return {model.name: model for model in RegisteredModel.objects.filter(provider=provider)}


def _catalog(request: HttpRequest, provider: Provider) -> dict[str, Any]:
    offered = catalog(provider)
    ours = _models(provider)
    listed = {entry.registered_as for entry in offered}
    may_add = request.user.has_perm("models_registry.add_registeredmodel")
    rows = [
        {
            "entry": entry,
            "model": ours.get(entry.registered_as or ""),
            "register_url": _register_url(provider, entry) if may_add and entry.registered_as is None else "",
        }
        for entry in offered
    ]
    can_import = any(row["register_url"] for row in rows)
    return {
        "rows": rows,
        "vanished": [model for name, model in ours.items() if name not in listed],
        "import_form": ImportForm(provider) if can_import else None,
        "import_url": reverse("admin:models_registry_provider_do", args=[provider.pk, IMPORT.name]),
    }


def _register_url(provider: Provider, entry: CatalogEntry) -> str:
    """The form for a new model with what is known of this one."""
    known = {"provider": provider.pk, "remote_name": entry.remote_name, "name": name_for(entry.remote_name)}
    return f"{reverse(ADD_MODEL)}?{urlencode(known)}"


def _gpu(request: HttpRequest, provider: Provider) -> dict[str, Any]:
    return {"now": occupancy(provider), "models": _models(provider)}


def _preview(request: HttpRequest, provider: Provider) -> dict[str, Any]:
    may_resync = provider.enabled and request.user.has_perm("models_registry.change_provider")
    return {"report": preview(provider), "done": False, "may_resync": may_resync}


GPU = ObjectPage(
    name="gpu",
    label=_("GPU now"),
    icon="memory",
    look=_gpu,
    template="console/provider/gpu.html",
    shown=_is_live_triton,
)
CATALOG = ObjectPage(
    name="catalog",
    label=_("Catalog"),
    icon="list_alt",
    look=_catalog,
    template="console/provider/catalog.html",
    shown=lambda provider: provider.deleted_at is None,
)
PREVIEW = ObjectPage(
    name="sync",
    label=_("Resync"),
    icon="sync",
    look=_preview,
    template="console/provider/sync.html",
    shown=_is_live_triton,
)
