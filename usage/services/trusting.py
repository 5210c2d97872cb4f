"""The moment of use at an API provider: its free checks are trusted, and only when they are old is it asked anew."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from models_registry import gateways
from models_registry.answers import LOOK_UPS
from models_registry.judge_api import ERRORS
from models_registry.models import Provider, RegisteredModel
from models_registry.own_words import retold
from models_registry.providers.errors import Outcome, ProviderRefused, ProviderUnavailable
from models_registry.refusals import ProviderUnreachable
from models_registry.services import checking
from models_registry.vocabulary import ErrorCode, Observed
from models_registry.waking import wake
from usage import breaker
from usage.refusals import ModelError

AT_USE_S = 2.0


@dataclass(frozen=True)
class Trust:
    """When the provider last passed a check, and how long that took if it was made now."""

    verified_at: datetime
    verify_ms: float = 0.0


def trust(model: RegisteredModel) -> Trust:
    """What the free checks of the model's provider are worth now. Asks it, once, only when the last one is too old.

    Raises ProviderUnreachable when it is disabled, silent or known to be, ModelError when it refuses our key now.
    """
    provider: Provider = model.provider
    gateways.refuse_disabled(provider)
    if not checking.is_fresh(provider, now()):
        return _checked_now(model)
    if model.error_code == ErrorCode.PROVIDER_UNREACHABLE:
        raise _unreachable(provider, provider.health_code, model.error_message)
    return Trust(provider.passed_at or now())


def _checked_now(model: RegisteredModel) -> Trust:
    provider = Provider.objects.get(pk=model.provider_id)
    started = time.monotonic()
    try:
        breaker.refuse_if_open(provider.pk)
    except ProviderUnavailable as error:
        raise gateways.unreachable(provider, error) from error
    # One that was ready stays so where the list lacks it; any other would wait for the next check in vain.
    look_ups = 0 if model.observed == Observed.READY else LOOK_UPS
    answer = checking.check(provider, within_s=AT_USE_S, look_ups=look_ups)
    if answer.outcome is Outcome.CREDENTIAL_INVALID:
        detail = _("“%(name)s” cannot be used: %(reason)s") % {"name": model.name, "reason": retold(answer.message)}
        raise ModelError(detail, cause=ErrorCode.CREDENTIAL_INVALID.value)
    if answer.failed:
        breaker.note_miss(provider.pk, hung=time.monotonic() - started > AT_USE_S / 2)
        wake(provider.pk)
        raise _unreachable(provider, answer.outcome, answer.message)
    breaker.note_answer(provider.pk)
    return Trust(provider.passed_at or now(), answer.latency_ms)


def _unreachable(provider: Provider, outcome: str, message: str) -> ProviderUnreachable:
    kind = ProviderRefused if outcome == Outcome.REFUSED else ProviderUnavailable
    told = Outcome(outcome) if outcome in ERRORS else Outcome.UNREACHABLE  # it is just getting better
    return gateways.unreachable(provider, kind(message, outcome=told))


class Key(NamedTuple):
    """A provider's key with its hint, both empty where it needs none, and the edition of the provider that has it."""

    key: str
    hint: str
    edition: int


def key_to_hand_out(model: RegisteredModel) -> Key:
    """The key that the provider took at its last check.

    Raises ModelError when there is one, and nobody can read it: a lease with none would look as if it needed none.
    """
    provider = Provider.all_objects.only("key_in_use", "api_key", "api_key_2", "edition").get(pk=model.provider_id)
    if provider.keys_are_unreadable:
        detail = _("“%(name)s” cannot be used: %(reason)s") % {"name": model.name, "reason": provider.health_told}
        raise ModelError(detail, cause=ErrorCode.CREDENTIAL_INVALID.value)
    wished = ("api_key_2", "api_key") if provider.key_in_use == 2 else ("api_key", "api_key_2")
    field = next((field for field in wished if getattr(provider, field)), wished[0])
    return Key(str(getattr(provider, field)), provider.key_hint(field), provider.edition)
