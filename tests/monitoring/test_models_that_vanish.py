"""A model that is removed from its server's repository, and what is still on the GPU then."""

import pytest

from models_registry.vocabulary import Observed
from tests.monitoring.world import World
from usage.refusals import ModelError


def test_one_that_was_never_loaded_is_missing(world: World):
    world.add("chat")
    world.look()
    world.fake.forget("chat")
    world.look()
    assert (world.status("chat"), world.error("chat")) == ("error", "missing")
    assert world.model("chat").observed == Observed.ABSENT


def test_put_back_it_is_no_longer_missing_and_the_events_tell(world: World):
    world.add("chat")
    world.fake.forget("chat")
    world.look()
    world.fake.add("chat")
    world.look()
    assert (world.status("chat"), world.error("chat")) == ("registered", "")
    assert world.codes("chat") == ["missing", "recovered"]


def test_one_look_at_an_index_that_is_empty_for_a_moment_is_no_proof(world: World, monkeypatch: pytest.MonkeyPatch):
    """Right after a load the index can be empty: absent is absent twice in a row."""
    world.add("chat")
    world.bring_up("chat")
    real, answers = world.fake.observe, iter([world.fake.observe().__class__({})])
    monkeypatch.setattr(world.fake, "observe", lambda: next(answers, None) or real())

    world.look()

    assert world.status("chat") == "active"


def test_removed_while_loaded_it_stays_a_resident(world: World):
    world.add("chat")
    world.bring_up("chat")
    world.fake.forget("chat")
    world.look()
    assert (world.error("chat"), world.model("chat").observed) == ("missing", Observed.READY)
    with pytest.raises(ModelError):
        world.use("chat")

    world.add("embed", priority=-1)
    world.switch_on("embed")
    world.run_for(5)
    assert world.posts() == [("load", "chat")]  # its memory is taken


def test_and_it_can_be_unloaded(world: World):
    world.add("chat")
    world.bring_up("chat")
    world.fake.forget("chat")
    world.look()
    world.switch_off("chat")
    world.settle()
    world.look()
    assert world.posts() == [("load", "chat"), ("unload", "chat")]
    assert world.resident() == []
    assert (world.model("chat").observed, world.error("chat")) == (Observed.ABSENT, "missing")


def test_loaded_by_somebody_and_removed_between_two_looks_it_is_found_all_the_same(world: World):
    world.add("chat")
    world.look()
    world.fake.load_behind_our_back("chat")
    world.fake.forget("chat")

    world.settle()

    assert world.posts() == [("unload", "chat")]
    assert world.resident() == []


def test_a_wanted_one_that_is_missing_is_not_loaded_until_it_is_back(world: World):
    world.add("chat")
    world.fake.forget("chat")
    world.switch_on("chat")
    world.poll_for(600)
    assert (world.posts(), world.error("chat")) == ([], "missing")

    world.fake.add("chat")
    world.poll_for(120)
    world.run_for(2)

    assert world.status("chat") == "active"
    assert "recovered" in world.codes("chat")


def test_removed_while_it_loads_the_load_is_watched_on(world: World):
    world.add("chat", load_s=5)
    world.switch_on("chat")
    world.run_for(2)
    world.fake.forget("chat")
    world.run_for(30)
    assert world.posts() == [("load", "chat")]
    assert (world.error("chat"), world.model("chat").observed) == ("missing", Observed.READY)


def test_removed_while_loaded_and_put_back_it_recovers_without_being_touched(world: World):
    world.add("chat")
    world.bring_up("chat")
    world.fake.forget("chat")
    world.look()
    world.fake.add("chat")
    world.look()
    assert world.status("chat") == "recovered"
    assert world.posts() == [("load", "chat")]
    assert world.use("chat").model.name == "chat"


def test_removed_while_loaded_with_a_lease_the_lease_goes_on_and_no_other_begins(world: World):
    world.add("chat")
    world.bring_up("chat")
    grant = world.use("chat")
    world.fake.forget("chat")
    world.look()
    with pytest.raises(ModelError):
        world.use("chat")
    world.run_for(30)
    assert (world.model("chat").open_leases, world.posts()) == (1, [("load", "chat")])
    world.done(grant)
