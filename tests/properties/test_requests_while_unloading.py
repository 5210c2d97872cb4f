"""Trap 1: whatever is asked for while models are unloaded and loaded ends ready, and nothing stays dead."""

from collections.abc import Callable

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from models_registry.services.switching import automatic
from models_registry.vocabulary import SwitchState
from monitoring.models import Operation
from tests.monitoring.world import START, World
from tests.properties.clearing import clear
from tests.properties.effort import effort
from usage.models import Lease
from usage.refusals import ModelActivating, ModelInactive
from usage.services.leases import find_lease, release

NAMES = ("bge", "chat")
DEADLINE_S = 180  # of one who asks: 60 s until a hand-over, a lease of at most 60 s, and all that moves
names = st.sampled_from(NAMES)
moves = st.one_of(
    st.tuples(st.just("ask"), names, st.sampled_from([5, 60])),
    st.tuples(st.just("release"), names, st.just(0)),
    st.tuples(st.just("off"), names, st.just(0)),
    st.tuples(st.just("auto"), names, st.just(0)),
    st.tuples(st.just("pass"), names, st.sampled_from([0.2, 1, 3, 7])),
    st.tuples(st.just("pass"), names, st.sampled_from([0.2, 1, 3, 7])),
)


def ask(world: World, name: str, ttl_s: int) -> bool:
    """Whether it is granted; any refusal but that it is coming, or that a person switched it off, fails the test."""
    expected = ModelInactive if world.model(name).switch_state == SwitchState.OFF else ModelActivating
    try:
        world.use(name, ttl_s=ttl_s)
    except expected:
        return False
    assert world.fake.is_ready(name), "a lease on a model that is not ready"
    return True


def give_back(name: str) -> None:
    for lease in Lease.objects.filter(model__name=name, closed_at=None):
        release(find_lease(lease.pk, client_id=None))


def move(world: World, what: str, name: str, number: float) -> None:
    match what:
        case "ask":
            ask(world, name, int(number))
        case "release":
            give_back(name)
        case "off":
            world.switch_off(name)
        case "auto":
            automatic(world.model(name), actor="user:kim")
        case _:
            world.run_for(number, step=0.2)


def is_served_in_time(world: World, name: str) -> bool:
    ends = world.at(DEADLINE_S)
    while world.at(0) < ends:
        if ask(world, name, 5):
            give_back(name)
            return True
        world.run_for(2, step=0.5)
    return False


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_trap_1_whoever_asks_is_served_in_time_after_any_interleaving(
    db: None, build: Callable[..., World], clock: time_machine.Traveller
):
    @effort(examples=12, soak_examples=1000)
    @given(st.lists(moves, min_size=10, max_size=25), st.sampled_from([0, 1, 5]), st.sampled_from([0, 1, 5]))
    def holds(happened: list[tuple[str, str, float]], load_s: float, unload_s: float) -> None:
        clear()
        clock.move_to(START, tick=False)
        world = build()
        for name in NAMES:
            world.add(name, load_s=load_s, unload_s=unload_s, activation_policy="on_demand", idle_ttl_s=5)
        for what, name, number in happened:
            move(world, what, name, number)
        for name in NAMES:
            automatic(world.model(name), actor="user:kim")
        for name in NAMES:
            assert is_served_in_time(world, name), f"{name} is dead: {world.outcomes()[-6:]}"
        world.run_for(60)
        assert world.resident() == []
        assert not Operation.objects.filter(finished_at=None).exists()

    holds()
