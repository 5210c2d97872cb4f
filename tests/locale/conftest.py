"""The world of the service tests, read in two languages."""

from tests.monitoring.fixtures import build, clock, shared_world, tasks, world

__all__ = ["build", "clock", "shared_world", "tasks", "world"]
