"""Someone else loads and unloads on a server of ours."""

from collections.abc import Callable
from typing import Any

import pytest

from models_registry.vocabulary import Observed
from tests.monitoring.world import World


def test_what_they_unload_and_we_want_is_an_error_and_loaded_again(world: World):
    world.add("chat")
    world.bring_up("chat")
    world.fake.unload_behind_our_back("chat")
    world.look()
    assert "not_loaded" in world.codes("chat")
    world.settle()
    assert world.status("chat") == "recovered"
    assert world.posts() == [("load", "chat"), ("load", "chat")]


def test_what_they_load_and_nobody_wants_is_unloaded(world: World):
    world.add("chat")
    world.fake.load_behind_our_back("chat")
    world.settle()
    assert world.posts() == [("unload", "chat")]
    assert world.status("chat") == "registered"


def test_what_they_load_and_we_want_is_ready_without_a_post(world: World):
    world.add("chat", load_s=10)
    world.fake.load_behind_our_back("chat")
    world.switch_on("chat")
    world.run_for(12)
    assert (world.posts(), world.status("chat")) == ([], "active")


def test_nothing_is_posted_while_they_load(world: World):
    world.fake.add("theirs", load_s=20)
    world.fake.load_behind_our_back("theirs")
    world.add("chat")
    world.switch_on("chat")
    world.run_for(19)
    assert world.posts() == []


def test_what_they_unload_and_nobody_wants_is_just_unloaded(world: World):
    world.add("chat")
    world.make_ready("chat")
    world.put("chat", wanted=False, switch_state="off")
    world.fake.unload_behind_our_back("chat")
    world.look()
    assert (world.status("chat"), world.model("chat").observed) == ("registered", Observed.UNLOADED)
    assert world.posts() == []


def test_what_they_load_between_our_plan_and_our_post_fails_ours_and_is_left_alone(
    db: None, build: Callable[..., World], monkeypatch: pytest.MonkeyPatch
):
    world = build(budget_mb=100, max_loaded_models=None)
    world.fake.add("theirs", size_mb=80)
    world.add("chat", gpu_memory_mb=60)
    post_load = world.fake.post_load

    def too_late(name: str, **more: Any) -> bool:
        world.fake.load_behind_our_back("theirs")
        return post_load(name, **more)

    with monkeypatch.context() as patched:
        patched.setattr(world.fake, "post_load", too_late)
        world.switch_on("chat")
        world.run_for(2)
    assert world.error("chat") == "load_failed"
    assert "CUDA out of memory" in world.model("chat").error_message
    assert world.resident() == ["theirs"]

    world.fake.unload_behind_our_back("theirs")
    world.run_for(15)

    assert world.status("chat") == "recovered"
    assert world.posts() == [("load", "chat"), ("load", "chat")]


def test_who_takes_turns_with_us_on_the_same_model_makes_nothing_hang(world: World):
    world.add("chat", load_s=1, unload_s=1)
    world.bring_up("chat")
    for _turn in range(6):
        world.fake.unload_behind_our_back("chat")
        world.run_for(1)
        world.fake.load_behind_our_back("chat")
        world.run_for(3)
    world.run_for(60)
    assert world.status("chat") in ("active", "recovered")
    assert all(operation.finished_at is not None for operation in world.operations())
