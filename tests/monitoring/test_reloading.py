"""Load settings drive the server: a loaded model drains, is reloaded and checked."""

from typing import Any
from unittest import mock

import pytest

from models_registry.providers.errors import ProviderRefused
from models_registry.services.configs import apply_version
from models_registry.services.registration import update_model
from models_registry.vocabulary import Observed
from tests.monitoring.reloading import EIGHT, configure, numbers, running, sent, with_a_loaded_chat
from tests.monitoring.world import World
from tests.registry.arranging import a_provider
from usage.models import CloseReason, Lease
from usage.refusals import ModelActivating


@pytest.fixture
def chat(db: None, build: Any) -> World:
    return with_a_loaded_chat(build)


class TestWithoutLoadSettings:
    def test_a_model_is_loaded_as_its_server_has_it(self, chat: World):
        assert sent(chat) == [None]
        assert chat.model("chat").server_config.own == {"name": "chat", "backend": "python"}

    def test_what_the_server_made_of_a_load_is_asked_once(self, chat: World):
        chat.settle()
        asked = chat.fake.calls["config"]
        chat.run_for(300)
        assert chat.fake.calls["config"] == asked == 1


class TestReloading:
    def test_it_is_unloaded_and_loaded_with_the_whole_configuration(self, chat: World):
        configure(chat, EIGHT)
        chat.settle()
        assert chat.posts() == [("load", "chat"), ("unload", "chat"), ("load", "chat")]
        assert sent(chat)[1] == {"name": "chat", "backend": "python", "max_batch_size": 8}
        assert (numbers(chat), chat.status("chat")) == ((2, 2), "active")
        assert chat.model("chat").server_config.differs == []

    def test_it_tells_what_happens(self, chat: World):
        before = len(chat.codes("chat"))
        configure(chat, EIGHT)
        chat.settle()
        assert chat.codes("chat")[before:] == ["config_applied", "reloading", "unloaded", "loading", "ready"]

    def test_a_version_with_the_same_load_settings_reloads_nothing(self, chat: World):
        configure(chat, EIGHT)
        chat.settle()
        posts = chat.posts()
        configure(chat, {**EIGHT, "temperature": 0.1})
        chat.settle()
        assert chat.posts() == posts
        assert numbers(chat) == (3, 3)

    def test_back_to_none_it_is_loaded_as_its_server_has_it(self, chat: World):
        configure(chat, EIGHT)
        chat.settle()
        apply_version(chat.model("chat"), 1, actor="user:kim")
        chat.settle()
        assert sent(chat)[-1] is None
        assert numbers(chat) == (1, 1)

    def test_applied_while_it_is_being_loaded_it_is_loaded_once_more(self, chat: World):
        chat.switch_off("chat")
        chat.settle()
        chat.switch_on("chat")
        chat.look()
        assert chat.model("chat").observed == Observed.LOADING
        configure(chat, EIGHT)
        chat.settle()
        assert (numbers(chat), sent(chat)[-1]["max_batch_size"]) == ((2, 2), 8)  # type: ignore[index]

    def test_switched_off_meanwhile_it_stays_off(self, chat: World):
        configure(chat, EIGHT)
        chat.switch_off("chat")
        chat.settle()
        assert (chat.resident(), chat.status("chat")) == ([], "registered")

    def test_nobody_takes_its_room_meanwhile(self, chat: World):
        grant = chat.use("chat", ttl_s=600)
        chat.add("other")
        chat.switch_on("other")
        chat.advance(5)
        chat.look()
        assert chat.held_by("other") == ["chat"]
        configure(chat, EIGHT)
        chat.done(grant)
        chat.run_for(2, step=0.2)
        assert chat.posts()[1:] == [("unload", "chat"), ("load", "chat")]

    def test_a_pinned_model_is_reloaded_as_any_other(self, chat: World):
        chat.put("chat", pinned=True)
        configure(chat, EIGHT)
        chat.settle()
        assert numbers(chat) == (2, 2)


