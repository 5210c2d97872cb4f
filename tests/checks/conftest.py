"""The world of the checks."""

from tests.checks.fixtures import api, make_world, one_server, server, shared_api
from tests.monitoring.fixtures import build, clock, shared_world, tasks, world

__all__ = [
    "api",
    "build",
    "clock",
    "make_world",
    "one_server",
    "server",
    "shared_api",
    "shared_world",
    "tasks",
    "world",
]
