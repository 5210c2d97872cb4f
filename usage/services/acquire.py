"""The moment of use: may this client use this model now?"""

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Refusal
from modelmanager.lib.retry import retrying_transaction
from models_registry import gateways
from models_registry.facts import change_facts
from models_registry.judge import Belief, judge
from models_registry.models import Provider, RegisteredModel
from models_registry.providers.errors import ProviderError
from models_registry.providers.observation import RemoteModel, RemoteState
from models_registry.vocabulary import ErrorCode, Observed, Policy, SwitchState
from models_registry.waking import wake
from models_registry.wanting import evaluate, window_of
from usage import breaker
from usage.hot_path import insert_lease
from usage.refusals import GpuBusy, ModelActivating, ModelError, ModelInactive, ModelNotFound, TooManyWaiters

LOOK_AGAIN_S = 0.1
RETRY_AFTER_S = 5
GIVE_UP_AFTER = 5
ACTOR = "system"
# Errors that loading again does not mend.
STANDING = (ErrorCode.MISSING, ErrorCode.CREDENTIAL_INVALID, ErrorCode.NOT_OFFERED)

_waiters = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))


@dataclass(frozen=True)
class Grant:
    """A lease just granted; `verify_ms` is how long the provider took to say that the model is ready."""

    lease_id: int
    model: RegisteredModel
    granted_at: datetime
    expires_at: datetime
    ttl_s: int
    verified_at: datetime
    verify_ms: float


@dataclass(frozen=True)
class Request:
    """Who asks, and for how long."""

    client_id: int
    ttl_s: int = 60
    wait_s: float = 0
    instance: str = ""


def acquire(name: str, request: Request) -> Grant:
    """Grant a lease on a model that its provider says is ready now, or refuse with the first reason that applies.

    Holds the caller for at most `wait_s` while the model is on its way, outside any transaction.
    Raises ModelNotFound, ModelInactive, ProviderUnreachable, ModelError, ModelActivating, GpuBusy, TooManyWaiters.
    """
    try:
        return _attempt(name, request)
    except ModelActivating as refusal:
        if not request.wait_s:
            raise
        return _wait(name, request, refusal)


def _wait(name: str, request: Request, refusal: ModelActivating) -> Grant:
    if not _waiters.acquire(blocking=False):
        raise TooManyWaiters(_("Too many requests are waiting here: ask again."), retry_after_s=1)
    try:
        deadline = time.monotonic() + request.wait_s
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(LOOK_AGAIN_S, left))
            try:
                return _attempt(name, request)
            except ModelActivating as latest:
                refusal = latest
        raise refusal
    finally:
        _waiters.release()


def _attempt(name: str, request: Request) -> Grant:
    at = now()
    model = _find(name)
    if not _bring_wanted_up_to_date(model, request, at):
        raise _inactive(model, at)
    ready, verify_ms = _ask(model)
    if ready and model.error_code != ErrorCode.MISSING:
        _believe_ready(model, now())
        granted = _grant(model, request, verify_ms)
        if granted is not None:
            return granted
        model = _find(name)
        if not model.wanted:
            raise _inactive(model, at)
    elif not ready and model.observed == Observed.READY:
        _believe_lost(model, now())
    if _is_standing(model, at):
        raise _error(model)
    raise _coming(model, request, at)


def _find(name: str) -> RegisteredModel:
    model = RegisteredModel.objects.select_related("provider", "config", "loaded_config").filter(live_name=name).first()
    if model is None:
        raise ModelNotFound(_("There is no model called “%(name)s”.") % {"name": name[:100]})
    return model


def _bring_wanted_up_to_date(model: RegisteredModel, request: Request, at: datetime) -> bool:
    """Write `wanted` where the rules now say otherwise; an on-demand model becomes wanted by being asked for."""
    changes: dict[str, Any] = {}
    if model.activation_policy == Policy.ON_DEMAND and not evaluate(model, at):
        changes["demand_until"] = at + timedelta(seconds=max(request.wait_s, 2 * RETRY_AFTER_S))
    is_wanted = evaluate(model, at, **changes)
    if is_wanted == model.wanted:
        return is_wanted
    changes["wanted"] = is_wanted
    idle = Q() if is_wanted else Q(open_leases=0)
    _change(model, changes, code="wanted" if is_wanted else "unwanted", at=at, only_if=idle)
    wake(model.provider_id)
    return is_wanted


def _ask(model: RegisteredModel) -> tuple[bool, float]:
    """`(ready, milliseconds)` from the provider itself. Raises ProviderUnreachable when it is silent or disabled."""
    provider: Provider = model.provider
    if not provider.enabled:
        raise gateways.ProviderUnreachable(_("%(name)s is disabled.") % {"name": provider.name}, retry_after_s=60)
    started = time.perf_counter()
    try:
        breaker.refuse_if_open(provider.pk)
        ready = gateways.triton(provider).is_ready(model.remote_name, model.remote_version)
    except ProviderError as error:
        breaker.note_miss(provider.pk)
        wake(provider.pk)
        raise gateways.unreachable(provider, error) from error
    breaker.note_answer(provider.pk)
    return ready, round((time.perf_counter() - started) * 1000, 3)


