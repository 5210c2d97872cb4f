"""When a reload goes back, and for how long its model keeps its place."""

import pytest

from models_registry.vocabulary import Observed
from monitoring.rules.plan import plan, queue_of
from monitoring.rules.reload import is_reloading, rolls_back
from monitoring.rules.values import Candidate, Keep, Load, Nothing, Server, Unload
from tests.rules.candidates import AT

PREVIOUS, TRIED = 1, 2


@pytest.mark.parametrize(
    ("kind", "outcome", "replaces", "current", "expected"),
    [
        ("load", "failed", PREVIOUS, TRIED, True),
        ("load", "timed_out", PREVIOUS, TRIED, True),
        ("load", "lost", PREVIOUS, TRIED, True),
        ("load", "succeeded", PREVIOUS, TRIED, False),
        ("load", "cancelled", PREVIOUS, TRIED, False),
        ("load", "failed", None, TRIED, False),  # no reload
        ("load", "failed", TRIED, TRIED, False),  # it has gone back already
        ("load", "failed", PREVIOUS, 3, False),  # a person was quicker
        ("unload", "failed", PREVIOUS, TRIED, False),
    ],
)
def test_when_it_goes_back(kind: str, outcome: str, replaces: int | None, current: int, expected: bool):
    assert rolls_back(kind, outcome, tried=TRIED, replaces=replaces, current=current) is expected


@pytest.mark.parametrize(
    ("kind", "outcome", "replaces", "expected"),
    [
        ("unload", "succeeded", PREVIOUS, True),
        ("load", "failed", PREVIOUS, True),
        ("load", "cancelled", PREVIOUS, True),
        ("load", "succeeded", PREVIOUS, False),
        ("unload", "succeeded", None, False),
        ("load", "failed", None, False),
    ],
)
def test_how_long_its_model_keeps_its_place(kind: str, outcome: str, replaces: int | None, expected: bool):
    assert is_reloading(kind, outcome, replaces=replaces) is expected


def ready(**more: object) -> Candidate:
    return Candidate(1, "chat", wanted=True, observed=Observed.READY, needs_reload=True, **more)


def decided(*candidates: Candidate) -> object:
    return plan(Server(), candidates, AT).action


def test_an_idle_one_is_unloaded_at_once():
    assert decided(ready()) == Unload(1, reload=True)


def test_one_in_use_drains_and_is_not_kept():
    assert decided(ready(open_leases=1, drain_until=AT.replace(year=AT.year + 1))) == Nothing()


def test_at_its_deadline_its_leases_are_revoked():
    assert decided(ready(open_leases=1, drain_until=AT)) == Unload(1, revoke=True, reload=True)


def test_one_with_its_current_settings_is_kept_as_before():
    other = Candidate(1, "chat", wanted=True, observed=Observed.READY, drain_until=AT, open_leases=1)
    assert decided(other) == Keep(1)


def test_it_comes_before_those_that_wait_longer_or_are_worth_more():
    waits = Candidate(2, "other", wanted=True, observed=Observed.UNLOADED, priority=9, waiting_lease=True)
    returns = Candidate(1, "chat", wanted=True, observed=Observed.UNLOADED, reloading=True)
    assert [c.id for c in queue_of([waits, returns], AT)] == [1, 2]
    assert decided(waits, returns) == Load(1)
