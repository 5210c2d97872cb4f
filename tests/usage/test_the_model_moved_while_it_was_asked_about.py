"""Between reading a model and its server's "not ready", a hand-over may have begun: that is no fault of the model."""

from collections.abc import Callable

import pytest

from modelmanager.lib.clock import now
from models_registry.facts import change_facts
from models_registry.services.switching import activate, deactivate
from models_registry.vocabulary import Observed
from tests.monitoring.world import World
from usage.refusals import ModelActivating, ModelError, ModelInactive


@pytest.fixture
def while_asking(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Let something happen just before the server answers whether the model is ready."""

    def arrange(happening: Callable[[], None]) -> None:
        ask = world.fake.is_ready

        def is_ready(name: str, version: str = "") -> bool:
            monkeypatch.setattr(world.fake, "is_ready", ask)
            happening()
            return ask(name, version)

        monkeypatch.setattr(world.fake, "is_ready", is_ready)

    return arrange


def move(world: World, name: str, **facts: object) -> None:
    assert change_facts(world.model(name), facts, code="evicted", actor="system", at=now())
    world.fake.unload_behind_our_back(name)


def test_an_eviction_that_was_first_makes_it_inactive(world: World, while_asking) -> None:
    name = world.add("chat")
    world.make_ready(name)
    while_asking(lambda: move(world, name, wanted=False, switch_state="auto", observed=Observed.UNLOADING))

    with pytest.raises(ModelInactive):
        world.use(name)
    assert world.error(name) == ""


@pytest.mark.parametrize("gone", [True, False], ids=["unloaded already", "still ready"])
def test_an_eviction_that_was_first_makes_a_model_on_demand_wanted_again(
    world: World, while_asking, gone: bool
) -> None:
    name = world.add("chat", activation_policy="on_demand")
    with pytest.raises(ModelActivating):
        world.use(name)
    world.settle()
    world.done(world.use(name))

    def evict() -> None:
        gives_way = {"wanted": False, "demand_until": now(), "observed": Observed.UNLOADING}
        assert change_facts(world.model(name), gives_way, code="evicted", actor="system", at=now())
        if gone:
            world.fake.unload_behind_our_back(name)

    while_asking(evict)
    with pytest.raises(ModelActivating):
        world.use(name)
    model = world.model(name)
    assert (model.wanted, model.error_code, model.open_leases) == (True, "", 0)
    assert model.demand_until is not None and model.demand_until > now()


def test_a_switch_off_that_was_first_makes_a_model_on_demand_inactive(world: World, while_asking) -> None:
    name = world.add("chat", activation_policy="on_demand")
    with pytest.raises(ModelActivating):
        world.use(name)
    world.settle()
    while_asking(lambda: deactivate(world.model(name), actor="user:kim") and None)
    with pytest.raises(ModelInactive):
        world.use(name)


def test_a_reload_that_was_first_is_waited_for(world: World, while_asking) -> None:
    name = world.add("chat")
    world.make_ready(name)
    while_asking(lambda: move(world, name, observed=Observed.UNLOADING))

    with pytest.raises(ModelActivating):
        world.use(name)
    assert world.error(name) == ""


def test_without_anybody_first_it_is_an_error(world: World) -> None:
    name = world.add("chat")
    activate(world.model(name), actor="user:kim")
    world.settle()
    world.fake.unload_behind_our_back(name)

    with pytest.raises(ModelError):
        world.use(name)
    assert world.error(name) == "not_loaded"
