"""A server whose index is slow: it answers late, or not at all while it works, and `ready` stays fast."""

from itertools import pairwise

import pytest

from models_registry.providers.errors import ProviderUnavailable
from models_registry.providers.observation import Observation
from monitoring.models import Outcome
from tests.monitoring.world import World

LATE_S = 1.5


@pytest.fixture
def slow(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Each answer tells how things were a second and a half before it came."""
    observe = world.fake.observe

    def late() -> Observation:
        answer = observe()
        world.advance(LATE_S)
        return answer

    monkeypatch.setattr(world.fake, "observe", late)
    return world


def test_one_thing_is_done_at_a_time_and_all_of_it_ends(slow: World):
    for name in ("bge", "rerank", "chat"):
        slow.add(name, load_s=2, unload_s=1)
        slow.switch_on(name)
    slow.settle()

    loads_and_unloads = [("load", "bge"), ("unload", "bge"), ("load", "rerank"), ("unload", "rerank"), ("load", "chat")]
    assert slow.posts() == loads_and_unloads
    assert slow.outcomes() == [(*post, Outcome.SUCCEEDED) for post in loads_and_unloads]
    times = [(operation.started_at, operation.finished_at) for operation in slow.operations()]
    assert all(ended is not None and ended <= begun for (_, ended), (begun, _) in pairwise(times))
    assert {name: slow.status(name) for name in ("bge", "rerank", "chat")} == {
        "bge": "registered",
        "rerank": "registered",
        "chat": "active",
    }


def test_nobody_is_marked_in_error_for_it(slow: World):
    slow.add("bge", load_s=2)
    slow.bring_up("bge")
    slow.run_for(600)
    assert slow.codes("bge") == ["switched_on", "unloaded", "loading", "ready"]
    assert slow.provider_row().consecutive_failures == 0


def test_leases_go_on_while_the_index_does_not_answer(world: World, monkeypatch: pytest.MonkeyPatch):
    world.add("bge")
    world.bring_up("bge")

    def silent() -> Observation:
        raise ProviderUnavailable("no answer within 2 s")

    monkeypatch.setattr(world.fake, "observe", silent)
    for _miss in range(4):
        world.look()
    assert world.error("bge") == "provider_unreachable"

    lease = world.use("bge")

    assert lease.model.name == "bge"
    assert world.status("bge") == "in_use"
