"""A load with changed settings that fails: the version before is current again, and nothing stays stuck."""

from typing import Any
from unittest import mock

import pytest

from models_registry.models import ConfigUse
from models_registry.providers.errors import ProviderUnavailable
from models_registry.vocabulary import Observed
from monitoring import operations, outcomes
from monitoring.models import Operation
from tests.monitoring.reloading import BROKEN, EIGHT, configure, numbers, running, sent, with_a_loaded_chat
from tests.monitoring.world import World


@pytest.fixture
def chat(db: None, build: Any) -> World:
    return with_a_loaded_chat(build)


def lose_the_load(world: World) -> None:
    """Let the server not be reached when the load of a reload is to be posted."""
    with mock.patch.object(world.fake, "post_load", side_effect=ProviderUnavailable("connection refused")):
        while not Operation.objects.filter(outcome="lost").exists():
            world.advance(0.2)
            world.look()


class TestWhenTheLoadFails:
    def test_the_version_before_is_current_again_and_loaded(self, chat: World):
        configure(chat, EIGHT)
        chat.settle()
        configure(chat, BROKEN)
        chat.settle()
        assert (numbers(chat), chat.status("chat"), chat.error("chat")) == ((2, 2), "active", "")
        assert [config and config.get("max_batch_size") for config in sent(chat)] == [None, 8, None, 8]
        assert running(chat) == 2

    def test_an_event_says_so_and_why(self, chat: World):
        configure(chat, BROKEN)
        chat.settle()
        event = chat.model("chat").events.get(code="config_rolled_back")
        assert "no such kernel" in event.message
        use = ConfigUse.objects.first()
        assert use is not None
        assert (use.config.number, use.actor) == (1, "system")
        assert use.reason.startswith("version 2 did not load:") and "no such kernel" in use.reason

    def test_the_version_that_failed_was_never_in_force(self, chat: World):
        failed = configure(chat, BROKEN)
        chat.settle()
        assert [use.since for use in failed.uses.all()] == [None]

    def test_when_that_fails_too_it_is_an_error_like_any(self, chat: World):
        configure(chat, EIGHT)
        chat.fake.add("chat", failure="out of memory", load_s=0.2)
        chat.run_for(30)
        assert (numbers(chat)[0], chat.error("chat")) == (1, "load_failed")
        assert chat.codes("chat").count("config_rolled_back") == 1

    def test_a_first_load_that_fails_goes_back_to_nothing(self, chat: World):
        chat.switch_off("chat")
        chat.settle()
        configure(chat, BROKEN)
        chat.switch_on("chat")
        chat.run_for(5)
        assert (numbers(chat)[0], chat.error("chat")) == (2, "load_failed")

    def test_a_person_who_was_quicker_is_not_overruled(self, chat: World):
        chat.fake.add("chat", load_s=30)
        configure(chat, BROKEN)
        chat.run_for(5)
        assert chat.model("chat").observed == Observed.LOADING
        configure(chat, EIGHT)
        chat.run_for(80)
        assert numbers(chat) == (3, 3)
        assert "config_rolled_back" not in chat.codes("chat")

    def test_one_that_takes_too_long_is_an_error_until_it_ends_and_then_goes_back(self, chat: World):
        chat.fake.add("chat", load_s=360)
        configure(chat, EIGHT)
        chat.run_for(325, step=5)
        assert (numbers(chat)[0], chat.error("chat")) == (1, "activation_timeout")
        chat.fake.add("chat", load_s=1)
        chat.run_for(60)
        assert (numbers(chat), chat.status("chat")) == ((1, 1), "recovered")
        assert sent(chat)[-1] is None

    def test_a_server_that_was_not_reached_is_no_reason(self, chat: World):
        configure(chat, EIGHT)
        lose_the_load(chat)
        chat.run_for(60)
        assert numbers(chat) == (2, 2)

    def test_whatever_the_server_did_for_other_models_in_between(self, db: None, build: Any):
        world: World = build(max_loaded_models=2, drain_s=60)
        world.add("chat", load_s=1)
        world.add("other", load_s=1)
        world.bring_up("chat")
        configure(world, BROKEN)
        lose_the_load(world)
        world.switch_on("other")
        world.run_for(60)
        assert world.status("other") == "active"
        assert (numbers(world), world.status("chat")) == ((1, 1), "active")


class Killed(BaseException):
    """kill -9, as far as one process can show it."""


def kill(*_args: Any, **_more: Any) -> None:
    raise Killed


@pytest.mark.parametrize(
    ("holder", "function"),
    [(operations, "_post"), (operations, "_send"), (outcomes, "note_roll_back"), (outcomes, "_usual_load_s")],
)
@pytest.mark.parametrize("values", [EIGHT, BROKEN], ids=["works", "fails"])
def test_a_worker_killed_in_the_middle_leaves_nothing_stuck(
    chat: World, holder: Any, function: str, values: dict[str, Any]
):
    chat.use("chat", ttl_s=5)
    configure(chat, values)
    for _look in range(60):
        chat.advance(0.5)
        with mock.patch.object(holder, function, kill):
            try:
                chat.look()
            except Killed:
                break
    chat.run_for(60)
    expected = 2 if values is EIGHT else 1
    assert (numbers(chat), chat.status("chat")) == ((expected, expected), "active")
    assert not Operation.objects.filter(finished_at=None).exists()
