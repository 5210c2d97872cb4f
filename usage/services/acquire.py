"""The moment of use: may this client use this model now?"""

import contextlib
import logging
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Refusal
from modelmanager.lib.retry import retrying
from models_registry.judge import GIVE_UP_AFTER
from models_registry.models import RegisteredModel
from models_registry.refusals import ProviderUnreachable
from models_registry.vocabulary import ErrorCode, Observed
from usage.hot_path import insert_lease, version_of
from usage.refusals import ModelActivating, TooManyWaiters
from usage.services.asking import ask, believe_lost, believe_ready
from usage.services.reasons import broken, coming
from usage.services.trusting import Trust, key_to_hand_out, trust
from usage.services.wish import Request, find_wanted, keep_wanted

LOOKS = 3  # at a model that people change just now
LOOK_AGAIN_S = 0.1
SILENCE_S = 5.0  # a server that loads may miss one question: a waiter gives it this long to answer again
# Errors that loading again does not mend.
STANDING = (ErrorCode.MISSING, ErrorCode.CREDENTIAL_INVALID, ErrorCode.NOT_OFFERED)

logger = logging.getLogger("modelmanager.audit")
_waiters = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))


@dataclass(frozen=True)
class Grant:
    """A lease just granted; `verify_ms` is how long the provider took to say that the model is ready.

    `api_key` is the API provider's key where it is handed out, and empty where none is needed; else None.
    """

    lease_id: int
    model: RegisteredModel
    granted_at: datetime
    expires_at: datetime
    ttl_s: int
    verified_at: datetime
    verify_ms: float
    api_key: str | None = field(default=None, repr=False)


def acquire(name: str, request: Request) -> Grant:
    """Grant a lease on a model that its provider says is ready now, or refuse with the first reason that applies.

    Holds the caller for at most `wait_s` while the model is on its way, outside any transaction; one who hangs up
    meanwhile is not held, and gets no lease.
    Raises ModelNotFound, ModelInactive, ProviderUnreachable, ModelError, ModelActivating, GpuBusy, TooManyWaiters.
    """
    waits_until = now() + timedelta(seconds=request.wait_s)
    try:
        return _attempt(name, request)
    except ModelActivating as refusal:
        if not request.wait_s:
            raise
        return _wait(name, replace(request, waits_until=waits_until), refusal)


def _wait(name: str, request: Request, refusal: ModelActivating) -> Grant:
    if not _waiters.acquire(blocking=False):
        raise TooManyWaiters(_("Too many requests are waiting here: ask again."), retry_after_s=1)
    try:
        last: Refusal = refusal
        answered_at = time.monotonic()
        deadline = answered_at + request.wait_s
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(LOOK_AGAIN_S, left))
            if request.has_hung_up():
                break
            try:
                return _attempt(name, request)
            except ModelActivating as latest:
                last, answered_at = latest, time.monotonic()
            except ProviderUnreachable as latest:
                last = latest
                if time.monotonic() - answered_at >= SILENCE_S:
                    raise
        raise last
    finally:
        _waiters.release()


def _attempt(name: str, request: Request) -> Grant:
    at = now()
    for _look in range(LOOKS):
        model = find_wanted(name, request, at)
        with contextlib.suppress(_Outdated):
            return _on_server(model, request, at) if model.on_gpu else _at_api(model, request, at)
        at = now()
    raise coming(model, at)


class _Outdated(Exception):
    """A person changed what the lease would tell since the model was read; read again, it may be granted."""


def _on_server(model: RegisteredModel, request: Request, at: datetime) -> Grant:
    """A lease on a model of a Triton server, which is asked now. Raises _Outdated."""
    ready, verify_ms = ask(model)
    if ready and model.error_code != ErrorCode.MISSING:
        believe_ready(model, now())
        granted = _grant(model, request, Trust(now(), verify_ms))
        if granted is not None:
            return granted
        model = _read_again(model, request, at)
    elif not ready and model.observed == Observed.READY:
        model = believe_lost(model, request, now())
    if _is_standing(model, at):
        raise broken(model)
    keep_wanted(model, request, at)
    raise coming(model, at)


def _at_api(model: RegisteredModel, request: Request, at: datetime) -> Grant:
    """A lease on a model of an API provider, whose last free checks are trusted. Raises _Outdated."""
    trusted = trust(model)
    key, hint = _key_for(model) if request.may_have_key else (None, "")
    granted = _grant(model, request, trusted, key_hint=hint)
    if granted is not None:
        if hint:
            _tell(granted, hint, request)
        return replace(granted, api_key=key)
    model = _read_again(model, request, at)
    if model.error_code:
        raise broken(model)
    keep_wanted(model, request, at)
    raise coming(model, at)


def _key_for(model: RegisteredModel) -> tuple[str, str]:
    """The key and its hint; a key goes out with no other address than the one that it is stored with."""
    found = key_to_hand_out(model)
    if found.edition != model.provider.edition:
        raise _Outdated
    return found.key, found.hint


def _read_again(model: RegisteredModel, request: Request, at: datetime) -> RegisteredModel:
    """The model as it is now, after no lease was granted on it as it was read."""
    current = find_wanted(model.name, request, at)
    if version_of(current) != version_of(model):
        raise _Outdated
    return current


def _grant(model: RegisteredModel, request: Request, trusted: Trust, *, key_hint: str = "") -> Grant | None:
    at, ttl_s = now(), min(request.ttl_s, settings.MAX_LEASE_LIFE_S)
    lease_id = retrying(insert_lease)(
        model,
        client_id=request.client_id,
        instance=request.instance,
        ttl_s=ttl_s,
        at=at,
        verified_at=trusted.verified_at,
        verify_ms=trusted.verify_ms,
        key_hint=key_hint,
    )
    if lease_id is None:
        return None
    expires_at = at + timedelta(seconds=ttl_s)
    return Grant(lease_id, model, at, expires_at, ttl_s, trusted.verified_at, trusted.verify_ms)


def _tell(granted: Grant, key_hint: str, request: Request) -> None:
    model, who = granted.model, request.client_name or f"client {request.client_id}"
    told = (key_hint, model.provider.name, who, granted.lease_id, model.name)
    logger.info("key %s of %s handed out to %s with lease %s on %s", *told)


def _is_standing(model: RegisteredModel, at: datetime) -> bool:
    """Whether the model has an error that nobody is about to mend by loading it."""
    if model.error_code in STANDING:
        return True
    held_back = model.failures >= GIVE_UP_AFTER or (model.retry_at is not None and model.retry_at > at)
    return bool(model.error_code) and held_back
