"""A disabled provider is left alone: no checks, no operations, and what runs goes on running."""

import pytest

from modelmanager.lib.clock import now
from models_registry.models import Provider
from models_registry.refusals import ProviderUnreachable
from models_registry.services.providers import update_provider
from monitoring.unattended import give_up_where_nobody_looks
from tests.monitoring.world import World


def test_it_is_neither_asked_nor_touched(world: World):
    world.add("chat")
    world.bring_up("chat")
    update_provider(world.provider_row(), {"enabled": False}, actor="user:kim")
    world.switch_off("chat")
    asked = dict(world.fake.calls)

    world.poll_for(600)

    assert world.fake.calls == asked
    assert world.resident() == ["chat"]
    assert world.provider_row().wake_at is None


def test_enabled_again_it_is_brought_in_line(world: World):
    world.add("chat")
    world.bring_up("chat")
    update_provider(world.provider_row(), {"enabled": False}, actor="user:kim")
    world.switch_off("chat")
    world.look()
    update_provider(world.provider_row(), {"enabled": True}, actor="user:kim")
    world.run_for(2)
    assert world.resident() == []


def test_a_load_that_ran_is_carried_on_when_it_is_enabled_again(world: World):
    world.add("chat", load_s=5)
    world.switch_on("chat")
    world.look()
    update_provider(world.provider_row(), {"enabled": False}, actor="user:kim")
    world.advance(60)
    world.look()
    assert world.outcomes() == [("load", "chat", "running")]
    update_provider(world.provider_row(), {"enabled": True}, actor="user:kim")
    world.run_for(2)
    assert world.status("chat") == "active"


def test_a_deleted_one_is_left_alone_too(world: World):
    world.add("chat")
    Provider.objects.filter(pk=world.provider.pk).update(deleted_at=world.at(0))
    asked = dict(world.fake.calls)
    world.look()
    assert world.fake.calls == asked


def test_what_waits_for_it_gives_up_in_time_and_is_loaded_when_it_is_enabled_again(world: World):
    world.add("chat")
    update_provider(world.provider_row(), {"enabled": False}, actor="user:kim")
    world.switch_on("chat")
    world.advance(899)
    give_up_where_nobody_looks(now())
    assert world.status("chat") == "activating"

    world.advance(1)
    give_up_where_nobody_looks(now())
    give_up_where_nobody_looks(now())

    assert (world.status("chat"), world.error("chat")) == ("error", "activation_timeout")
    assert world.model("chat").error_message == "waited 900 s for its provider, which is disabled"
    assert world.codes("chat").count("activation_timeout") == 1
    assert world.fake.calls == {}
    update_provider(world.provider_row(), {"enabled": True}, actor="user:kim")
    world.run_for(2)
    assert world.status("chat") == "recovered"


def test_a_load_that_nobody_watches_gives_up_as_well(world: World):
    world.add("chat", load_s=5)
    world.switch_on("chat")
    world.look()
    update_provider(world.provider_row(), {"enabled": False}, actor="user:kim")
    world.advance(900)
    give_up_where_nobody_looks(now())
    assert world.error("chat") == "activation_timeout"
    update_provider(world.provider_row(), {"enabled": True}, actor="user:kim")
    world.run_for(2)
    assert (world.status("chat"), world.outcomes()) == ("recovered", [("load", "chat", "succeeded")])


def test_what_was_asked_for_on_demand_is_forgotten_when_nobody_asks_again(world: World):
    world.add("chat", activation_policy="on_demand")
    update_provider(world.provider_row(), {"enabled": False}, actor="user:kim")
    with pytest.raises(ProviderUnreachable):
        world.use("chat")
    assert world.status("chat") == "activating"

    world.advance(900)
    give_up_where_nobody_looks(now())
    assert (world.status("chat"), world.codes("chat")) == ("registered", ["wanted", "unwanted"])
