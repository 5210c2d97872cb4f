"""What a person switched off nothing switches on: no request, no window, no resync, no repair, nobody else's load."""

from collections.abc import Callable
from contextlib import suppress
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from modelmanager.lib.refusals import Refusal
from models_registry.models import Window
from models_registry.services.windows import create_window
from models_registry.vocabulary import SwitchState
from tests.monitoring.world import START, World
from tests.properties.clearing import clear
from tests.properties.effort import effort

EVERY_DAY = [0, 1, 2, 3, 4, 5, 6]


def ask(world: World) -> None:
    with suppress(Refusal):
        world.use("chat")


def resync(world: World) -> None:
    with suppress(SystemExit):  # says that not all could be brought in line
        call_command("sync_triton", stdout=StringIO(), stderr=StringIO())


def someone_loads(world: World) -> None:
    with suppress(Exception):  # it may have been taken out of the repository
        world.fake.load_behind_our_back("chat")


def silence(world: World) -> None:
    world.fake.hang = True


def answer(world: World) -> None:
    world.fake.hang = False


EVENTS: dict[str, Callable[[World], object]] = {
    "a request": ask,
    "half an hour": lambda world: world.run_for(1800),
    "a poll": lambda world: world.poll_for(120),
    "a resync": resync,
    "a restart": lambda world: world.fake.restart(),
    "somebody loads": someone_loads,
    "somebody unloads": lambda world: world.fake.unload_behind_our_back("chat"),
    "it is removed": lambda world: world.fake.forget("chat"),
    "it is put back": lambda world: world.fake.add("chat", size_mb=0),
    "the server falls silent": silence,
    "the server answers": answer,
}


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_nothing_overrides_a_persons_switch_off(db: None, build: Callable[..., World], clock: time_machine.Traveller):
    @effort(examples=20, soak_examples=500)
    @given(
        st.sampled_from(["manual", "scheduled", "on_demand"]),
        st.booleans(),
        st.lists(st.sampled_from(sorted(EVENTS)), min_size=6, max_size=12),
    )
    def holds(policy: str, was_loaded: bool, happens: list[str]) -> None:
        clear()
        Window.all_objects.all().delete()
        clock.move_to(START, tick=False)
        world = build()
        hours = {"weekdays": EVERY_DAY, "start": "10:00", "end": "11:00"}  # it is 09:00
        window = (
            create_window(name="hour", timezone="UTC", rules=[hours], actor="user:kim")
            if policy == "scheduled"
            else None
        )
        world.add("chat", activation_policy=policy, window=window)
        if was_loaded:
            world.bring_up("chat")
        world.switch_off("chat")
        loads = world.posts().count(("load", "chat"))
        for event in happens:
            EVENTS[event](world)
            model = world.model("chat")
            assert (model.switch_state, model.wanted) == (SwitchState.OFF, False), event
            assert world.posts().count(("load", "chat")) == loads, event
            assert model.open_leases == 0, event

    holds()
