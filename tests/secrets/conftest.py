"""The world of the service tests, callers of its API and people in its console."""

from tests.api.conftest import everything, manager
from tests.console.conftest import admin, browser, watched
from tests.monitoring.fixtures import build, clock, shared_world, tasks, world

__all__ = [
    "admin",
    "browser",
    "build",
    "clock",
    "everything",
    "manager",
    "shared_world",
    "tasks",
    "watched",
    "world",
]
