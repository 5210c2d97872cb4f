"""A forced switch-off ends the time to drain, where there is anything to drain."""

from models_registry.services.switching import deactivate
from models_registry.vocabulary import Observed
from tests.monitoring.world import World


def test_a_model_that_is_not_loaded_gets_no_drain_deadline(world: World) -> None:
    name = world.add("chat")
    world.put(name, observed=Observed.UNLOADED)

    assert deactivate(world.model(name), actor="user:kim", force=True).drain_until is None


def test_a_loaded_model_has_no_time_left(world: World) -> None:
    name = world.add("chat")
    world.make_ready(name)

    assert deactivate(world.model(name), actor="user:kim", force=True).drain_until == world.at(0)
