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
from models_registry import gateways
from models_registry.facts import change_facts_as_system
from models_registry.judge import judge, judge_silence
from models_registry.models import Provider, RegisteredModel
from models_registry.providers.errors import ProviderError
from models_registry.providers.gateway import TritonGateway
from models_registry.providers.observation import Observation, RemoteModel, RemoteState
from models_registry.services.providers import record_health
from models_registry.vocabulary import RESIDENT, ErrorCode, Observed, Policy
from models_registry.wanting import drain_s, evaluate
from monitoring import alarms, footprints, operations, server_configs, waits
from monitoring.beliefs import candidates_of, models_of, server_of
from monitoring.models import Operation
from monitoring.rules.plan import plan, waiting
from monitoring.rules.values import Drain, Keep, Load, Nothing, Plan, Server, Unload
from usage.services.leases import revoke

LOOK_AGAIN_S = (5, 10)
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
    last = operations.last_on(provider_id)  # before all else: whatever is claimed or held later shows that this is old
    provider = Provider.objects.filter(pk=provider_id, enabled=True).first()
    if provider is None or not provider.is_triton:
        Provider.all_objects.filter(pk=provider_id).update(wake_at=None)
        return Round()
    alarm = alarms.hold(provider)
    found = _look(provider, last)
    alarms.move(provider, alarm, found.next_at)
    return found


def _look(provider: Provider, last: Operation | None) -> Round:
    models = models_of(provider)
    refresh_wanted(models, now())
    revoke_overdue(models, now())
    gateway = gateways.triton(provider)
    try:
        observation = _observe(gateway, models)
        found = _step(provider, models, last, gateway, observation)
    except ProviderError as error:
        return _missed(provider, models, _unfinished(last), error.message)
    _note_health(provider)
    return found


def _unfinished(operation: Operation | None) -> Operation | None:
    return None if operation is None or operation.finished_at is not None else operation


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
        operations.pass_over(running)
    if _counts(provider, at):
        record_health(provider, error=error, at=at)
    for model in models:
        verdict = judge_silence(model.belief, misses=provider.consecutive_failures)
        record(model, verdict.changes, code=verdict.code, message=error, at=at)
    misses = min(provider.consecutive_failures, len(LOOK_AGAIN_S))
    soon = running is not None or any(m.wanted or m.observed in RESIDENT for m in models)
    again = at + timedelta(seconds=LOOK_AGAIN_S[misses - 1]) if soon else None
    next_at = min((time for time in (again, alarms.next_due(models, at)) if time is not None), default=None)
    return Round(answered=False, error=error, operation=running, next_at=next_at)


def _counts(provider: Provider, at: datetime) -> bool:
    """Whether a miss is one more: looks that requests bring on within moments of each other are one."""
    if not provider.consecutive_failures or provider.checked_at is None:
        return True
    return at - provider.checked_at >= timedelta(seconds=settings.MISSES_APART_S)


def _step(
    provider: Provider,
    models: list[RegisteredModel],
    last: Operation | None,
    gateway: TritonGateway,
    observation: Observation,
) -> Round:
    at = now()
    running = _unfinished(last)
    for model in models:
        if running is None or model.pk != running.model_id:
            judge_one(model, observation.of(model.remote_name), gateway, at)
            if observation.of(model.remote_name).state == RemoteState.READY:
                server_configs.read(model, gateway, at)
    footprints.learn(last, gateway, at)
    footprints.let_go(provider, gateway)
    server = server_of(provider, models, observation, at)
    if running is not None:
        _carry_on(running, server, gateway, observation)
        _tell_the_others(running, server, models, at)
        return Round(operation=running, next_at=_next_look(running, at))
    decided = plan(server, candidates_of(models, at, last=last), at)
    waits.write(models, decided.waits)
    started = _act(decided, {m.pk: m for m in models}, gateway, observation, last=last, at=at)
    waits.give_up_waiting(models, at)
    due = [
        alarms.next_due(models, at),
        footprints.look_again_at(last, provider, at),
        alarms.room_free_at(decided, at),
        alarms.pressure_falls_at(server, at),
    ]
    return Round(operation=started, plan=decided, next_at=_next_at(started, decided, due, at))


