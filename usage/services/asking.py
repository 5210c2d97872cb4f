"""Asking a Triton server whether a model is ready at the moment of use, and recording what is news."""

import time
from datetime import datetime

from django.conf import settings

from models_registry import gateways
from models_registry.facts import change_facts_as_system
from models_registry.judge import judge
from models_registry.models import Provider, RegisteredModel
from models_registry.providers.errors import ProviderRefused, ProviderUnavailable
from models_registry.providers.observation import RemoteModel, RemoteState
from models_registry.vocabulary import ErrorCode, Observed, Policy
from models_registry.waking import wake
from usage import breaker
from usage.services.reasons import broken
from usage.services.wish import Request, find_wanted

# Known of a model that is listed as ready: it was removed from the disk, or answers nobody, such as in a wrong version.
KNOWN_LOST = (ErrorCode.MISSING, ErrorCode.NOT_LOADED, ErrorCode.LOAD_FAILED, ErrorCode.ACTIVATION_TIMEOUT)


def ask(model: RegisteredModel) -> tuple[bool, float]:
    """`(ready, milliseconds)` from the provider itself. Raises ProviderUnreachable when it is silent or disabled."""
    provider: Provider = model.provider
    gateways.refuse_disabled(provider)
    started = time.perf_counter()
    try:
        ready = _is_ready(model, provider)
    except ProviderUnavailable as error:
        raise gateways.unreachable(provider, error) from error
    return ready, round((time.perf_counter() - started) * 1000, 3)


def _is_ready(model: RegisteredModel, provider: Provider) -> bool:
    """The provider's word, unless its circuit is open. Raises ProviderUnavailable."""
    breaker.refuse_if_open(provider.pk)
    started = time.monotonic()
    try:
        ready = gateways.triton(provider).is_ready(model.remote_name, model.remote_version)
    except ProviderRefused:  # a name or version that no Triton can have
        ready = False
    except ProviderUnavailable:
        breaker.note_miss(provider.pk, hung=time.monotonic() - started > settings.TRITON_TIMEOUT_S / 2)
        wake(provider.pk)  # not for a call that the breaker spared: it would enqueue a job for each request
        raise
    breaker.note_answer(provider.pk)
    return ready


def believe_ready(model: RegisteredModel, at: datetime) -> None:
    """Record a readiness that we did not know of, unless an operation is at work and speaks for the model."""
    under_way = (Observed.LOADING, Observed.UNLOADING)
    if model.observed in under_way or (model.observed == Observed.READY and not model.error_code):
        return
    _judge(model, RemoteModel(model.remote_name, RemoteState.READY), at)


def believe_lost(model: RegisteredModel, request: Request, at: datetime) -> RegisteredModel:
    """Record that the model is not loaded although we believed it, and have it repaired; the model as it is now.

    Raises ModelError, unless it is on its way again: an on-demand model, or one that changed meanwhile and is wanted.
    What is known already is no news, and stays: the index alone says otherwise.
    """
    if model.error_code in KNOWN_LOST:
        wake(model.provider_id)
        raise broken(model)
    if not _judge(model, RemoteModel(model.remote_name, RemoteState.UNLOADED), at):
        # An operation or a person was first: that is no fault of the model.
        return find_wanted(model.name, request, at)
    wake(model.provider_id)
    if model.activation_policy != Policy.ON_DEMAND:
        raise broken(model)
    return model


def _judge(model: RegisteredModel, seen: RemoteModel, at: datetime) -> bool:
    verdict = judge(model.belief, seen)
    return change_facts_as_system(model, verdict.changes, code=verdict.code, at=at)
