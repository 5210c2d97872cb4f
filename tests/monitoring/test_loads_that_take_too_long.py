"""Five minutes from the post a load is in error, and nothing else is done while Triton still works on it."""

import pytest

from models_registry.vocabulary import Observed
from monitoring.models import Outcome
from tests.monitoring.world import World

LONG = 400


@pytest.fixture
def stuck(world: World) -> World:
    world.add("big", load_s=LONG)
    world.switch_on("big")
    world.run_for(310, step=5)
    return world


def test_trap_5_it_ends_in_an_error_with_a_reason(stuck: World):
    assert (stuck.status("big"), stuck.error("big")) == ("error", "activation_timeout")
    assert stuck.model("big").error_message
    assert stuck.outcomes() == [("load", "big", Outcome.TIMED_OUT)]


def test_the_watch_lasts_five_minutes_from_the_post(stuck: World):
    operation = stuck.operations()[0]
    assert operation.posted_at is not None and operation.finished_at is not None
    assert 300 <= (operation.finished_at - operation.posted_at).total_seconds() <= 306


def test_trap_5_nothing_is_loaded_again_and_nothing_unloaded_while_it_still_loads(stuck: World):
    stuck.run_for(80, step=5)
    assert stuck.posts() == [("load", "big")]
    assert stuck.model("big").observed == Observed.LOADING


def test_trap_5_ready_later_and_still_wanted_it_has_recovered(stuck: World):
    stuck.run_for(100, step=5)
    assert stuck.status("big") == "recovered"
    assert stuck.codes("big")[-1] == "recovered"
    assert stuck.posts() == [("load", "big")]


def test_ready_later_and_not_wanted_any_more_it_is_unloaded(stuck: World):
    stuck.switch_off("big")
    stuck.run_for(60, step=5)
    assert stuck.posts() == [("load", "big")]

    stuck.run_for(60, step=5)

    assert stuck.posts() == [("load", "big"), ("unload", "big")]
    assert stuck.status("big") == "registered"
    assert stuck.resident() == []


def test_others_wait_until_the_server_has_done(stuck: World):
    stuck.add("chat")
    stuck.switch_on("chat")
    stuck.run_for(60, step=5)
    assert stuck.posts() == [("load", "big")]
    assert stuck.status("chat") == "activating"


def test_trap_11_it_can_be_activated_again_without_restarting_anything(world: World):
    world.add("big", load_s=LONG)
    world.switch_on("big")
    world.run_for(310, step=5)
    world.fake.restart()
    world.fake.add("big", load_s=1)

    world.switch_on("big")
    assert world.status("big") == "activating"
    world.run_for(5)

    assert world.status("big") == "active"


def test_a_server_that_stays_silent_until_the_deadline_ends_it_too(world: World):
    world.add("big", load_s=10)
    world.switch_on("big")
    world.look()
    world.fake.down = True

    world.run_for(320, step=5)

    assert world.outcomes() == [("load", "big", Outcome.TIMED_OUT)]
    assert world.operations()[0].error == "the server did not answer"
    world.fake.down = False
    world.run_for(30)
    assert world.status("big") == "recovered"
