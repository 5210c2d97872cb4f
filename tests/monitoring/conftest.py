"""The world of the service tests."""

from tests.monitoring.fixtures import build, clock, shared_world, tasks, world
from tests.triton.fixtures import triton_installation

__all__ = ["build", "clock", "shared_world", "tasks", "triton_installation", "world"]
