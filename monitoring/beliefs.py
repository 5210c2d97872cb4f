"""From rows to the values that the rules read."""

from datetime import datetime
from statistics import median

from django.db.models import Max, Q

from models_registry.models import Provider, RegisteredModel
from models_registry.providers.observation import RESIDENT_STATES, Observation, RemoteState
from models_registry.vocabulary import Observed, Policy
from models_registry.wanting import window_of
from monitoring.models import Operation, OperationKind, Outcome
from monitoring.rules.plan import Candidate, Server
from usage.models import Lease

LOADS_REMEMBERED = 20


def models_of(provider: Provider) -> list[RegisteredModel]:
    """The living models of a provider, each with this very provider."""
    models = list(RegisteredModel.objects.filter(provider=provider).order_by("id"))
    for model in models:
        model.provider = provider
    return models


def server_of(provider: Provider, models: list[RegisteredModel], observation: Observation) -> Server:
    """Limits of a server, and what occupies it beside our models."""
    ours = {model.remote_name for model in models}
    busy = (RemoteState.LOADING, RemoteState.UNLOADING)
    seen = observation.models.values()
    return Server(
        max_loaded=provider.max_loaded_models,
        memory_mb=provider.gpu_memory_mb,
        foreign=tuple(sorted(m.name for m in seen if m.state in RESIDENT_STATES and m.name not in ours)),
        busy=tuple(sorted(m.name for m in seen if m.state in busy)),
    )


def candidates_of(models: list[RegisteredModel], at: datetime) -> list[Candidate]:
    """What planning needs of each model; leases and past loads are looked up only where somebody waits."""
    somebody_waits = any(model.wanted and model.observed != Observed.READY for model in models)
    leased_until = _leased_until(models) if somebody_waits else {}
    load_s = usual_load_s([m.pk for m in models if m.queued_at]) if somebody_waits else {}
    return [_candidate(m, at, leased_until=leased_until.get(m.pk), load_s=load_s.get(m.pk)) for m in models]


def _candidate(
    model: RegisteredModel, at: datetime, *, leased_until: datetime | None, load_s: float | None
) -> Candidate:
    asked_for = model.demand_until is not None and model.demand_until > at
    ready = model.observed == Observed.READY
    window = window_of(model) if model.activation_policy == Policy.SCHEDULED else None
    return Candidate(
        id=model.pk,
        name=model.name,
        wanted=model.wanted,
        observed=Observed(model.observed),
        error_code=model.error_code,
        open_leases=model.open_leases,
        leased_until=leased_until,
        drain_until=model.drain_until,
        size_mb=model.gpu_memory_mb,
        priority=model.priority,
        pinned=model.pinned,
        in_window=window is not None and window.contains(at),
        waiting_lease=asked_for and not ready,
        expected=asked_for and ready and _unused_since_ready(model),
        queued_at=model.queued_at,
        last_used_at=model.last_used_at,
        failures=model.failures,
        retry_at=model.retry_at,
        load_s=load_s,
    )


def _unused_since_ready(model: RegisteredModel) -> bool:
    """Whether whoever waited for the model has not had it yet."""
    if model.last_used_at is None or model.observed_at is None:
        return True
    return model.last_used_at < model.observed_at


def _leased_until(models: list[RegisteredModel]) -> dict[int, datetime]:
    leased = Lease.objects.filter(closed_at__isnull=True, model__in=[m.pk for m in models if m.open_leases])
    return dict(leased.values_list("model").annotate(until=Max("expires_at")).order_by())


def usual_load_s(model_ids: list[int]) -> dict[int, float]:
    """Median seconds of the last loads (at most 20 a model) that succeeded."""
    usual = {}
    for model_id in model_ids:
        loads = Operation.objects.filter(
            Q(posted_at__isnull=False), model_id=model_id, kind=OperationKind.LOAD, outcome=Outcome.SUCCEEDED
        ).values_list("posted_at", "finished_at")[:LOADS_REMEMBERED]
        times = [(finished - posted).total_seconds() for posted, finished in loads if posted and finished]
        if times:
            usual[model_id] = median(times)
    return usual