class TestDraining:
    def test_leases_keep_their_version_while_it_drains_and_no_new_one_begins(self, chat: World):
        grant = chat.use("chat", ttl_s=600)
        configure(chat, EIGHT)
        chat.run_for(30)
        assert chat.posts() == [("load", "chat")]
        assert Lease.objects.get().config.number == 1
        assert running(chat) == 1
        with pytest.raises(ModelActivating):
            chat.use("chat")

        chat.done(grant)
        chat.run_for(10)
        chat.settle()

        assert numbers(chat) == (2, 2)
        assert running(chat) == 2
        later = chat.use("chat")
        assert Lease.objects.get(pk=later.lease_id).config.number == 2

    def test_at_the_deadline_leases_are_revoked(self, chat: World):
        chat.use("chat", ttl_s=600)
        configure(chat, EIGHT)
        chat.run_for(59)
        assert chat.resident() == ["chat"] and Lease.objects.get().closed_at is None
        chat.run_for(10)
        assert Lease.objects.get().close_reason == CloseReason.REVOKED
        assert numbers(chat) == (2, 2)

    def test_also_when_the_server_is_silent(self, chat: World):
        chat.use("chat", ttl_s=600)
        chat.fake.down = True
        configure(chat, EIGHT)
        chat.run_for(65)
        assert Lease.objects.get().close_reason == CloseReason.REVOKED

    def test_going_back_in_time_ends_the_draining(self, chat: World):
        chat.use("chat", ttl_s=600)
        configure(chat, EIGHT)
        chat.run_for(10)
        apply_version(chat.model("chat"), 1, actor="user:kim", reason="too late in the day")
        chat.run_for(120)
        assert chat.posts() == [("load", "chat")]
        assert chat.model("chat").drain_until is None
        chat.use("chat")

    def test_switched_off_and_on_again_it_is_reloaded_all_the_same(self, chat: World):
        chat.use("chat", ttl_s=600)
        configure(chat, EIGHT)
        chat.switch_off("chat")
        chat.switch_on("chat")
        assert chat.model("chat").drain_until is not None
        chat.run_for(80)
        assert numbers(chat) == (2, 2)


class TestWhenTheServersOwnIsNotKnown:
    @pytest.fixture
    def unloaded(self, db: None, build: Any) -> World:
        world: World = build(drain_s=60)
        world.add("chat", load_s=1)
        configure(world, EIGHT)
        return world

    def test_it_is_loaded_without_ours_once_to_learn_it(self, unloaded: World):
        unloaded.bring_up("chat")
        assert sent(unloaded)[0] is None
        assert sent(unloaded)[-1] == {"name": "chat", "backend": "python", "max_batch_size": 8}
        assert numbers(unloaded) == (2, 2)

    def test_nobody_gets_a_lease_on_that(self, unloaded: World):
        unloaded.switch_on("chat")
        while unloaded.model("chat").observed != Observed.READY:
            unloaded.advance(0.2)
            unloaded.look()
        assert numbers(unloaded) == (2, 1)
        with pytest.raises(ModelActivating):
            unloaded.use("chat")
        unloaded.settle()
        assert Lease.objects.count() == 0
        unloaded.use("chat")

    def test_a_server_that_does_not_tell_is_sent_ours_alone(self, unloaded: World):
        with mock.patch.object(unloaded.fake, "effective_config", return_value=None):
            unloaded.bring_up("chat")
            unloaded.settle()
        assert sent(unloaded) == [None, {"name": "chat", "max_batch_size": 8}]
        assert numbers(unloaded) == (2, 2)

    def test_one_found_loaded_tells_it(self, db: None, build: Any):
        world: World = build()
        world.add("chat")
        world.fake.load_behind_our_back("chat")
        world.switch_on("chat")
        world.settle()
        configure(world, EIGHT)
        world.settle()
        assert sent(world) == [{"name": "chat", "backend": "python", "max_batch_size": 8}]

    def test_a_model_that_stands_for_another_one_has_it_to_learn_anew(self, chat: World):
        chat.switch_off("chat")
        chat.settle()
        chat.fake.add("elsewhere")
        update_model(chat.model("chat"), {"remote_name": "elsewhere"}, actor="user:kim")
        assert not hasattr(chat.model("chat"), "server_config")


class TestWhatTheServerMakesOfIt:
    def test_a_difference_is_told_and_the_model_serves(self, chat: World):
        other = {"name": "chat", "backend": "python", "max_batch_size": 4}
        with mock.patch.object(chat.fake, "effective_config", return_value=other):
            configure(chat, EIGHT)
            chat.settle()
        assert chat.model("chat").server_config.differs == [{"pointer": "/max_batch_size", "wanted": 8, "found": 4}]
        event = chat.model("chat").events.get(code="config_differs")
        assert "/max_batch_size" in event.message
        assert (chat.status("chat"), numbers(chat)) == ("active", (2, 2))
        chat.use("chat")

    def test_a_server_that_refuses_to_tell_is_no_fault(self, chat: World):
        with mock.patch.object(chat.fake, "effective_config", side_effect=ProviderRefused("no", status=501)):
            configure(chat, EIGHT)
            chat.settle()
        assert chat.model("chat").server_config.effective is None
        assert numbers(chat) == (2, 2)


def test_at_an_api_provider_nothing_is_loaded(db: None, build: Any):
    world: World = build()
    provider = a_provider("openai", port=9, kind="openai")
    world.add("chat", kind="chat")
    world.put("chat", provider=provider, on_gpu=False, observed=Observed.READY, wanted=True)
    configure(world, {"temperature": 0.1})
    model = world.model("chat")
    assert (model.needs_reload, model.drain_until, model.loaded_config) == (False, None, None)
    assert running(world) == 2
