"""Asking an API provider what it offers of our models, by free questions only; writes nothing."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from models_registry import gateways
from models_registry.judge_api import ERRORS
from models_registry.models import Provider, RegisteredModel
from models_registry.own_words import retold
from models_registry.providers.errors import Outcome, ProviderError
from models_registry.providers.gateway import ApiGateway
from models_registry.vocabulary import ErrorCode

# Lists lack aliases: models that one lacks are looked up by themselves, so many in one check at most.
LOOK_UPS = 10


@dataclass(frozen=True)
class Answer:
    """What a provider said to one check.

    `unusable` are the models that cannot be used, with the provider's reason where it gave one; `unheard` those of
    which it did not tell. `offers` is how many it lists; None where it lists nothing for free, and all is taken
    to be offered. `certain`: asking again would tell nothing else.
    """

    outcome: Outcome = Outcome.OK
    message: str = ""
    unusable: Mapping[str, str] = field(default_factory=dict)
    unheard: frozenset[str] = frozenset()
    offers: int | None = None
    key_in_use: int = 0
    retry_after_s: int | None = None
    latency_ms: float = 0.0
    certain: bool = False

    @property
    def passed(self) -> bool:
        return self.outcome is Outcome.OK

    @property
    def failed(self) -> bool:
        """Whether it speaks against the provider; to be asked to wait does not."""
        return self.outcome in ERRORS

    def offered(self, remote_name: str) -> bool | None:
        """Whether the model is offered; None where that was not told."""
        if not self.passed or remote_name in self.unheard:
            return None
        return remote_name not in self.unusable

    @property
    def told(self) -> str:
        """What was heard, in a sentence."""
        if self.outcome is Outcome.RATE_LIMITED:
            return _("It answers, and limits our requests: %(message)s") % {"message": retold(self.message)}
        if not self.passed:
            return retold(self.message)
        if self.offers is None:
            return _("It answers; it does not list its deployments.")
        told = ngettext("It offers %(n)d model.", "It offers %(n)d models.", self.offers) % {"n": self.offers}
        second = _("It refuses the first key and takes the second.")
        return f"{told} {second}" if self.key_in_use == 2 else told


def ask(provider: Provider, models: Iterable[RegisteredModel], *, within_s: float, look_ups: int = LOOK_UPS) -> Answer:
    """The provider's answer, after twice `within_s` at the latest. Does not raise: no answer is one, too.

    Models that its list lacks are looked up, `look_ups` of them at most; with none, nothing is heard of them.
    """
    started = time.perf_counter()
    try:
        gateway = gateways.api(provider, within_s=within_s)
    except ProviderError as error:  # there is nothing to ask with
        return Answer(error.outcome, error.message, certain=True)
    try:
        offers = gateway.offers()
    except ProviderError as error:
        heard = Answer(error.outcome, error.message, retry_after_s=error.retry_after_s)
    else:
        heard = Answer(key_in_use=gateway.key_in_use)
    heard = replace(heard, latency_ms=round((time.perf_counter() - started) * 1000, 3))
    if not heard.passed or offers is None:
        return heard
    listed = {offer.remote_name for offer in offers}
    absent = _by_news(model for model in models if model.remote_name not in listed)
    found, unheard = _looked_up(gateway, absent[:look_ups], until=started + within_s)
    unusable = {offer.remote_name: offer.reason for offer in offers if offer.reason}
    unusable |= dict.fromkeys(set(absent) - found, "")
    return replace(heard, unusable=unusable, unheard=unheard if look_ups else frozenset(absent), offers=len(offers))


def _by_news(absent: Iterable[RegisteredModel]) -> list[str]:
    """Their names at the provider: first where it would be news that the model is gone, then what is wanted."""
    models = sorted(absent, key=lambda model: (model.error_code == ErrorCode.NOT_OFFERED, not model.wanted, model.pk))
    return list(dict.fromkeys(model.remote_name for model in models))


def _looked_up(gateway: ApiGateway, names: list[str], *, until: float) -> tuple[set[str], frozenset[str]]:
    """`(found, unheard)`: looking stops at `until`, and where the provider does not answer any more."""
    found: set[str] = set()
    for position, name in enumerate(names):
        try:
            if time.perf_counter() >= until:
                return found, frozenset(names[position:])
            if gateway.offered(name):
                found.add(name)
        except ProviderError:
            return found, frozenset(names[position:])
    return found, frozenset()
