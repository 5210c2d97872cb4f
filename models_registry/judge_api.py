"""What free checks make of an API provider and of its models. Pure: values in, values out.

One answer proves little: providers fail for a moment, and answer a wrong key for a moment, too. So it takes
`failures_to_error` failed checks in a row until a provider counts as failing, and `successes_to_recover` passed
ones until it is trusted again, one more for each time that it fell back since it was steady.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models_registry.judge import Belief, Judgement, judgement
from models_registry.providers.errors import Outcome
from models_registry.vocabulary import ErrorCode, Observed

STEADY_AFTER = 12  # passed checks in a row: an hour of them

# What a failed check makes of the models that are wanted. Being rate-limited is no failure of anybody.
ERRORS = {
    Outcome.UNREACHABLE: ErrorCode.PROVIDER_UNREACHABLE,
    Outcome.TLS_FAILED: ErrorCode.PROVIDER_UNREACHABLE,
    Outcome.PROVIDER_DOWN: ErrorCode.PROVIDER_UNREACHABLE,
    Outcome.REFUSED: ErrorCode.PROVIDER_UNREACHABLE,
    Outcome.NOT_OFFERED: ErrorCode.PROVIDER_UNREACHABLE,  # of the whole list: the address is wrong
    Outcome.CREDENTIAL_INVALID: ErrorCode.CREDENTIAL_INVALID,
}


@dataclass(frozen=True)
class Patience:
    """How many checks in a row it takes to change our mind, and how far they are apart in seconds.

    `again_s` is the pause while one answer contradicts what is believed.
    """

    failures_to_error: int = 3
    successes_to_recover: int = 2
    every_s: float = 300.0
    again_s: float = 30.0


@dataclass(frozen=True)
class Health:
    """What is believed of a provider.

    `outcome` is the last check's; `flaps` how often one failed right after one that passed, since it was steady.
    """

    outcome: Outcome | None = None
    failing: bool = False
    failures: int = 0
    successes: int = 0
    flaps: int = 0

    @property
    def is_settled(self) -> bool:
        """Whether the last checks said what is believed."""
        return not (self.successes if self.failing else self.failures)


def after(health: Health, outcome: Outcome, patience: Patience, *, certain: bool = False) -> Health:
    """The health after one more check; one that is `certain` needs no second to be believed.

    A provider that limits our requests answers, and says nothing for or against itself.
    """
    if outcome is Outcome.OK:
        return _passed(replace(health, outcome=outcome), patience)
    if outcome in ERRORS:
        return _failed(replace(health, outcome=outcome), patience, certain=certain)
    return replace(health, outcome=outcome)


def _passed(health: Health, patience: Patience) -> Health:
    successes = health.successes + 1
    needed = min(patience.successes_to_recover + max(0, health.flaps - 1), STEADY_AFTER)
    return replace(
        health,
        failing=health.failing and successes < needed,
        failures=0,
        successes=successes,
        flaps=0 if successes >= STEADY_AFTER else health.flaps,
    )


def _failed(health: Health, patience: Patience, *, certain: bool) -> Health:
    failures = health.failures + 1
    return replace(
        health,
        failing=health.failing or certain or failures >= patience.failures_to_error,
        failures=failures,
        successes=0,
        flaps=health.flaps + bool(health.successes),
    )


def next_check(health: Health, patience: Patience, *, at: datetime) -> datetime:
    """When to check again after a check at `at`: soon, while one answer contradicts what is believed."""
    soon = not health.is_settled and health.outcome != Outcome.RATE_LIMITED
    return at + timedelta(seconds=patience.again_s if soon else patience.every_s)


def judge_offered(belief: Belief, health: Health, *, offered: bool | None) -> Judgement:
    """New facts of a model of an API provider; `offered` is None where the last check did not tell.

    A failing provider marks what is wanted, a model that is not offered is marked in any case, and a check that
    passes clears both. Between two minds nothing changes.
    """
    if health.failing:
        error = ERRORS.get(health.outcome) if health.outcome is not None else None
        return Judgement() if error is None else _of_a_failing_provider(belief, error)
    if offered is None:
        return Judgement()
    if not offered:
        return judgement(belief, Observed.ABSENT, ErrorCode.NOT_OFFERED, code=ErrorCode.NOT_OFFERED)
    return judgement(belief, Observed.READY, "", code="recovered" if belief.error_code else "ready")


def _of_a_failing_provider(belief: Belief, error: ErrorCode) -> Judgement:
    if belief.error_code == ErrorCode.NOT_OFFERED:
        return Judgement()
    if belief.wanted:
        return judgement(belief, Observed.UNKNOWN, error, code=error)
    return judgement(belief, Observed.UNKNOWN, "", code="unknown")


def awaits_check(belief: Belief, *, asked_at: Iterable[datetime | None], checked_at: datetime) -> bool:
    """Whether nothing has been heard of a model since somebody asked for it, or since it stands for what it does."""
    if belief.error_code or belief.observed == Observed.READY:
        return False
    return any(time > checked_at for time in asked_at if time is not None)
