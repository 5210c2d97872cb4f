"""Free checks of an API provider over all stories that its answers can tell."""

from hypothesis import given
from hypothesis import strategies as st

from models_registry.judge import Belief
from models_registry.judge_api import ERRORS, STEADY_AFTER, Health, Patience, after, judge_offered
from models_registry.providers.errors import Outcome
from tests.properties.effort import effort
from tests.properties.values import beliefs

many = effort(examples=200, soak_examples=20_000)
outcomes = st.lists(st.sampled_from(Outcome), max_size=60)
patiences = st.builds(Patience, st.integers(1, 5), st.integers(1, 5))
hearings = st.sampled_from([None, True, False])


def lived(story: list[Outcome], patience: Patience) -> Health:
    health = Health()
    for outcome in story:
        health = after(health, outcome, patience)
    return health


@many
@given(outcomes, patiences)
def test_an_answer_counts_for_or_against_and_the_last_decides_which(story: list[Outcome], patience: Patience):
    health = lived(story, patience)
    assert not (health.successes and health.failures)
    decisive = [outcome for outcome in story if outcome is not Outcome.RATE_LIMITED]
    assert bool(health.failures) == (bool(decisive) and decisive[-1] in ERRORS)


@many
@given(outcomes, patiences, st.sampled_from(sorted(ERRORS)))
def test_enough_failures_in_a_row_are_always_believed(story: list[Outcome], patience: Patience, outcome: Outcome):
    assert lived([*story, *[outcome] * patience.failures_to_error], patience).failing


@many
@given(outcomes, patiences)
def test_trap_15_an_hour_of_good_checks_always_clears(story: list[Outcome], patience: Patience):
    health = lived([*story, *[Outcome.OK] * STEADY_AFTER], patience)
    assert not health.failing
    assert health.flaps == 0


@many
@given(outcomes, patiences, st.sampled_from(Outcome))
def test_trap_13_one_answer_alone_changes_no_mind(story: list[Outcome], patience: Patience, outcome: Outcome):
    before = lived(story, patience)
    now = after(before, outcome, patience)
    if now.failing != before.failing:
        needed = patience.failures_to_error if now.failing else patience.successes_to_recover
        assert (now.failures if now.failing else now.successes) >= needed


@many
@given(outcomes, patiences, beliefs, hearings)
def test_facts_once_written_are_not_written_again(
    story: list[Outcome], patience: Patience, belief: Belief, offered: bool | None
):
    health = lived(story, patience)
    first = judge_offered(belief, health, offered=offered).changes
    settled = Belief(
        belief.wanted,
        first.get("observed", belief.observed),
        first.get("error_code", belief.error_code),
    )
    assert not judge_offered(settled, health, offered=offered).changes


@many
@given(outcomes, patiences, beliefs, hearings)
def test_trap_14_being_limited_never_makes_an_error(
    story: list[Outcome], patience: Patience, belief: Belief, offered: bool | None
):
    health = after(lived(story, patience), Outcome.RATE_LIMITED, patience)
    assert health.failing == lived(story, patience).failing
    assert not judge_offered(belief, health, offered=None).changes


@many
@given(outcomes, patiences, beliefs)
def test_a_provider_in_trouble_marks_nothing_that_nobody_wants(
    story: list[Outcome], patience: Patience, belief: Belief
):
    unwanted = Belief(False, belief.observed, belief.error_code)
    marked = judge_offered(unwanted, lived(story, patience), offered=None).changes.get("error_code")
    assert not marked
