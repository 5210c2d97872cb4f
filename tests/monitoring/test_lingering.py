"""A server that does little else than swap lets a model that was just used linger, and looks again in time."""

from datetime import timedelta

import pytest

from modelmanager.lib.clock import now
from models_registry.vocabulary import Policy
from monitoring.models import Operation, OperationKind, Outcome
from tests.monitoring.world import World
from usage.refusals import ModelActivating

LOAD_S = 3


@pytest.fixture
def thrashing(world: World) -> World:
    """Two on-demand models that take turns, 45 s of the last minute spent on swapping; `a1` is loaded and idle."""
    for name in ("a1", "b1"):
        world.add(name, load_s=LOAD_S, activation_policy=Policy.ON_DEMAND, usual_load_s=LOAD_S)
    bring_up(world, "a1")
    model = world.model("b1")
    began_at = now() - timedelta(seconds=45)
    Operation.objects.filter(provider=world.provider).delete()
    Operation.objects.create(
        provider=world.provider,
        model=model,
        kind=OperationKind.UNLOAD,
        outcome=Outcome.SUCCEEDED,
        started_at=began_at,
        posted_at=began_at,
        deadline_at=now(),
        finished_at=now(),
    )
    return world


def bring_up(world: World, name: str) -> None:
    with pytest.raises(ModelActivating):
        world.use(name)
    world.run_for(LOAD_S + 2)
    world.done(world.use(name))


def test_the_idle_model_stays_for_its_next_request_and_then_gives_way_without_a_poll(thrashing: World):
    with pytest.raises(ModelActivating):
        thrashing.use("b1")
    thrashing.put("b1", demand_until=thrashing.at(60))  # who asked goes on asking
    thrashing.look()
    assert thrashing.held_by("b1") == ["a1"]
    thrashing.done(thrashing.use("a1"))

    thrashing.run_for(20)

    assert thrashing.posts()[-2:] == [("unload", "a1"), ("load", "b1")]


def test_it_lingers_for_less_long_as_the_pressure_falls_though_nobody_wakes_the_server(thrashing: World):
    thrashing.put("b1", usual_load_s=20, demand_until=thrashing.at(60), wanted=True, queued_at=thrashing.at(0))
    thrashing.done(thrashing.use("a1"))
    thrashing.look()
    thrashing.run_for(30)  # 8 loads of 20 s, by half: until 80 s, as it seemed at first
    assert ("unload", "a1") in thrashing.posts()


def test_a_calm_server_hands_over_at_once(thrashing: World):
    Operation.objects.all().delete()
    with pytest.raises(ModelActivating):
        thrashing.use("b1")
    thrashing.look()
    assert thrashing.posts()[-1] == ("unload", "a1")
