"""Whoever waits is told for whom, until when and in which place, and waits for no longer than fifteen minutes."""

from datetime import datetime

import pytest

from tests.monitoring.world import World
from usage.refusals import GpuBusy


@pytest.fixture
def blocked(world: World) -> World:
    """chat is leased for an hour; embed waits for it."""
    world.add("chat")
    world.add("embed", load_s=4)
    world.bring_up("chat")
    world.use("chat", ttl_s=3600)
    world.switch_on("embed")
    world.run_for(1)
    return world


def test_it_is_told_for_whom_until_when_and_in_which_place(blocked: World):
    waiting = blocked.model("embed").waiting
    assert waiting is not None
    assert (waiting["for"], waiting["queue_position"]) == (["chat"], 1)
    assert datetime.fromisoformat(waiting["until"]) == blocked.at(3600 - 1)
    assert waiting["expected_ready_at"] is None  # never loaded before: nothing is promised


def test_past_loads_tell_when_it_may_be_ready(blocked: World):
    blocked.switch_off("chat", force=True)
    blocked.run_for(8)
    assert blocked.status("embed") == "active"
    blocked.switch_on("chat")
    blocked.settle()
    blocked.use("chat", ttl_s=100)
    ends = blocked.at(100)
    blocked.switch_on("embed")
    blocked.run_for(1)

    waiting = blocked.model("embed").waiting
    assert waiting is not None
    expected = datetime.fromisoformat(waiting["expected_ready_at"])
    assert 3.9 <= (expected - ends).total_seconds() <= 5.5


def test_whoever_asks_for_it_is_told_the_same(blocked: World):
    with pytest.raises(GpuBusy) as refused:
        blocked.use("embed")
    assert refused.value.extra["held_by"] == ["chat"]
    assert refused.value.extra["queue_position"] == 1


def test_the_second_in_the_queue_knows_its_place(blocked: World):
    blocked.add("rerank")
    blocked.switch_on("rerank")
    blocked.run_for(1)
    waiting = blocked.model("rerank").waiting
    assert waiting is not None and waiting["queue_position"] == 2


def test_trap_3_after_fifteen_minutes_it_is_an_error_and_stays_in_the_queue(blocked: World):
    blocked.run_for(897, step=10)
    assert blocked.status("embed") == "activating"
    blocked.run_for(5)
    model = blocked.model("embed")
    assert (model.status_word, model.error_code) == ("error", "activation_timeout")
    assert "chat" in model.error_message
    assert model.wanted and model.queued_at is not None
    assert blocked.codes("embed")[-1] == "activation_timeout"


def test_loaded_after_that_it_has_recovered(blocked: World):
    blocked.run_for(910, step=10)
    blocked.switch_off("chat", force=True)
    blocked.run_for(10)
    assert blocked.status("embed") == "recovered"


def test_asking_again_after_that_starts_a_new_wait(blocked: World):
    blocked.run_for(910, step=10)
    blocked.switch_on("embed")
    assert blocked.status("embed") == "activating"
    blocked.run_for(890, step=10)
    assert blocked.status("embed") == "activating"
    blocked.run_for(20)
    assert blocked.error("embed") == "activation_timeout"


def test_trap_3_the_deadline_holds_while_another_loads_and_loads(world: World):
    world.add("slow", load_s=2000, priority=1)
    world.add("embed")
    world.switch_on("embed")
    world.put("embed", queued_at=world.at(-890))
    world.switch_on("slow")
    world.run_for(20)
    assert world.error("embed") == "activation_timeout"


def test_while_another_loads_whoever_comes_is_told_why_it_waits(world: World):
    world.add("slow", load_s=100)
    world.switch_on("slow")
    world.run_for(2)
    world.add("embed")
    world.switch_on("embed")
    world.run_for(1)
    assert world.held_by("embed") == ["slow"]


def test_nobody_is_named_while_room_is_being_made(world: World):
    world.add("chat", unload_s=10)
    world.add("embed")
    world.bring_up("chat")
    world.switch_on("embed")
    world.run_for(3)
    assert world.held_by("embed") == []


def test_unloaded_while_it_is_wanted_again_it_is_told_that_it_waits_for_nobody(world: World):
    world.add("chat", unload_s=30)
    world.bring_up("chat")
    world.switch_off("chat")
    world.run_for(2)
    world.switch_on("chat")
    world.run_for(2)
    assert world.held_by("chat") == []


def test_ready_it_waits_for_nothing(blocked: World):
    blocked.switch_off("chat", force=True)
    blocked.run_for(10)
    model = blocked.model("embed")
    assert (model.waiting, model.queued_at) == (None, None)


def test_trap_3_behind_a_server_stuck_in_somebody_elses_load_the_deadline_holds(world: World):
    """Every question is answered all the while: no read tells that nothing moves."""
    world.fake.add("theirs", load_s=36_000)
    world.fake.load_behind_our_back("theirs")
    world.add("embed")
    world.switch_on("embed")
    world.run_for(895, step=10)
    assert (world.status("embed"), world.provider_row().health_state) == ("activating", "ok")
    world.run_for(15, step=5)
    assert world.error("embed") == "activation_timeout"
    assert "theirs" in world.model("embed").error_message
    assert (world.posts(), world.provider_row().health_state) == ([], "ok")
