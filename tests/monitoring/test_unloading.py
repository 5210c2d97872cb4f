"""An unload is over when the index says so, not when the server has said yes."""

import pytest

from models_registry.providers.errors import ProviderRefused
from models_registry.vocabulary import Observed
from monitoring.models import Outcome
from tests.monitoring.world import World


def test_what_is_switched_off_is_unloaded(world: World):
    world.add("chat", unload_s=2)
    world.bring_up("chat")
    world.switch_off("chat")

    world.look()
    assert world.model("chat").observed == Observed.UNLOADING

    world.settle()
    assert (world.status("chat"), world.model("chat").observed) == ("registered", Observed.UNLOADED)
    assert world.posts() == [("load", "chat"), ("unload", "chat")]
    assert world.model("chat").drain_until is None


def test_trap_6_the_next_load_only_after_the_index_shows_it_gone(world: World):
    world.add("chat", unload_s=5)
    world.add("embed")
    world.bring_up("chat")
    world.switch_off("chat")
    world.switch_on("embed")

    world.run_for(4)
    assert world.posts() == [("load", "chat"), ("unload", "chat")]

    world.run_for(3)
    assert world.posts()[-1] == ("load", "embed")
    assert world.status("embed") == "active"


def test_a_stale_index_right_after_the_post_is_not_believed(world: World):
    world.add("chat", unload_s=3)
    world.bring_up("chat")
    world.fake.stale_index_s = 1
    world.switch_off("chat")
    world.settle()
    assert world.posts() == [("load", "chat"), ("unload", "chat")]
    assert world.outcomes()[-1] == ("unload", "chat", Outcome.SUCCEEDED)


def test_an_unload_that_takes_more_than_a_minute_is_over_in_the_books_and_waited_for(world: World):
    world.add("chat", unload_s=90)
    world.add("embed")
    world.bring_up("chat")
    world.switch_off("chat")
    world.switch_on("embed")

    world.run_for(65)
    assert world.outcomes()[-1] == ("unload", "chat", Outcome.TIMED_OUT)
    assert world.posts()[-1] == ("unload", "chat")

    world.run_for(40)
    assert world.posts()[-1] == ("load", "embed")
    assert world.status("embed") == "active"
    assert world.status("chat") == "registered"


def test_one_the_server_refuses_is_tried_again_later(world: World, monkeypatch: pytest.MonkeyPatch):
    def refuse(name):
        raise ProviderRefused("not now", status=400)

    world.add("chat")
    world.bring_up("chat")
    with monkeypatch.context() as patch:
        patch.setattr(world.fake, "post_unload", refuse)
        world.switch_off("chat")
        world.run_for(1)
        assert world.outcomes()[-1] == ("unload", "chat", Outcome.FAILED)
        assert world.operations()[-1].error == "not now"
        assert world.model("chat").observed == Observed.READY
        world.run_for(8)
        assert len(world.operations()) == 2

    world.run_for(5)

    assert world.outcomes()[-1] == ("unload", "chat", Outcome.SUCCEEDED)
    assert world.resident() == []


def test_trap_1_one_who_asks_while_it_unloads_gets_it_back(world: World):
    world.add("chat", unload_s=5)
    world.bring_up("chat")
    world.switch_off("chat")
    world.run_for(2)
    world.switch_on("chat")
    assert world.status("chat") == "activating"

    world.settle()

    assert world.posts() == [("load", "chat"), ("unload", "chat"), ("load", "chat")]
    assert world.status("chat") == "active"


def test_trap_6_one_version_that_is_still_unloading_keeps_the_next_load_back(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    world.add("chat")
    world.add("embed")
    world.bring_up("chat")
    world.switch_off("chat")
    world.look()
    world.switch_on("embed")
    index, second_version = world.fake.index, {"name": "chat", "version": "2", "state": "UNLOADING"}
    with monkeypatch.context() as patched:
        patched.setattr(world.fake, "index", lambda: [*index(), second_version])
        world.run_for(5)
        assert world.posts() == [("load", "chat"), ("unload", "chat")]

    world.run_for(3)

    assert world.posts()[2:] == [("load", "embed")]
