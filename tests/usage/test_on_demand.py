"""A model on demand becomes wanted by being asked for, and rests when nobody has used it for a while."""

import pytest

from models_registry.services.switching import automatic, deactivate
from tests.monitoring.world import World
from usage.refusals import ModelActivating, ModelInactive


@pytest.fixture
def chat(world: World) -> str:
    name = world.add("chat", load_s=2, activation_policy="on_demand", idle_ttl_s=30)
    world.look()
    return name


def bring_up(world: World, name: str) -> None:
    with pytest.raises(ModelActivating):
        world.use(name)
    world.settle()


def test_asking_makes_it_wanted_until_the_client_comes_back(world: World, chat: str) -> None:
    with pytest.raises(ModelActivating) as refused:
        world.use(chat)
    model = world.model(chat)
    assert refused.value.retry_after_s is not None
    assert (model.wanted, model.demand_until) == (True, world.at(2 * refused.value.retry_after_s))
    assert world.codes(chat)[-1] == "wanted"


def test_it_is_loaded_and_leased_and_unloaded_when_idle(world: World, chat: str) -> None:
    bring_up(world, chat)
    grant = world.use(chat, ttl_s=600)
    world.run_for(100)
    assert world.resident() == [chat]

    world.done(grant)
    world.run_for(28)
    assert world.resident() == [chat]
    world.run_for(8)

    assert (world.resident(), world.status(chat)) == ([], "registered")


def test_nobody_who_comes_back_means_nobody_waits(world: World, chat: str) -> None:
    bring_up(world, chat)
    world.run_for(20)
    assert world.resident() == []


def test_what_a_person_switched_off_no_demand_switches_on(world: World, chat: str) -> None:
    deactivate(world.model(chat), actor="user:kim")
    with pytest.raises(ModelInactive):
        world.use(chat)
    assert (world.model(chat).wanted, world.model(chat).demand_until) == (False, None)


def test_a_switch_off_ends_the_demand_for_good(world: World, chat: str) -> None:
    with pytest.raises(ModelActivating):
        world.use(chat)
    deactivate(world.model(chat), actor="user:kim")
    assert automatic(world.model(chat), actor="user:kim").wanted is False
    world.run_for(5)
    assert (world.status(chat), world.resident()) == ("registered", [])


def test_a_lease_that_ends_after_a_switch_off_demands_nothing(world: World, chat: str) -> None:
    bring_up(world, chat)
    grant = world.use(chat, ttl_s=600)
    deactivate(world.model(chat), actor="user:kim")
    world.done(grant)
    assert automatic(world.model(chat), actor="user:kim").wanted is False


def test_it_stays_wanted_while_it_is_leased(world: World, chat: str) -> None:
    bring_up(world, chat)
    world.use(chat, ttl_s=3600)
    world.advance(1000)
    assert world.use(chat).lease_id
    assert world.model(chat).open_leases == 2


def test_the_end_of_a_lease_that_is_not_the_last_keeps_the_demand(world: World, chat: str) -> None:
    bring_up(world, chat)
    first, _second = world.use(chat), world.use(chat)
    before = world.model(chat).demand_until
    world.advance(5)
    world.done(first)
    assert world.model(chat).demand_until == before


def test_the_end_of_the_last_lease_raises_the_demand_by_the_idle_time(world: World, chat: str) -> None:
    bring_up(world, chat)
    grant = world.use(chat)
    world.advance(5)
    world.done(grant)
    assert world.model(chat).demand_until == world.at(30)


def test_the_end_of_the_last_lease_does_not_lower_the_demand(world: World, chat: str) -> None:
    bring_up(world, chat)
    grant = world.use(chat)
    world.put(chat, demand_until=world.at(300))
    world.done(grant)
    assert world.model(chat).demand_until == world.at(300)


def test_the_end_of_a_manual_models_last_lease_demands_nothing(world: World) -> None:
    name = world.add("rerank")
    world.make_ready(name)
    world.done(world.use(name))
    assert world.model(name).demand_until is None


def test_a_lost_model_on_demand_is_on_its_way_again(world: World, chat: str) -> None:
    bring_up(world, chat)
    world.done(world.use(chat))
    world.fake.unload_behind_our_back(chat)
    with pytest.raises(ModelActivating):
        world.use(chat)
    assert world.error(chat) == "not_loaded"
    world.settle()
    assert world.use(chat).lease_id
