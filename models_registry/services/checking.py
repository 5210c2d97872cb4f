"""Free checks of API providers, and writing down what an answer makes of the provider and of its models."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from modelmanager.lib.clock import now
from modelmanager.lib.retry import retrying
from models_registry.answers import LOOK_UPS, Answer, ask
from models_registry.facts import change_facts_as_system
from models_registry.judge_api import Health, Patience, after, awaits_check, judge_offered, next_check
from models_registry.models import Provider, RegisteredModel
from models_registry.providers.errors import Outcome


def check(provider: Provider, *, within_s: float | None = None, look_ups: int = LOOK_UPS) -> Answer:
    """Ask an API provider what it offers, and record what that makes of it and of its models; never billed.

    Takes at most twice `within_s` (default: API_PATIENCE_S), without look-ups once. Nothing is recorded when the
    provider was edited, disabled or checked by somebody else meanwhile: this answer is the older one then. Not in
    a transaction.
    """
    begun_at = now()  # what is asked for from here on is not answered by this check
    models = list(RegisteredModel.objects.select_related("provider", "window").filter(provider=provider))
    answer = ask(provider, models, within_s=within_s or settings.API_PATIENCE_S, look_ups=look_ups)
    _record(provider, models, answer, begun_at=begun_at, at=now())
    return answer


def _record(
    provider: Provider, models: list[RegisteredModel], answer: Answer, *, begun_at: datetime, at: datetime
) -> None:
    health = after(health_of(provider), answer.outcome, patience(), certain=answer.certain)
    if not _record_health(provider, health, answer, begun_at=begun_at, at=at):
        return
    for model in models:
        verdict = judge_offered(model.belief, health, offered=answer.offered(model.remote_name))
        if verdict.changes:
            reason = answer.message or answer.unusable.get(model.remote_name, "")
            _record_facts(model, verdict.changes, code=verdict.code, reason=reason, at=at)


def _record_health(provider: Provider, health: Health, answer: Answer, *, begun_at: datetime, at: datetime) -> bool:
    """Write it if nobody was first; `provider` is brought up to date then."""
    values: dict[str, Any] = {
        "checked_at": begun_at,
        "health_code": answer.outcome,
        "failing": health.failing,
        "consecutive_failures": health.failures,
        "consecutive_successes": health.successes,
        "flaps": health.flaps,
        "check_after": at + timedelta(seconds=answer.retry_after_s) if answer.retry_after_s else None,
    }
    is_news = provider.health_since is None or health.failing != provider.failing
    if is_news and (answer.passed or health.failing):
        values["health_since"] = at
    if answer.passed:
        values |= {"passed_at": at, "key_in_use": answer.key_in_use}
    if answer.failed or not health.failing:  # while it is failing, the last reason for that is shown
        values["health_error"] = answer.message
    unchanged = {"edition": provider.edition, "checked_at": provider.checked_at, "enabled": True}
    if not retrying(Provider.objects.filter(pk=provider.pk, **unchanged).update)(**values):
        return False
    for name, value in values.items():
        setattr(provider, name, value)
    return True


def _record_facts(model: RegisteredModel, changes: dict[str, Any], *, code: str, reason: str, at: datetime) -> None:
    """Record them, unless the model moved on: then the next check tells."""
    message = reason[:500] if changes.get("error_code") else ""
    changes = {**changes, "error_message": message}
    change_facts_as_system(model, changes, code=code, message=message, at=at)


def patience() -> Patience:
    """How much it takes to change our mind, as this installation is set."""
    return Patience(
        failures_to_error=settings.API_FAILURES_TO_ERROR,
        successes_to_recover=settings.API_SUCCESSES_TO_RECOVER,
        every_s=settings.API_CHECK_S,
        again_s=settings.API_RECHECK_S,
    )


def health_of(provider: Provider) -> Health:
    """What is believed of an API provider."""
    return Health(
        outcome=Outcome(provider.health_code) if provider.health_code else None,
        failing=provider.failing,
        failures=provider.consecutive_failures,
        successes=provider.consecutive_successes,
        flaps=provider.flaps,
    )


def is_fresh(provider: Provider, at: datetime) -> bool:
    """Whether the last check still tells how an API provider is: no two scheduled ones have been missed.

    One that asked us to wait is believed to be as it was until then.
    """
    if provider.checked_at is None:
        return False
    until = provider.checked_at + timedelta(seconds=2 * settings.API_CHECK_S)
    return at <= max(until, provider.check_after or until)


def check_due_at(provider: Provider, models: list[RegisteredModel], at: datetime) -> datetime:
    """When to check an API provider next: at once while one of its models waits for a check, else at its time.

    Never before a provider that limits our requests wants to be asked again.
    """
    if provider.checked_at is None:
        return at
    due = next_check(health_of(provider), patience(), at=provider.checked_at)
    if any(_awaits_check(model, provider.checked_at) for model in models):
        due = min(due, at)
    return max(due, provider.check_after) if provider.check_after else due


def _awaits_check(model: RegisteredModel, checked_at: datetime) -> bool:
    asked_at = (model.queued_at, model.observed_at, model.created_at)
    return awaits_check(model.belief, asked_at=asked_at, checked_at=checked_at)
