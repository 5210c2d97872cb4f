"""A server that answers, and shows no sign of what was posted: the operation is lost, and a new one may follow."""

import pytest

from models_registry.providers.errors import ProviderUnavailable
from models_registry.vocabulary import Observed
from monitoring.models import Outcome
from tests.monitoring.world import World


@pytest.fixture
def swallowed(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The first load was sent and never arrived: the connection broke."""
    world.add("chat", load_s=2)
    with monkeypatch.context() as patch:
        patch.setattr(world.fake, "post_load", lambda name, config=None: False)
        world.switch_on("chat")
        world.look()
    return world


def test_it_is_believed_for_ten_seconds(swallowed: World):
    swallowed.run_for(9)
    assert swallowed.outcomes() == [("load", "chat", Outcome.RUNNING)]
    assert swallowed.posts() == []


def test_then_it_is_lost_and_loaded_by_a_new_operation_after_a_while(swallowed: World):
    swallowed.run_for(12)
    assert swallowed.outcomes() == [("load", "chat", Outcome.LOST)]
    assert swallowed.error("chat") == "load_failed"

    swallowed.run_for(15)

    assert swallowed.outcomes()[1:] == [("load", "chat", Outcome.SUCCEEDED)]
    assert swallowed.posts() == [("load", "chat")]
    assert swallowed.status("chat") == "recovered"


def test_silence_is_no_answer(swallowed: World):
    """Ten seconds of *answers*: a server that says nothing for a while proves nothing."""
    swallowed.run_for(2)
    swallowed.fake.hang = True
    swallowed.run_for(20)
    swallowed.fake.hang = False
    swallowed.run_for(4)
    assert swallowed.outcomes() == [("load", "chat", Outcome.RUNNING)]


def test_a_server_restarted_in_the_middle_of_a_load_loads_again(world: World):
    world.add("chat", load_s=60)
    world.switch_on("chat")
    world.run_for(5)
    world.fake.restart()
    world.fake.add("chat", load_s=1)

    world.run_for(30)

    assert [outcome for _kind, _name, outcome in world.outcomes()] == [Outcome.LOST, Outcome.SUCCEEDED]
    assert world.posts() == [("load", "chat"), ("load", "chat")]
    assert world.status("chat") == "recovered"


def test_one_that_could_not_be_sent_is_no_error_of_the_model(world: World, monkeypatch: pytest.MonkeyPatch):
    def refuse(name, config=None):
        raise ProviderUnavailable("connection refused")

    world.add("chat")
    with monkeypatch.context() as patch:
        patch.setattr(world.fake, "post_load", refuse)
        world.switch_on("chat")
        world.look()
    assert world.outcomes() == [("load", "chat", Outcome.LOST)]
    assert (world.status("chat"), world.model("chat").observed) == ("activating", Observed.UNLOADED)

    world.run_for(15)
    assert world.status("chat") == "active"


def test_an_unload_that_never_arrived_is_posted_by_a_new_operation(world: World, monkeypatch: pytest.MonkeyPatch):
    world.add("chat")
    world.bring_up("chat")
    with monkeypatch.context() as patch:
        patch.setattr(world.fake, "post_unload", lambda name: None)
        world.switch_off("chat")
        world.run_for(12)
    assert world.outcomes()[-1] == ("unload", "chat", Outcome.LOST)
    assert world.model("chat").observed == Observed.READY

    world.run_for(15)

    assert world.outcomes()[-1] == ("unload", "chat", Outcome.SUCCEEDED)
    assert world.resident() == []
