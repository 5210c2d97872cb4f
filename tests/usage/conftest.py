"""The world of the service tests, and a model to use."""

import pytest

from tests.monitoring.fixtures import build, clock, shared_world, tasks, world
from tests.monitoring.world import World

__all__ = ["build", "clock", "shared_world", "tasks", "world"]


@pytest.fixture
def chat(world: World) -> str:
    """The name of a model that is ready."""
    name = world.add("chat")
    world.make_ready(name)
    return name
