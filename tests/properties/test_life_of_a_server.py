"""Whatever happens, in whatever order: the promises hold after every step, and it comes to rest."""

from collections.abc import Callable

import pytest
import time_machine
from hypothesis.stateful import run_state_machine_as_test

from tests.monitoring.world import World
from tests.properties.effort import effort
from tests.properties.machine import Life


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_the_promises_hold_through_any_life(
    transactional_db: None, build: Callable[..., World], clock: time_machine.Traveller
):
    class LifeHere(Life):
        pass

    LifeHere.build, LifeHere.traveller = staticmethod(build), clock
    run_state_machine_as_test(LifeHere, settings=effort(examples=8, soak_examples=300, steps=30))
