"""The world of the service tests, for the stateful ones."""

from tests.monitoring.fixtures import build, clock, tasks

__all__ = ["build", "clock", "tasks"]
