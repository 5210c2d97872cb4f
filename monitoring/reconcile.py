"""Bringing what is observed of one Triton server to what is wanted of it.

Read, ask, judge, plan, act: the same from the timer, the two-minute poll, a request and `sync_triton`.
Several processes may do it at once: every write is a compare-and-set, every post is won by one.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q

from modelmanager.lib.clock import now
from modelmanager.lib.retry import retrying_transaction
from models_registry import gateways
from models_registry.facts import change_facts
from models_registry.judge import Belief, judge, judge_silence
from models_registry.models import Provider, RegisteredModel
from models_registry.providers.errors import ProviderError
from models_registry.providers.gateway import TritonGateway
from models_registry.providers.observation import Observation, RemoteModel, RemoteState
from models_registry.services.providers import record_health
from models_registry.vocabulary import ErrorCode, Observed, Policy
from models_registry.wanting import evaluate
from monitoring import operations, waits
from monitoring.beliefs import candidates_of, models_of, server_of
from monitoring.models import Operation
from monitoring.rules.plan import Load, Nothing, Plan, Unload, plan
from usage.services.leases import revoke

SYSTEM = "system"
LOOK_AGAIN_S = (5, 10)
LOOK_TAKES_S = 5
HEALTH_WRITTEN_EVERY_S = 60


@dataclass
class Round:
    """What one look at a server found and did; `next_at` is when to look again, if before the poll."""

    answered: bool = True
    error: str = ""
    operation: Operation | None = None
    plan: Plan = field(default_factory=lambda: Plan(Nothing()))
    next_at: datetime | None = None


def reconcile(provider_id: int) -> Round:
    """Look at one server and take at most one step. Nothing is done to a disabled or deleted provider."""
    provider = Provider.objects.filter(pk=provider_id, enabled=True).first()
    if provider is None or not provider.is_triton:
        Provider.all_objects.filter(pk=provider_id).update(wake_at=None)
        return Round()
    alarm = _hold_alarm(provider)
    found = _look(provider)
    _move_alarm(provider, alarm, found.next_at)
    return found


def _look(provider: Provider) -> Round:
    models = models_of(provider)
    refresh_wanted(models, now())
    gateway = gateways.triton(provider)
    running = operations.running_on(provider.pk)
    try:
        observation = _observe(gateway, models)
        found = _step(provider, models, running, gateway, observation)
    except ProviderError as error:
        return _missed(provider, models, running, error.message)
    _note_health(provider)
    return found


def _observe(gateway: TritonGateway, models: list[RegisteredModel]) -> Observation:
    """The server's index; looked at twice where a model has vanished: it can be empty just after a load."""
    observation = gateway.observe()
    known = [m for m in models if m.observed != Observed.ABSENT]
    if any(observation.of(m.remote_name).state == RemoteState.ABSENT for m in known):
        observation = gateway.observe()
    return observation


def _missed(provider: Provider, models: list[RegisteredModel], running: Operation | None, error: str) -> Round:
    """No answer: no model changes, until the third miss in a row makes an error of what is wanted."""
    at = now()
    if running is not None:
        operations.expire(running)
    record_health(provider, error=error, at=at)
    for model in models:
        verdict = judge_silence(_belief(model), misses=provider.consecutive_failures)
        record(model, verdict.changes, code=verdict.code, message=error, at=at)
    misses = min(provider.consecutive_failures, len(LOOK_AGAIN_S))
    soon = any(m.wanted for m in models) or running is not None
    again = at + timedelta(seconds=LOOK_AGAIN_S[misses - 1]) if soon else None
    return Round(answered=False, error=error, operation=running, next_at=again)


def _step(
    provider: Provider,
    models: list[RegisteredModel],
    running: Operation | None,
    gateway: TritonGateway,
    observation: Observation,
) -> Round:
    at = now()
    for model in models:
        if running is None or model.pk != running.model_id:
            judge_one(model, observation.of(model.remote_name), gateway, at)
    if running is not None:
        operations.carry_on(running, gateway, observation.of(running.model.remote_name))
        waits.explain_loading(running, at)
        return Round(operation=running, next_at=_next_look(running, at))
    decided = plan(server_of(provider, models, observation), candidates_of(models, at), at)
    waits.write(models, decided.waits)
    started = _act(decided, {m.pk: m for m in models}, gateway, observation, at)
    waits.give_up_waiting(models, at)
    return Round(operation=started, plan=decided, next_at=_next_at(started, decided, models, at))


def _next_at(started: Operation | None, decided: Plan, models: list[RegisteredModel], at: datetime) -> datetime | None:
    if started is not None:
        return _next_look(started, at)
    return next_due(models, at) if isinstance(decided.action, Nothing) else _tick(at)


