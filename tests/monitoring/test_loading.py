"""A model that is switched on is loaded: once, watched until it is ready, however long its server takes."""

from datetime import timedelta
from itertools import pairwise

import pytest

from models_registry.vocabulary import Observed
from monitoring.models import Outcome
from tests.monitoring.world import World


def test_from_activation_to_ready(world: World):
    world.add("chat")
    world.switch_on("chat")
    assert world.status("chat") == "activating"

    world.settle()

    assert world.status("chat") == "active"
    assert world.posts() == [("load", "chat")]
    assert world.outcomes() == [("load", "chat", Outcome.SUCCEEDED)]
    assert world.codes("chat") == ["switched_on", "unloaded", "loading", "ready"]


def test_the_operation_tells_who_asked_and_when(world: World):
    world.add("chat", load_s=3)
    world.switch_on("chat")
    world.settle()

    operation = world.operations()[0]
    assert operation.requested_by == "user:kim"
    assert operation.posted_at is not None and operation.finished_at is not None
    assert timedelta(seconds=3) <= operation.finished_at - operation.posted_at < timedelta(seconds=4)


def test_while_it_loads_it_is_activating_and_nothing_is_posted_again(world: World):
    world.add("chat", load_s=30)
    world.switch_on("chat")

    world.run_for(29)

    assert (world.status("chat"), world.model("chat").observed) == ("activating", Observed.LOADING)
    assert world.posts() == [("load", "chat")]


def test_a_ready_model_knows_the_configuration_it_was_loaded_with(world: World):
    world.add("chat", load_s=1)
    world.bring_up("chat")
    model = world.model("chat")
    assert model.loaded_config_id == model.config_id is not None


@pytest.mark.parametrize("load_s", [5, 90, 290])
def test_trap_7_a_load_slower_than_any_time_out_of_the_client_ends_active(world: World, load_s: float):
    """The client library gives up after a minute; the load goes on in the server."""
    world.add("big", load_s=load_s)
    world.switch_on("big")

    world.run_for(load_s + 6, step=5)

    assert world.status("big") == "active"
    assert world.posts() == [("load", "big")]


def test_trap_7_ready_in_the_index_is_no_proof(world: World, monkeypatch: pytest.MonkeyPatch):
    world.add("wedged", load_s=1)
    monkeypatch.setattr(world.fake, "is_ready", lambda name, version="": False)
    world.switch_on("wedged")

    world.run_for(250, step=5)
    assert world.status("wedged") == "activating"

    world.run_for(60, step=5)
    assert (world.status("wedged"), world.error("wedged")) == ("error", "activation_timeout")
    assert world.posts() == [("load", "wedged")]


def test_trap_7_a_200_on_the_post_is_no_proof_either(world: World, monkeypatch: pytest.MonkeyPatch):
    world.add("liar")
    monkeypatch.setattr(world.fake, "is_ready", lambda name, version="": False)
    world.switch_on("liar")

    world.look()

    assert world.operations()[0].outcome == Outcome.RUNNING
    assert world.status("liar") == "activating"


def test_trap_6_one_load_is_posted_however_often_somebody_asks(world: World):
    world.add("chat", load_s=20)
    for _time in range(5):
        world.switch_on("chat")
        world.run_for(3)
    world.settle(at_most=200)

    assert world.posts() == [("load", "chat")]
    assert world.status("chat") == "active"


def test_switched_off_before_the_post_nothing_is_posted(world: World, monkeypatch: pytest.MonkeyPatch):
    from monitoring import operations

    world.add("chat")
    world.switch_on("chat")
    real = operations._post

    def switched_off_first(*args):
        world.switch_off("chat")
        return real(*args)

    monkeypatch.setattr(operations, "_post", switched_off_first)
    world.look()

    assert world.posts() == []
    assert world.outcomes() == [("load", "chat", Outcome.CANCELLED)]
    assert (world.status("chat"), world.model("chat").observed) == ("registered", Observed.UNLOADED)


def test_switched_off_while_it_loads_it_is_unloaded_once_it_is_ready(world: World):
    world.add("chat", load_s=5)
    world.switch_on("chat")
    world.run_for(2)
    world.switch_off("chat")

    world.run_for(2)
    assert world.posts() == [("load", "chat")]  # unloading a loading model would block the server

    world.settle()
    assert world.posts() == [("load", "chat"), ("unload", "chat")]
    assert world.status("chat") == "registered"
    assert world.resident() == []


def test_several_models_are_loaded_one_after_the_other(db: None, build):
    world = build(max_loaded_models=3)
    for name in ("a1", "b1", "c1"):
        world.add(name, load_s=2)
        world.switch_on(name)

    world.settle(at_most=100)

    assert world.posts() == [("load", "a1"), ("load", "b1"), ("load", "c1")]
    times = [(o.posted_at, o.finished_at) for o in world.operations()]
    assert all(later[0] >= earlier[1] for earlier, later in pairwise(times))
    assert {world.status(n) for n in ("a1", "b1", "c1")} == {"active"}


def test_a_version_that_the_server_does_not_serve_is_never_called_active(world: World):
    """The index folds versions; `ready` of this very version must agree, also long after the load."""
    world.add("pinned", load_s=1, remote_version="7")
    world.switch_on("pinned")
    world.run_for(310, step=5)
    assert world.error("pinned") == "load_failed"

    world.run_for(700, step=10)

    assert world.status("pinned") == "error"
    assert "recovered" not in world.codes("pinned")
    assert world.posts() == [("load", "pinned")]
