"""A load without ours that only learns the server's own brings nothing into force, and nothing goes back to it."""

from typing import Any
from unittest import mock

import pytest

from models_registry.models import ConfigUse, ServerConfig
from models_registry.services.configs import head_of
from models_registry.services.registration import update_model
from models_registry.vocabulary import Observed
from tests.monitoring.reloading import BROKEN, EIGHT, configure, numbers, running, sent, with_a_loaded_chat
from tests.monitoring.world import World


@pytest.fixture
def chat(db: None, build: Any) -> World:
    return with_a_loaded_chat(build)


@pytest.fixture
def moved(chat: World) -> World:
    """It ran with version 2, and stands for another object of the server since, whose own nobody knows."""
    configure(chat, EIGHT)
    chat.settle()
    chat.switch_off("chat")
    chat.settle()
    chat.fake.add("elsewhere", load_s=1)
    update_model(chat.model("chat"), {"remote_name": "elsewhere"}, actor="user:kim")
    return chat


def test_the_version_that_ran_before_is_current_again(moved: World):
    configure(moved, BROKEN)
    moved.bring_up("chat")
    assert [config and config.get("max_batch_size") for config in sent(moved)[2:]] == [None, None, 8]
    assert (numbers(moved), moved.status("chat"), moved.error("chat")) == ((2, 2), "active", "")
    assert running(moved) == 2


def test_also_where_the_servers_own_was_forgotten_while_it_ran(chat: World):
    configure(chat, EIGHT)
    chat.settle()
    ServerConfig.objects.update(own=None)
    configure(chat, BROKEN)
    chat.settle()
    assert (numbers(chat), chat.status("chat"), running(chat)) == ((2, 2), "active", 2)


def test_learning_leaves_no_trace_in_what_was_in_force(moved: World):
    uses = ConfigUse.objects.count()
    moved.bring_up("chat")
    assert numbers(moved) == (2, 2)
    assert ConfigUse.objects.count() == uses


def test_who_made_the_version_current_stays_on_record(db: None, build: Any):
    world: World = build()
    world.add("chat", load_s=1)
    made = configure(world, EIGHT)
    world.bring_up("chat")
    use = made.uses.get()
    assert (use.actor, use.reason, use.since) == ("user:kim", "faster", world.model("chat").observed_at)


def test_an_edit_goes_on_from_the_version_that_waits_to_be_loaded(db: None, build: Any):
    world: World = build()
    world.add("chat", load_s=1)
    configure(world, EIGHT)
    world.switch_on("chat")
    while world.model("chat").observed != Observed.READY:
        world.advance(0.2)
        world.look()
    assert numbers(world) == (2, 1)
    head = head_of(world.model("chat"))
    assert head is not None and head.number == 2


def test_a_model_that_vanished_before_it_could_be_asked_is_not_taken_for_one_that_tells_nothing(db: None, build: Any):
    world: World = build()
    world.add("chat", load_s=1)
    configure(world, EIGHT)

    def vanish(name: str) -> None:
        world.fake.unload_behind_our_back(name)
        asking.stop()

    asking = mock.patch.object(world.fake, "effective_config", side_effect=vanish)
    asking.start()
    world.switch_on("chat")
    world.settle(at_most=200)
    assert sent(world)[-1] == {"name": "chat", "backend": "python", "max_batch_size": 8}
    assert numbers(world) == (2, 2)
