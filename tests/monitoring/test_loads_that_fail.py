"""A load that fails: its reason is kept, it is tried again after longer and longer, and not for ever."""

from itertools import pairwise

import pytest

from models_registry.vocabulary import Observed
from monitoring.models import Outcome
from tests.monitoring.world import World
from usage.refusals import ModelActivating, ModelError

OUT_OF_MEMORY = "CUDA out of memory"


def failing(world: World, *, load_s: float = 0) -> None:
    world.add("broken", load_s=load_s, failure=OUT_OF_MEMORY)
    world.switch_on("broken")


@pytest.mark.parametrize("load_s", [0, 4])
def test_the_server_s_reason_is_kept(world: World, load_s: float):
    failing(world, load_s=load_s)
    world.run_for(load_s + 1)

    model = world.model("broken")
    assert (model.status_word, model.error_code, model.observed) == ("error", "load_failed", Observed.UNLOADED)
    assert OUT_OF_MEMORY in model.error_message
    assert world.outcomes() == [("load", "broken", Outcome.FAILED)]
    assert OUT_OF_MEMORY in world.operations()[0].error
    code, message = model.events.values_list("code", "message")[0]
    assert code == "load_failed" and OUT_OF_MEMORY in message


def test_it_is_tried_again_after_10_20_40_80_seconds_and_no_more_after_five_times(world: World):
    failing(world)
    world.run_for(3600)

    posted = [post.at for post in world.fake.posts]
    assert [round(later - earlier) for earlier, later in pairwise(posted)] == [10, 20, 40, 80]
    assert world.status("broken") == "error"


def test_a_person_who_asks_again_starts_anew(world: World):
    failing(world)
    world.run_for(600)
    assert len(world.posts()) == 5

    world.switch_on("broken")
    assert world.error("broken") == ""
    world.run_for(600)

    assert len(world.posts()) == 10


def test_one_that_was_mended_meanwhile_recovers(world: World):
    failing(world)
    world.run_for(5)
    world.fake.add("broken")  # the repository has a better one now

    world.run_for(10)

    assert world.status("broken") == "recovered"
    assert world.codes("broken")[-1] == "recovered"
    assert world.model("broken").failures == 0


def test_a_changed_repository_asks_again_after_it_was_given_up(world: World):
    failing(world)
    world.run_for(600)
    assert len(world.posts()) == 5
    world.fake.forget("broken")
    world.poll_for(120)
    assert world.error("broken") == "missing"

    world.fake.add("broken")
    world.poll_for(120)

    assert len(world.posts()) == 6
    assert world.status("broken") == "active"


def test_while_it_is_held_back_others_are_served(world: World):
    failing(world)
    world.run_for(1)
    world.add("chat")
    world.switch_on("chat")
    world.run_for(1)
    assert world.status("chat") == "active"


def test_a_failure_from_before_is_ignored(world: World):
    """The index tells an old failure for ever; only what we posted can fail."""
    world.add("chat", failure=OUT_OF_MEMORY)
    world.fake.load_behind_our_back("chat")
    world.look()
    assert (world.status("chat"), world.model("chat").observed) == ("registered", Observed.UNLOADED)

    world.fake.add("chat", load_s=2)
    world.fake.stale_index_s = 0.5
    world.switch_on("chat")
    world.settle()

    assert world.status("chat") == "active"
    assert world.outcomes() == [("load", "chat", Outcome.SUCCEEDED)]


def test_the_same_failure_once_more_is_a_new_one(world: World):
    world.add("chat", failure=OUT_OF_MEMORY, load_s=2)
    world.fake.load_behind_our_back("chat")
    world.run_for(3)
    world.switch_on("chat")
    world.run_for(3)
    assert world.error("chat") == "load_failed"


def test_one_that_does_not_fit_the_gpu_really_fails_without_harming_the_others(db: None, build):
    world = build(budget_mb=100, max_loaded_models=None)
    world.add("chat", gpu_memory_mb=60)
    world.bring_up("chat")
    world.fake.leaked_mb = 30  # taken by somebody we know nothing of
    world.add("small", gpu_memory_mb=20)
    world.switch_on("small")
    world.run_for(1)

    assert world.error("small") == "load_failed"
    assert world.status("chat") == "active"


def test_once_it_was_given_up_no_request_loads_it_again_and_each_is_told_the_cause(world: World):
    world.add("broken", failure=OUT_OF_MEMORY, activation_policy="on_demand")
    for _minute in range(20):
        with pytest.raises((ModelActivating, ModelError)):
            world.use("broken")
        world.run_for(60)
    assert len(world.posts()) == 5
    with pytest.raises(ModelError) as refused:
        world.use("broken")
    assert refused.value.extra["cause"] == "load_failed"
    assert OUT_OF_MEMORY in refused.value.detail


def test_neither_a_poll_nor_a_resync_loads_it_again_once_it_was_given_up(world: World):
    failing(world)
    world.run_for(600)
    world.poll_for(3600)
    assert len(world.posts()) == 5