def _believe_ready(model: RegisteredModel, at: datetime) -> None:
    """Record a readiness that we did not know of, unless an operation is at work and speaks for the model."""
    under_way = (Observed.LOADING, Observed.UNLOADING)
    if model.observed in under_way or (model.observed == Observed.READY and not model.error_code):
        return
    _judge(model, RemoteModel(model.remote_name, RemoteState.READY), at)


def _believe_lost(model: RegisteredModel, at: datetime) -> None:
    """Record that the model is not loaded although we believed it, and have it repaired."""
    _judge(model, RemoteModel(model.remote_name, RemoteState.UNLOADED), at)
    wake(model.provider_id)
    if model.activation_policy != Policy.ON_DEMAND:
        raise _error(model)


def _judge(model: RegisteredModel, seen: RemoteModel, at: datetime) -> None:
    belief = Belief(model.wanted, Observed(model.observed), model.error_code)
    verdict = judge(belief, seen)
    _change(model, verdict.changes, code=verdict.code, at=at)


def _change(
    model: RegisteredModel, changes: dict[str, Any], *, code: str, at: datetime, only_if: Q | None = None
) -> None:
    """Record facts if nobody was first; the row as it is now is looked at anyway."""
    retrying_transaction(change_facts)(model, changes, code=code, actor=ACTOR, at=at, only_if=only_if)


def _grant(model: RegisteredModel, request: Request, verify_ms: float) -> Grant | None:
    at = now()
    lease_id = retrying_transaction(insert_lease)(
        model,
        client_id=request.client_id,
        instance=request.instance,
        ttl_s=request.ttl_s,
        at=at,
        verified_at=at,
        verify_ms=verify_ms,
    )
    if lease_id is None:
        return None
    return Grant(lease_id, model, at, at + timedelta(seconds=request.ttl_s), request.ttl_s, at, verify_ms)


def _is_standing(model: RegisteredModel, at: datetime) -> bool:
    """Whether the model has an error that nobody is about to mend by loading it."""
    if model.error_code in STANDING:
        return True
    held_back = model.failures >= GIVE_UP_AFTER or (model.retry_at is not None and model.retry_at > at)
    return bool(model.error_code) and held_back


def _inactive(model: RegisteredModel, at: datetime) -> Refusal:
    window = window_of(model)
    opening = window.next_opening(at) if window is not None and model.switch_state != SwitchState.OFF else None
    return ModelInactive(
        _("“%(name)s” is not switched on: an operator can activate it.") % {"name": model.name}, next_opening=opening
    )


def _error(model: RegisteredModel) -> ModelError:
    cause = model.error_code or ErrorCode.NOT_LOADED
    reason = model.error_message or ErrorCode(cause).label
    detail = _("“%(name)s” cannot be used: %(reason)s") % {"name": model.name, "reason": reason}
    return ModelError(detail, cause=str(cause))


def _coming(model: RegisteredModel, request: Request, at: datetime) -> ModelActivating:
    """The refusal for a model on its way; whoever is told it keeps the demand up until they come back."""
    _raise_demand(model, at + timedelta(seconds=max(request.wait_s, 2 * RETRY_AFTER_S)))
    waiting = model.waiting or {}
    extra = {
        "queue_position": waiting.get("queue_position"),
        "expected_wait_s": _seconds_until(waiting.get("expected_ready_at"), at),
    }
    held_by = waiting.get("for") or []
    if held_by:
        detail = _("“%(name)s” waits for room: %(others)s on the GPU.")
        values = {"name": model.name, "others": ", ".join(held_by)}
        return GpuBusy(detail % values, retry_after_s=RETRY_AFTER_S, held_by=held_by, **extra)
    detail = _("“%(name)s” is being activated.") % {"name": model.name}
    return ModelActivating(detail, retry_after_s=RETRY_AFTER_S, held_by=[], **extra)


def _raise_demand(model: RegisteredModel, until: datetime) -> None:
    # Written once a second at most: a request that waits asks ten times in one.
    if model.demand_until is not None and model.demand_until > until - timedelta(seconds=1):
        return
    rows = RegisteredModel.objects.filter(Q(demand_until__isnull=True) | Q(demand_until__lt=until), pk=model.pk)
    if retrying_transaction(rows.update)(demand_until=until):
        wake(model.provider_id)


def _seconds_until(time_text: str | None, at: datetime) -> float | None:
    if not time_text:
        return None
    return max(0.0, round((datetime.fromisoformat(time_text) - at).total_seconds(), 1))