def judge_one(model: RegisteredModel, seen: RemoteModel, gateway: TritonGateway, at: datetime) -> None:
    """Record what one answer makes of a model that no operation speaks for."""
    still_ready = False
    if seen.state == RemoteState.ABSENT and model.observed in (Observed.READY, Observed.UNKNOWN):
        still_ready = gateway.is_ready(model.remote_name, model.remote_version)
    verdict = judge(_belief(model), seen, still_ready=still_ready)
    record(model, verdict.changes, code=verdict.code, at=at)


def _act(
    decided: Plan,
    models: dict[int, RegisteredModel],
    gateway: TritonGateway,
    observation: Observation,
    at: datetime,
) -> Operation | None:
    """Claim the planned operation and post it at once."""
    operation = None
    match decided.action:
        case Load(model_id):
            model = models[model_id]
            operation = operations.claim_load(model, seen=observation.of(model.remote_name), at=at)
        case Unload(model_id, for_model, must_revoke):
            model = models[model_id]
            if must_revoke:
                revoke(model, at=at)
            newcomer = models[for_model].name if for_model else ""
            operation = operations.claim_unload(model, evicted_for=newcomer, at=at)
    if operation is not None:
        operations.carry_on(operation, gateway, observation.of(operation.model.remote_name))
        waits.explain_loading(operation, at)
    return operation


def refresh_wanted(models: list[RegisteredModel], at: datetime) -> None:
    """Write `wanted` where its inputs say otherwise by now: a switch or demand that ran out."""
    for model in models:
        is_wanted = evaluate(model, at)
        if is_wanted != model.wanted:
            # An on-demand model turns unwanted only while nobody has a lease on it.
            idle = Q() if is_wanted or model.activation_policy != Policy.ON_DEMAND else Q(open_leases=0)
            record(model, {"wanted": is_wanted}, code="wanted" if is_wanted else "unwanted", at=at, only_if=idle)


def record(
    model: RegisteredModel,
    changes: dict[str, Any],
    *,
    code: str,
    at: datetime,
    message: str = "",
    only_if: Q | None = None,
) -> bool:
    """Change facts on behalf of the system, unless the model moved on: then the next look decides."""
    if not changes:
        return True
    if changes.get("error_code") == ErrorCode.PROVIDER_UNREACHABLE:
        changes = {**changes, "error_message": message[:500]}
    write = retrying_transaction(change_facts)
    return write(model, changes, code=code, message=message, actor=SYSTEM, at=at, only_if=only_if)


def next_due(models: list[RegisteredModel], at: datetime) -> datetime | None:
    """The next moment at which a stored time makes a difference to this server."""
    times: list[datetime | None] = []
    for model in models:
        times += [model.switch_until, model.drain_until, model.retry_at if model.wanted else None]
        if model.activation_policy == Policy.ON_DEMAND and model.wanted:
            times.append(model.demand_until)
        if model.queued_at is not None and not model.error_code:
            times.append(model.queued_at + timedelta(seconds=settings.QUEUE_LIMIT_S))
    return min((time for time in times if time is not None and time > at), default=None)


def _belief(model: RegisteredModel) -> Belief:
    return Belief(model.wanted, Observed(model.observed), model.error_code)


def _next_look(operation: Operation, at: datetime) -> datetime:
    """At once when the operation has just ended: somebody may wait for the room it left."""
    return at if operation.finished_at is not None else _tick(at)


def _tick(at: datetime) -> datetime:
    return at + timedelta(seconds=settings.TICK_S)


def _note_health(provider: Provider) -> None:
    """The server answered: one line a poll, written when that is news, else once a minute."""
    at = now()
    fresh = provider.checked_at is not None and (at - provider.checked_at).total_seconds() < HEALTH_WRITTEN_EVERY_S
    if not fresh or provider.consecutive_failures:
        record_health(provider, error="", at=at)


def _hold_alarm(provider: Provider) -> datetime | None:
    """Put an alarm that has gone off a little ahead, so that a look that is killed is taken again."""
    at = now()
    if provider.wake_at is None or provider.wake_at > at:
        return provider.wake_at
    ahead = at + timedelta(seconds=LOOK_TAKES_S)
    _move_alarm(provider, provider.wake_at, ahead)
    return ahead


def _move_alarm(provider: Provider, alarm: datetime | None, next_at: datetime | None) -> None:
    """Set the next look, unless somebody woke the server since its alarm was read."""
    if alarm != next_at:
        Provider.all_objects.filter(pk=provider.pk, wake_at=alarm).update(wake_at=next_at)
