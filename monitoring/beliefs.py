"""From rows to the values that the rules read."""

from datetime import datetime

from django.conf import settings
from django.db.models import Max

from models_registry.models import Provider, RegisteredModel
from models_registry.providers.observation import RESIDENT_STATES, Observation, RemoteState
from models_registry.vocabulary import Observed
from models_registry.wanting import window_of
from monitoring.models import Operation
from monitoring.rules.reload import is_reloading
from monitoring.rules.room import PRESSURE_OVER_S, pressure
from monitoring.rules.values import Candidate, Server
from usage.models import Lease

PRESSING_OPERATIONS = PRESSURE_OVER_S  # one a second: more of them tell no more
SERVER_CONFIG_DEFERS = ("server_config__own", "server_config__effective", "server_config__differs")


def models_of(provider: Provider) -> list[RegisteredModel]:
    """The living models of a provider, each with this very provider."""
    rows = RegisteredModel.objects.select_related("window", "server_config").defer(*SERVER_CONFIG_DEFERS)
    models = list(rows.filter(provider=provider).order_by("id"))
    for model in models:
        model.provider = provider
    return models


def server_of(provider: Provider, models: list[RegisteredModel], observation: Observation, at: datetime) -> Server:
    """Limits of a server, and what occupies it beside our models; its past is looked up only where somebody waits."""
    ours = {model.remote_name for model in models}
    busy = (RemoteState.LOADING, RemoteState.UNLOADING)
    seen = observation.models.values()
    return Server(
        max_loaded=provider.max_loaded_models,
        memory_mb=provider.gpu_memory_mb,
        foreign=tuple(sorted(m.name for m in seen if m.state in RESIDENT_STATES and m.name not in ours)),
        memory_held=provider.memory_awaited_mb is not None,
        hand_over_after_s=settings.HAND_OVER_AFTER_S,
        busy=tuple(sorted(m.name for m in seen if m.state in busy)),
        pressure=_pressure(provider, at) if _somebody_waits(models) else 0.0,
    )


def _pressure(provider: Provider, at: datetime) -> float:
    latest = Operation.objects.filter(provider=provider)[:PRESSING_OPERATIONS]
    return pressure(latest.values_list("started_at", "finished_at"), at)


def _somebody_waits(models: list[RegisteredModel]) -> bool:
    return any(model.wanted and model.observed != Observed.READY for model in models)


def candidates_of(models: list[RegisteredModel], at: datetime, *, last: Operation | None = None) -> list[Candidate]:
    """What planning needs of each model; leases are looked up only where somebody waits.

    `last` is the newest operation of their server.
    """
    leased_until = _leased_until(models) if _somebody_waits(models) else {}
    returns = being_reloaded(last)
    return [_candidate(m, at, leased_until=leased_until.get(m.pk), reloading=m.pk == returns) for m in models]


def being_reloaded(last: Operation | None) -> int | None:
    """The model that the newest operation of a server left unloaded only to be loaded anew."""
    if last is None or not is_reloading(last.kind, last.outcome, replaces=last.replaces_id):
        return None
    return last.model_id


def _candidate(model: RegisteredModel, at: datetime, *, leased_until: datetime | None, reloading: bool) -> Candidate:
    asked_for = model.demand_until is not None and model.demand_until > at
    ready = model.observed == Observed.READY
    window = window_of(model, early=True)
    return Candidate(
        id=model.pk,
        name=model.name,
        wanted=model.wanted,
        observed=Observed(model.observed),
        error_code=model.error_code,
        open_leases=model.open_leases,
        leased_until=leased_until,
        drain_until=model.drain_until,
        size_mb=model.size_mb,
        priority=model.priority,
        pinned=model.pinned,
        in_window=window is not None and window.contains(at),
        waiting_lease=asked_for and not ready,
        expected=asked_for and ready and _unused_since_ready(model),
        queued_at=model.queued_at,
        last_used_at=model.last_used_at,
        failures=model.failures,
        retry_at=model.retry_at,
        load_s=model.usual_load_s,
        needs_reload=model.needs_reload,
        reloading=reloading,
    )


def _unused_since_ready(model: RegisteredModel) -> bool:
    """Whether whoever waited for the model has not had it yet."""
    if model.last_used_at is None or model.observed_at is None:
        return True
    return model.last_used_at < model.observed_at


def _leased_until(models: list[RegisteredModel]) -> dict[int, datetime]:
    leased = Lease.objects.filter(closed_at__isnull=True, model__in=[m.pk for m in models if m.open_leases])
    return dict(leased.values_list("model").annotate(until=Max("expires_at")).order_by())
