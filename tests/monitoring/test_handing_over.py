"""A model that does not fit beside the others: who gives way, who stays, and that it ends."""

import pytest

from models_registry.refusals import ModelTooLarge
from models_registry.vocabulary import SwitchState
from monitoring.models import Outcome
from tests.monitoring.world import World
from usage.refusals import ModelActivating


@pytest.fixture
def roomy(db: None, build) -> World:
    """A server whose memory is what counts."""
    return build(budget_mb=100, max_loaded_models=None)


def test_the_idle_one_gives_way_and_stays_off(world: World):
    world.add("a1", unload_s=1)
    world.add("b1", load_s=1)
    world.bring_up("a1")

    world.switch_on("b1")
    world.settle()

    assert world.posts() == [("load", "a1"), ("unload", "a1"), ("load", "b1")]
    assert (world.status("a1"), world.status("b1")) == ("registered", "active")
    a1 = world.model("a1")
    assert (a1.wanted, a1.switch_state) == (False, SwitchState.AUTO)
    world.poll_for(1200)
    assert world.posts()[-1] == ("load", "b1")


def test_the_event_tells_by_whom_it_was_evicted(world: World):
    world.add("a1")
    world.add("b1")
    world.bring_up("a1")
    world.switch_on("b1")
    world.settle()
    assert world.model("a1").events.get(code="evicted").message == "for b1"


def test_a_leased_one_is_waited_for_and_handed_over_when_it_is_released(world: World):
    world.add("a1")
    world.add("b1")
    world.bring_up("a1")
    lease = world.use("a1", ttl_s=600)
    world.switch_on("b1")
    world.run_for(60)
    assert world.posts() == [("load", "a1")]
    assert world.held_by("b1") == ["a1"]

    world.done(lease)
    world.run_for(3)

    assert world.outcomes()[1:] == [("unload", "a1", Outcome.SUCCEEDED), ("load", "b1", Outcome.SUCCEEDED)]
    assert world.status("b1") == "active"
    assert world.status("a1") == "registered"


def test_a_lease_that_runs_out_hands_over_too(world: World):
    world.add("a1")
    world.add("b1")
    world.bring_up("a1")
    world.use("a1", ttl_s=30)
    world.switch_on("b1")
    world.run_for(29)
    assert world.status("b1") == "activating"

    world.run_for(3)

    assert world.status("b1") == "active"


def test_one_of_higher_priority_stays(world: World):
    world.add("a1", priority=5)
    world.add("b1")
    world.bring_up("a1")
    world.switch_on("b1")
    world.run_for(30)
    assert world.posts() == [("load", "a1")]
    assert world.held_by("b1") == ["a1"]


def test_a_pinned_one_stays(world: World):
    world.add("a1", pinned=True)
    world.add("b1", priority=100)
    world.bring_up("a1")
    world.switch_on("b1")
    world.run_for(30)
    assert world.posts() == [("load", "a1")]


def test_as_few_as_make_room_give_way(roomy: World):
    for name, size in (("s1", 20), ("s2", 20), ("s3", 20), ("m1", 40)):
        roomy.add(name, gpu_memory_mb=size)
    roomy.bring_up("s1", "s2", "s3", "m1")
    roomy.add("big", gpu_memory_mb=60)
    roomy.switch_on("big")
    roomy.settle()

    gone = [name for kind, name in roomy.posts() if kind == "unload"]
    assert len(gone) == 2 and "m1" in gone
    assert roomy.status("big") == "active"


def test_several_give_way_the_least_recently_used_first(roomy: World):
    for name in ("s1", "s2", "s3"):
        roomy.add(name, gpu_memory_mb=30)
    roomy.bring_up("s1", "s2", "s3")
    for name in ("s2", "s1", "s3"):
        roomy.advance(5)
        roomy.done(roomy.use(name))
    roomy.add("big", gpu_memory_mb=60)
    roomy.switch_on("big")
    roomy.settle()

    assert [name for kind, name in roomy.posts() if kind == "unload"] == ["s2", "s1"]
    assert roomy.resident() == ["big", "s3"]
    assert roomy.fake.used_mb() == 90


def test_nobody_gives_way_when_even_all_would_not_do(roomy: World):
    roomy.add("held", gpu_memory_mb=60)
    roomy.add("idle", gpu_memory_mb=40)
    roomy.bring_up("held", "idle")
    roomy.use("held", ttl_s=600)
    roomy.add("big", gpu_memory_mb=50)
    roomy.switch_on("big")
    roomy.run_for(20)
    assert roomy.resident() == ["held", "idle"]


def test_trap_4_one_that_can_never_fit_is_refused_before_anybody_gives_way(roomy: World):
    roomy.add("small", gpu_memory_mb=50)
    roomy.bring_up("small")
    roomy.add("huge", gpu_memory_mb=101)

    with pytest.raises(ModelTooLarge):
        roomy.switch_on("huge")
    roomy.settle()

    assert roomy.resident() == ["small"]
    assert not roomy.model("huge").wanted


def test_strangers_on_the_gpu_are_counted(world: World):
    world.fake.add("stranger")
    world.fake.load_behind_our_back("stranger")
    world.add("a1")
    world.switch_on("a1")
    world.run_for(5)
    assert world.posts() == []
    assert world.held_by("a1") == ["stranger"]

    world.fake.unload_behind_our_back("stranger")
    world.poll_for(120)
    assert world.posts() == [("load", "a1")]


def test_residents_bigger_than_the_room_keep_everybody_out_and_are_left_alone(db: None, build):
    """Two were loaded by hand where one is allowed: nothing new comes until both have gone."""
    world = build(max_loaded_models=1)
    for name in ("a1", "b1"):
        world.add(name, priority=1)
        world.make_ready(name)
    world.add("c1")
    world.switch_on("c1")
    world.settle()
    assert world.posts() == []
    world.switch_off("a1")
    world.settle()
    assert world.posts() == [("unload", "a1")]


def test_two_of_the_same_priority_do_not_push_each_other_out_for_ever(world: World):
    world.add("a1")
    world.add("b1")
    world.switch_on("a1")
    world.switch_on("b1")
    world.settle(at_most=30)
    world.poll_for(2400)
    assert len(world.posts()) <= 3


def test_whoever_waited_for_a_model_has_it_before_it_gives_way_again(world: World):
    world.add("a1", load_s=2)
    world.add("b1")
    world.switch_on("a1")
    with pytest.raises(ModelActivating):
        world.use("a1")  # refused for now, and expected back within ten seconds
    world.look()
    world.switch_on("b1")
    world.run_for(4)
    assert world.posts() == [("load", "a1")]

    lease = world.use("a1")
    world.done(lease)
    world.run_for(3)

    assert world.posts()[1:] == [("unload", "a1"), ("load", "b1")]


def test_whoever_never_comes_back_is_waited_for_no_longer_than_they_said(world: World):
    world.add("a1", load_s=2)
    world.add("b1")
    world.switch_on("a1")
    with pytest.raises(ModelActivating):
        world.use("a1")
    world.look()
    world.switch_on("b1")

    world.run_for(14)

    assert world.status("b1") == "active"


def test_trap_2_fifty_activations_of_two_that_do_not_fit_together(world: World):
    """At no moment are both on the GPU."""
    world.add("a1", load_s=0.5, unload_s=0.3)
    world.add("b1", load_s=0.5, unload_s=0.3)
    for turn in range(50):
        world.switch_on("a1" if turn % 2 else "b1")
        world.look()
        assert len(world.resident()) <= 1
        world.advance(0.2)
    world.settle()
    assert len(world.resident()) == 1
