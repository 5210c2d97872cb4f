"""Twelve posts into a loading server made its index unreachable: whoever adopts an operation waits as well."""

from modelmanager.lib.clock import now
from models_registry.services.switching import activate
from models_registry.vocabulary import Observed
from monitoring import operations
from monitoring.models import Outcome
from tests.monitoring.world import World


def claim_and_die(world: World, name: str) -> None:
    """What is left of a worker that was killed between claiming a load and posting it."""
    model = world.model(name)
    seen = world.fake.observe().of(name)
    assert operations.claim_load(model, seen=seen, after=0, at=now()) is not None


def test_an_adopted_load_is_withdrawn_while_someone_else_loads_and_made_later(world: World) -> None:
    ours, foreign = world.add("ours"), world.add("foreign", load_s=5)
    world.put("ours", observed=Observed.UNLOADED)
    world.put("foreign", observed=Observed.UNLOADED)
    activate(world.model(ours), actor="user:kim")
    claim_and_die(world, ours)
    world.fake.load_behind_our_back(foreign)

    world.look()

    assert world.posts() == []
    assert world.operations()[0].outcome == Outcome.CANCELLED
    world.advance(6)
    world.settle()
    assert world.outcomes()[1:] == [("unload", foreign, "succeeded"), ("load", ours, "succeeded")]


def test_an_adopted_load_is_posted_once_where_nothing_else_goes_on(world: World) -> None:
    ours = world.add("ours")
    world.put("ours", observed=Observed.UNLOADED)
    activate(world.model(ours), actor="user:kim")
    claim_and_die(world, ours)

    world.settle()

    assert world.posts() == [("load", ours)]
    assert world.outcomes() == [("load", ours, "succeeded")]
