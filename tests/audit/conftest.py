"""The world of the service tests, and callers of its API."""

from tests.api.conftest import everything, manager
from tests.console.conftest import admin, browser
from tests.monitoring.fixtures import build, clock, shared_world, tasks, world

__all__ = ["admin", "browser", "build", "clock", "everything", "manager", "shared_world", "tasks", "world"]
