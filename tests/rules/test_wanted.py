"""What is wanted: a person's switch, then the policy."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from models_registry.vocabulary import Policy, SwitchState
from models_registry.wanted import Switch, wanted

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(seconds=1)
EARLIER = AT - timedelta(seconds=1)


@dataclass(frozen=True)
class AlwaysOpen:
    def contains(self, at: datetime) -> bool:
        return True

    def next_opening(self, at: datetime) -> datetime | None:
        return None

    def next_closing(self, at: datetime) -> datetime | None:
        return None


@dataclass(frozen=True)
class AlwaysClosed(AlwaysOpen):
    def contains(self, at: datetime) -> bool:
        return False


def ask(
    policy: Policy,
    *,
    switch: Switch | None = None,
    window: AlwaysOpen | None = None,
    demand_until: datetime | None = None,
    open_leases: int = 0,
) -> bool:
    return wanted(switch or Switch(), policy, window, demand_until=demand_until, open_leases=open_leases, at=AT)


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("until", [None, LATER])
def test_a_switch_that_holds_outranks_everything(policy: Policy, until: datetime | None):
    every = product([None, AlwaysOpen(), AlwaysClosed()], [None, EARLIER, LATER], [0, 2])
    for window, demand_until, open_leases in every:
        inputs = {"window": window, "demand_until": demand_until, "open_leases": open_leases}
        assert ask(policy, switch=Switch(SwitchState.ON, until), **inputs)
        assert not ask(policy, switch=Switch(SwitchState.OFF, until), **inputs)


@pytest.mark.parametrize("until", [EARLIER, AT])
@pytest.mark.parametrize("state", [SwitchState.ON, SwitchState.OFF])
def test_a_switch_that_ran_out_leaves_it_to_the_policy(state: SwitchState, until: datetime):
    spent = Switch(state, until)
    assert not ask(Policy.MANUAL, switch=spent)
    assert ask(Policy.SCHEDULED, switch=spent, window=AlwaysOpen())
    assert ask(Policy.ON_DEMAND, switch=spent, open_leases=1)


def test_a_manual_model_on_auto_is_off_whatever_is_asked_of_it():
    assert not ask(Policy.MANUAL, demand_until=LATER, open_leases=3, window=AlwaysOpen())


def test_a_scheduled_model_follows_its_window_and_nothing_else():
    assert ask(Policy.SCHEDULED, window=AlwaysOpen())
    assert not ask(Policy.SCHEDULED, window=AlwaysClosed(), demand_until=LATER, open_leases=3)
    assert not ask(Policy.SCHEDULED, window=None)


@pytest.mark.parametrize(
    ("demand_until", "open_leases", "expected"),
    [(None, 0, False), (EARLIER, 0, False), (AT, 0, False), (LATER, 0, True), (None, 1, True), (EARLIER, 1, True)],
)
def test_an_on_demand_model_is_on_while_leased_or_asked_for(
    demand_until: datetime | None, open_leases: int, expected: bool
):
    assert ask(Policy.ON_DEMAND, demand_until=demand_until, open_leases=open_leases) is expected
