"""The world of the service tests, and callers of its API."""

import pytest

from models_registry.models import Window
from tests.api.calls import Caller, a_caller
from tests.api.statistics import four_calls
from tests.monitoring.fixtures import build, clock, shared_world, tasks, world
from tests.monitoring.world import World
from tests.usage.statistics.arranging import Office

__all__ = ["build", "clock", "shared_world", "tasks", "world"]


@pytest.fixture
def everything(world: World) -> World:
    """One of each: the provider `gpu`, the model `embedder` and the window `night`."""
    world.add("embedder")
    hours = [{"weekdays": [0, 1, 2, 3, 4, 5, 6], "start": "17:00", "end": "09:00"}]
    Window.objects.get_or_create(name="night", defaults={"timezone": "Asia/Seoul", "rules": hours})
    return world


@pytest.fixture
def manager(world: World) -> Caller:
    """A client that may do everything."""
    return a_caller("operator", "manage")


@pytest.fixture
def chatbot(world: World) -> Caller:
    """A client that uses models and reads."""
    return a_caller("chatbot", "read", "use")


@pytest.fixture
def office(world: World) -> Office:
    """Four calls, of which statistics tell."""
    return four_calls(world.provider)
