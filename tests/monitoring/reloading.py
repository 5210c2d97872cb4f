"""Load settings that work and that fail, and what a reload left behind."""

from collections.abc import Callable
from typing import Any

from models_registry.models import ConfigVersion
from models_registry.services.configs import create_version
from tests.monitoring.world import World
from tests.registry.arranging import in_force_at

EIGHT: dict[str, Any] = {"triton": {"max_batch_size": 8}}
BROKEN: dict[str, Any] = {"triton": {"parameters": {"failure": "no such kernel"}}}


def with_a_loaded_chat(build: Callable[..., World]) -> World:
    """One loaded model on a server for one, as the server itself has it."""
    world = build(drain_s=60)
    world.add("chat", load_s=2, unload_s=1)
    world.bring_up("chat")
    return world


def configure(world: World, values: dict[str, Any], name: str = "chat") -> ConfigVersion:
    return create_version(world.model(name), values, actor="user:kim", comment="faster", apply=True)


def sent(world: World) -> list[dict[str, Any] | None]:
    """The configurations that were posted, in order."""
    return [post.config for post in world.fake.posts if post.kind == "load"]


def numbers(world: World, name: str = "chat") -> tuple[int, int | None]:
    """The current and the loaded version."""
    model = world.model(name)
    assert model.config is not None
    return model.config.number, model.loaded_config.number if model.loaded_config else None


def running(world: World) -> int:
    """The version in force now."""
    config = in_force_at(world.model("chat"), world.at(0))
    assert config is not None
    return config.number