def _carry_on(running: Operation, server: Server, gateway: TritonGateway, observation: Observation) -> None:
    if running.posted_at is None and server.busy:
        operations.withdraw(running)  # nothing is posted into a server at work
    else:
        operations.carry_on(running, gateway, observation.of(running.model.remote_name))


def _tell_the_others(running: Operation, server: Server, models: list[RegisteredModel], at: datetime) -> None:
    """While one is loaded or unloaded the others wait, and are told why, and until when at most."""
    waits.explain_at_work(running)
    others = [m for m in models if m.pk != running.model_id]
    if any(m.queued_at is not None or m.waiting is not None for m in others):
        waits.write(others, waiting(server, candidates_of(models, at), at))
        waits.give_up_waiting(others, at)


def _next_at(started: Operation | None, decided: Plan, due: list[datetime | None], at: datetime) -> datetime | None:
    if started is not None:
        return _next_look(started, at)
    if not isinstance(decided.action, Nothing):
        return _tick(at)
    return min((time for time in due if time is not None), default=None)


def judge_one(model: RegisteredModel, seen: RemoteModel, gateway: TritonGateway, at: datetime) -> None:
    """Record what one answer makes of a model that no operation speaks for."""
    verdict = judge(model.belief, seen, answers=answers(model, seen, gateway))
    record(model, verdict.changes, code=verdict.code, at=at)


def answers(model: RegisteredModel, seen: RemoteModel, gateway: TritonGateway) -> bool | None:
    """What `ready` says, asked where the index alone is no proof: a model that is absent, or that got well."""
    got_well = seen.state == RemoteState.READY and bool(model.error_code)
    if seen.state != RemoteState.ABSENT and not got_well:
        return None
    return gateway.is_ready(model.remote_name, model.remote_version)


def _act(
    decided: Plan,
    models: dict[int, RegisteredModel],
    gateway: TritonGateway,
    observation: Observation,
    *,
    last: Operation | None,
    at: datetime,
) -> Operation | None:
    """Do what was planned; an operation is claimed and posted at once."""
    operation = None
    after = last.pk if last is not None else 0
    match decided.action:
        case Load(model_id):
            model = models[model_id]
            seen = observation.of(model.remote_name)
            operation = operations.claim_load(model, seen=seen, after=after, at=at)
        case Unload(model_id, for_model, must_revoke, reload):
            model = models[model_id]
            if must_revoke:
                revoke(model, at=at)
            newcomer = models[for_model].name if for_model else ""
            operation = operations.claim_unload(model, evicted_for=newcomer, reload=reload, after=after, at=at)
        case Drain(model_id, for_model):
            model = models[model_id]
            until = at + timedelta(seconds=drain_s(model))
            record(model, {"drain_until": until}, code="handing_over", message=f"to {models[for_model].name}", at=at)
        case Keep(model_id):
            record(models[model_id], {"drain_until": None}, code="kept", at=at)
    if operation is not None:
        operations.carry_on(operation, gateway, observation.of(operation.model.remote_name))
        waits.explain_at_work(operation)
    return operation


def refresh_wanted(models: list[RegisteredModel], at: datetime) -> None:
    """Write `wanted` where its inputs say otherwise by now: a switch or demand that ran out."""
    for model in models:
        is_wanted = evaluate(model, at, early=True)
        if is_wanted != model.wanted:
            # An on-demand model turns unwanted only while nobody has a lease on it.
            idle = Q() if is_wanted or model.activation_policy != Policy.ON_DEMAND else Q(open_leases=0)
            record(model, {"wanted": is_wanted}, code="wanted" if is_wanted else "unwanted", at=at, only_if=idle)


def revoke_overdue(models: list[RegisteredModel], at: datetime) -> None:
    """End the leases whose time to drain is over, whether their server answers or not."""
    for model in models:
        leaves = not model.wanted or model.needs_reload
        if leaves and model.open_leases and model.drain_until is not None and model.drain_until <= at:
            revoke(model, at=at)
            model.refresh_from_db(fields=["open_leases", "demand_until", "last_used_at"])


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
    return change_facts_as_system(model, changes, code=code, message=message, at=at, only_if=only_if)


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
