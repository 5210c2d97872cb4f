"""Asking providers what they have, now. Changes nothing; a disabled provider is not asked."""

import time
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from models_registry import gateways
from models_registry.models import Provider, RegisteredModel
from models_registry.providers.errors import ProviderError, ProviderRefused
from models_registry.providers.observation import RemoteModel, RemoteState


@dataclass(frozen=True)
class CatalogEntry:
    """One model that a provider offers; `registered_as` is our name for it, if it has one.

    `underlying` is the model behind a deployment, where the provider tells it.
    """

    remote_name: str
    state: str
    reason: str
    registered_as: str | None
    underlying: str = ""


@dataclass(frozen=True)
class Verification:
    """What a provider said of one model at `checked_at`."""

    ready: bool
    observed: str
    checked_at: datetime
    latency_ms: float
    detail: str


def catalog(provider: Provider) -> list[CatalogEntry]:
    """All models that the provider offers, by name. Raises ProviderUnreachable, also where it has no list."""
    entries = listed(provider)
    if entries is None:
        message = _("It answers, and has no list of its deployments for a caller with a key: register them by name.")
        raise gateways.unreachable(provider, ProviderRefused(message))
    return entries


def listed(provider: Provider) -> list[CatalogEntry] | None:
    """The same; None where the provider answers well and has no list that costs nothing."""
    gateways.refuse_disabled(provider)
    try:
        seen = _of_triton(provider) if provider.is_triton else _of_api(provider)
    except ProviderError as error:
        raise gateways.unreachable(provider, error) from error
    if seen is None:
        return None
    names = dict(RegisteredModel.objects.filter(provider=provider).values_list("remote_name", "name"))
    return [replace(entry, registered_as=names.get(entry.remote_name)) for entry in seen]


def _of_triton(provider: Provider) -> list[CatalogEntry]:
    seen = gateways.triton(provider).observe().models
    return [CatalogEntry(model.name, model.state.value, model.reason, None) for _name, model in sorted(seen.items())]


def _of_api(provider: Provider) -> list[CatalogEntry] | None:
    offers = gateways.api(provider).offers()
    if offers is None:
        return None
    states = {True: RemoteState.READY.value, False: RemoteState.UNLOADED.value}
    return [
        CatalogEntry(offer.remote_name, states[not offer.reason], offer.reason, None, offer.underlying)
        for offer in offers
    ]


def verify_remote(provider: Provider, remote_name: str, remote_version: str = "") -> tuple[CatalogEntry, bool]:
    """The state of a model before it is registered, and whether it is ready. Raises ProviderUnreachable."""
    gateways.refuse_disabled(provider)
    seen = gateways.look_up(provider, remote_name)
    known = RegisteredModel.objects.filter(provider=provider, remote_name=remote_name).first()
    entry = CatalogEntry(remote_name, seen.state.value, seen.reason, known.name if known else None)
    return entry, seen.state == RemoteState.READY and _is_ready(provider, seen, remote_version)


def verify_model(model: RegisteredModel) -> Verification:
    """Ask the provider about a registered model now; loads nothing. Raises ProviderUnreachable."""
    gateways.refuse_disabled(model.provider)
    started = time.perf_counter()
    seen = gateways.look_up(model.provider, model.remote_name)
    ready = _is_ready(model.provider, seen, model.remote_version)
    latency_ms = round((time.perf_counter() - started) * 1000, 3)
    observed = "unloaded" if seen.state == RemoteState.FAILED else seen.state.value
    return Verification(ready, observed, now(), latency_ms, seen.reason or _told(model.provider, ready))


def _told(provider: Provider, ready: bool) -> str:
    if provider.is_triton:
        return _("It answers requests.") if ready else _("It does not answer requests.")
    return _("The provider offers it.") if ready else _("The provider does not offer it.")


def _is_ready(provider: Provider, seen: RemoteModel, remote_version: str) -> bool:
    """Whether the model answers requests; of an API provider's nothing more is asked than whether it is offered."""
    if not provider.is_triton:
        return seen.state == RemoteState.READY
    try:
        return gateways.triton(provider).is_ready(seen.name, remote_version)
    except ProviderRefused:
        return False  # a name or version that no Triton can have
    except ProviderError as error:
        raise gateways.unreachable(provider, error) from error
