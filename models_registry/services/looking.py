"""Asking providers what they have, now. Changes nothing."""

import time
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from models_registry import gateways
from models_registry.models import Provider, RegisteredModel
from models_registry.providers.errors import ProviderError, ProviderRefused
from models_registry.providers.observation import RemoteState


@dataclass(frozen=True)
class CatalogEntry:
    """One model that a provider offers; `registered_as` is our name for it, if it has one."""

    remote_name: str
    state: str
    reason: str
    registered_as: str | None


@dataclass(frozen=True)
class Verification:
    """What a provider said of one model at `checked_at`."""

    ready: bool
    observed: str
    checked_at: datetime
    latency_ms: float
    detail: str


def catalog(provider: Provider) -> list[CatalogEntry]:
    """All models that the server lists, by name. Raises ProviderUnreachable."""
    try:
        seen = gateways.triton(provider).observe().models
    except ProviderError as error:
        raise gateways.unreachable(provider, error) from error
    names = dict(RegisteredModel.objects.filter(provider=provider).values_list("remote_name", "name"))
    return [CatalogEntry(m.name, m.state.value, m.reason, names.get(m.name)) for _name, m in sorted(seen.items())]


def verify_remote(provider: Provider, remote_name: str, remote_version: str = "") -> tuple[CatalogEntry, bool]:
    """The state of a model before it is registered, and whether it is ready. Raises ProviderUnreachable."""
    seen = gateways.look_up(provider, remote_name)
    known = RegisteredModel.objects.filter(provider=provider, remote_name=remote_name).first()
    entry = CatalogEntry(remote_name, seen.state.value, seen.reason, known.name if known else None)
    return entry, seen.state == RemoteState.READY and _is_ready(provider, remote_name, remote_version)


def verify_model(model: RegisteredModel) -> Verification:
    """Ask the provider about a registered model now; loads nothing. Raises ProviderUnreachable."""
    started = time.perf_counter()
    seen = gateways.look_up(model.provider, model.remote_name)
    ready = _is_ready(model.provider, model.remote_name, model.remote_version)
    latency_ms = round((time.perf_counter() - started) * 1000, 3)
    observed = "unloaded" if seen.state == RemoteState.FAILED else seen.state.value
    detail = seen.reason or (_("It answers requests.") if ready else _("It does not answer requests."))
    return Verification(ready, observed, now(), latency_ms, detail)


def _is_ready(provider: Provider, remote_name: str, remote_version: str) -> bool:
    try:
        return gateways.triton(provider).is_ready(remote_name, remote_version)
    except ProviderRefused:
        return False  # a name or version that no Triton can have
    except ProviderError as error:
        raise gateways.unreachable(provider, error) from error
