"""Registering, changing, checking and deleting providers."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid, NameTaken
from modelmanager.lib.retry import retrying_transaction
from models_registry import gateways
from models_registry.addresses import problem_with, server_key
from models_registry.models import Provider
from models_registry.providers.errors import ProviderError
from models_registry.refusals import ProviderInUse, UrlTaken
from models_registry.validation import edit, refuse_invalid
from models_registry.vocabulary import ProviderKind
from models_registry.waking import wake

EDITABLE = [
    "base_url",
    "client_url",
    "metrics_url",
    "api_version",
    "api_key",
    "allow_private_network",
    "gpu_memory_mb",
    "max_loaded_models",
    "drain_s",
    "enabled",
]


@dataclass(frozen=True)
class Check:
    """What a live check of a provider found; `latency_ms` is the call's."""

    ok: bool
    latency_ms: float
    detail: str
    server_version: str


def create_provider(*, actor: str, **fields: Any) -> Provider:
    """Register a provider. Raises Invalid on any field; two Triton providers for one server are refused."""
    provider = Provider(**fields)
    _refuse_invalid(provider)
    try:
        retrying_transaction(provider.save)()
    except IntegrityError as error:
        raise Invalid.of("name", _("A provider of this name or URL was registered just now.")) from error
    provider.refresh_from_db()
    wake(provider.pk)
    return provider


@retrying_transaction
def update_provider(provider: Provider, changes: dict[str, Any], *, actor: str, edition: int | None = None) -> Provider:
    """Change editable fields. Raises Invalid, or EditConflict when `edition` is no longer the current one.

    An `api_key` equal to the hint that is shown instead of it is left as it is.
    """
    changes = {field: value for field, value in changes.items() if field in EDITABLE}
    if changes.get("api_key") and changes["api_key"] == provider.api_key_hint:
        del changes["api_key"]
    for field, value in changes.items():
        setattr(provider, field, value)
    _refuse_invalid(provider)
    try:
        edit(provider, {**changes, "server_key": provider.server_key}, edition=edition)
    except IntegrityError as error:
        raise UrlTaken(_("Another provider stands for this Triton server.")) from error
    wake(provider.pk)
    return provider


def _refuse_invalid(provider: Provider) -> None:
    provider.base_url = provider.base_url.strip().rstrip("/")
    provider.server_key = server_key(provider.base_url) if provider.base_url else ""
    extra = []
    for field in ("base_url", "client_url", "metrics_url"):
        url = getattr(provider, field)
        # client_url is told to clients and never called by us.
        allowed = provider.allow_private_network or field == "client_url"
        if url and (problem := problem_with(url, allow_private_network=allowed)):
            extra.append((field, "invalid_url", problem))
    if provider.kind == ProviderKind.TRITON and provider.max_loaded_models is None and provider.gpu_memory_mb is None:
        extra.append(
            ("max_loaded_models", "required", _("Declare the GPU's memory or how many models it holds at a time."))
        )
    if provider.kind and provider.kind != ProviderKind.TRITON:
        extra.append(("kind", "unsupported", _("Only Triton servers can be registered so far.")))
    refuse_invalid(provider, *extra)


@retrying_transaction
def delete_provider(provider: Provider, *, actor: str) -> None:
    """Soft-delete a provider. Raises ProviderInUse while living models are served by it."""
    at = now()
    # The provider's row first: a registration that comes second then finds it deleted.
    Provider.objects.filter(pk=provider.pk).update(deleted_at=at, enabled=False)
    names = list(provider.models(manager="objects").values_list("name", flat=True)[:20])
    if names:
        detail = _("Models are registered for it: %(names)s. Delete them first.") % {"names": ", ".join(names)}
        raise ProviderInUse(detail, models=names)


@retrying_transaction
def restore_provider(provider: Provider, *, actor: str) -> Provider:
    """Bring a deleted provider back, enabled. Raises NameTaken or UrlTaken."""
    if provider.deleted_at is None:
        return provider
    if Provider.objects.filter(name=provider.name).exists():
        raise NameTaken(_("Another provider is called %(name)s now.") % {"name": provider.name})
    same_server = Provider.objects.filter(kind=ProviderKind.TRITON, server_key=provider.server_key)
    if provider.is_triton and same_server.exists():
        raise UrlTaken(_("Another provider stands for this Triton server now."))
    try:
        Provider.all_objects.filter(pk=provider.pk).update(deleted_at=None, enabled=True, checked_at=None)
    except IntegrityError as error:
        raise NameTaken(_("Another provider took the name or server just now.")) from error
    provider.refresh_from_db()
    wake(provider.pk)
    return provider


def check_provider(provider: Provider) -> Check:
    """Ask a provider how it is, now; never billed. No answer is a result, not an error."""
    started = time.perf_counter()
    try:
        info = gateways.triton(provider).server_info()
    except ProviderError as error:
        return Check(False, _ms_since(started), str(error), "")
    return Check(True, _ms_since(started), _("%(name)s answers.") % {"name": info.name}, info.version)


def record_health(provider: Provider, *, error: str, at: datetime) -> None:
    """Note an answer, or a miss with its reason: the one write of a poll in which nothing changed."""
    failures = provider.consecutive_failures + 1 if error else 0
    values = {"checked_at": at, "health_error": error[:500], "consecutive_failures": failures}
    Provider.all_objects.filter(pk=provider.pk).update(**values)
    for field, value in values.items():
        setattr(provider, field, value)


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
