"""The world of the service tests, and a model to change."""

import pytest

from models_registry.vocabulary import Observed
from tests.monitoring.fixtures import build, clock, shared_world, tasks, world
from tests.monitoring.world import World

__all__ = ["build", "clock", "shared_world", "tasks", "world"]


@pytest.fixture
def chat(world: World) -> str:
    """The name of a model that is off and known to be so."""
    name = world.add("chat")
    world.put(name, observed=Observed.UNLOADED)
    return name
