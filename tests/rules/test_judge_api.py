"""What free checks make of an API provider and of its models: the whole table."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from models_registry.judge import Belief
from models_registry.judge_api import (
    STEADY_AFTER,
    Health,
    Patience,
    after,
    awaits_check,
    judge_offered,
    next_check,
)
from models_registry.providers.errors import Outcome
from models_registry.vocabulary import ErrorCode, Observed

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
USUAL = Patience()
WORDS = {
    ".": Outcome.OK,
    "x": Outcome.UNREACHABLE,
    "k": Outcome.CREDENTIAL_INVALID,
    "~": Outcome.RATE_LIMITED,
}
FAILED = [
    (Outcome.UNREACHABLE, ErrorCode.PROVIDER_UNREACHABLE),
    (Outcome.TLS_FAILED, ErrorCode.PROVIDER_UNREACHABLE),
    (Outcome.PROVIDER_DOWN, ErrorCode.PROVIDER_UNREACHABLE),
    (Outcome.REFUSED, ErrorCode.PROVIDER_UNREACHABLE),
    (Outcome.NOT_OFFERED, ErrorCode.PROVIDER_UNREACHABLE),
    (Outcome.CREDENTIAL_INVALID, ErrorCode.CREDENTIAL_INVALID),
]


def story(told: str, health: Health | None = None) -> Health:
    """The health after checks told by one letter each: passed, unreachable (x), key refused (k), rate-limited (~)."""
    found = health or Health()
    for letter in told:
        found = after(found, WORDS[letter], USUAL)
    return found


def failing(told: str) -> str:
    """After each of the checks, whether the provider counts as failing: F or -."""
    return "".join("F" if story(told[: n + 1]).failing else "-" for n in range(len(told)))


class TestBelieving:
    @pytest.mark.parametrize(
        ("told", "believed"),
        [
            ("x", "-"),  # trap 13: one failed check changes nothing
            ("..x..x..", "--------"),
            (".xx.xx.", "-------"),
            (".xxx", "---F"),
            (".xkx", "---F"),  # whatever is wrong: three in a row
            ("xxx.", "--FF"),  # nor does one good one clear it
            ("xxx..", "--FF-"),
            ("xxx.x.x.", "--FFFFFF"),  # trap 13: a provider that flaps is not cleared by its good moments
            ("kkk..", "--FF-"),  # trap 15: a provider whose keys were all refused gets well
            ("x~x~x", "----F"),  # being limited is no answer for or against
            ("xxx~~~~", "--FFFFF"),
            (".~~~~~~", "-------"),  # trap 14
        ],
    )
    def test_it_takes_several_checks_in_a_row(self, told: str, believed: str):
        assert failing(told) == believed

    def test_what_is_certain_is_believed_at_once(self):
        assert after(Health(), Outcome.CREDENTIAL_INVALID, USUAL, certain=True).failing

    def test_each_fall_since_it_was_steady_asks_for_one_more_good_check(self):
        once = story("." * STEADY_AFTER + "xxx..")
        again = story("xxx..", once)
        assert (once.failing, once.flaps, again.failing, again.flaps) == (False, 1, True, 2)
        assert not story(".", again).failing

    def test_however_often_it_fell_it_is_trusted_once_it_is_steady(self):
        flapping = story("xxx" + ".x" * 50)
        assert flapping.flaps == 50
        steady = story("." * STEADY_AFTER, flapping)
        assert (steady.failing, steady.flaps) == (False, 0)

    def test_a_provider_that_never_answered_did_not_fall(self):
        assert story("xxxxx").flaps == 0


class TestWhenToCheckAgain:
    @pytest.mark.parametrize(
        ("told", "seconds"),
        [
            (".", 300),
            (".x", 30),  # between two minds
            (".xx", 30),
            (".xxx", 300),
            (".xxx.", 30),
            (".xxx..", 300),
            (".~", 300),
            (".x~", 300),  # it asked to be left alone
            ("x", 30),
        ],
    )
    def test_soon_while_the_last_answer_contradicts_what_is_believed(self, told: str, seconds: int):
        assert next_check(story(told), USUAL, at=AT) == AT + timedelta(seconds=seconds)


BELIEFS = [
    Belief(wanted, Observed(observed), error)
    for wanted, observed, error in product([True, False], Observed.values, ErrorCode.values)
]


def judged(belief: Belief, health: Health, *, offered: bool | None) -> tuple[str, str]:
    """(observed, error) afterwards."""
    found = judge_offered(belief, health, offered=offered)
    return str(found.changes.get("observed", belief.observed)), str(found.changes.get("error_code", belief.error_code))


def as_it_was(belief: Belief) -> tuple[str, str]:
    return str(belief.observed), str(belief.error_code)


class TestEveryBelief:
    def test_offered_by_a_good_provider_is_ready_whatever_was_wrong(self):
        assert {judged(belief, story("."), offered=True) for belief in BELIEFS} == {("ready", "")}

    def test_not_offered_marks_any_model(self):
        assert {judged(belief, story("."), offered=False) for belief in BELIEFS} == {("absent", "not_offered")}

    @pytest.mark.parametrize("told", ["~", ".x", ".xx", "x", ".x~"])
    def test_between_two_minds_nothing_changes(self, told: str):
        for belief in BELIEFS:
            assert judged(belief, story(told), offered=None) == as_it_was(belief)

    @pytest.mark.parametrize("told", ["xxx.", "kkk~", "xxx~"])
    def test_nor_while_a_failing_provider_gets_better(self, told: str):
        for belief in BELIEFS:
            assert judged(belief, story(told), offered=True) == as_it_was(belief)

    @pytest.mark.parametrize(("outcome", "code"), FAILED)
    def test_a_failing_provider_marks_what_is_wanted(self, outcome: Outcome, code: ErrorCode):
        health = Health(outcome, failing=True, failures=3)
        for belief in BELIEFS:
            left = belief.error_code == ErrorCode.NOT_OFFERED
            expected = as_it_was(belief) if left else ("unknown", code if belief.wanted else "")
            assert judged(belief, health, offered=None) == expected


def test_a_check_that_passes_tells_that_the_model_recovered():
    belief = Belief(wanted=True, observed=Observed.UNKNOWN, error_code=ErrorCode.CREDENTIAL_INVALID)
    assert judge_offered(belief, story("kkk.."), offered=True).code == "recovered"


def test_every_outcome_but_passing_and_waiting_is_a_failure():
    for outcome in Outcome:
        health = after(Health(), outcome, USUAL)
        assert bool(health.failures) == (outcome not in (Outcome.OK, Outcome.RATE_LIMITED))


class TestWaitingForACheck:
    BEFORE, LATER = AT - timedelta(seconds=1), AT + timedelta(seconds=1)

    def awaits(self, belief: Belief, *asked_at: datetime | None) -> bool:
        return awaits_check(belief, asked_at=asked_at, checked_at=AT)

    def test_since_somebody_asked_after_the_last_one(self):
        belief = Belief(wanted=True, observed=Observed.UNKNOWN)
        assert self.awaits(belief, None, self.BEFORE, self.LATER)
        assert not self.awaits(belief, None, self.BEFORE, AT)

    def test_nothing_is_awaited_of_what_is_known(self):
        assert not self.awaits(Belief(True, Observed.READY), self.LATER)
        assert not self.awaits(Belief(True, Observed.UNKNOWN, ErrorCode.CREDENTIAL_INVALID), self.LATER)
