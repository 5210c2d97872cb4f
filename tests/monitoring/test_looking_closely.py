"""While an operation runs its server is looked at closely: nobody waits for the timer's next tick."""

from datetime import timedelta

import pytest

from models_registry.vocabulary import Observed
from monitoring import closely
from monitoring.closely import LOOK_S, reconcile_closely
from monitoring.models import Outcome
from tests.monitoring.world import World


@pytest.fixture(autouse=True)
def time_passes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sleeping moves the clock."""
    start = world.at(0)
    monkeypatch.setattr(closely, "sleep", world.advance)
    monkeypatch.setattr(closely, "monotonic", lambda: (world.at(0) - start).total_seconds())


def test_the_end_of_a_load_is_seen_at_once(world: World):
    world.add("chat", load_s=0.55)
    world.switch_on("chat")

    reconcile_closely(world.provider.pk)

    operation = world.operations()[0]
    assert operation.outcome == Outcome.SUCCEEDED
    assert operation.posted_at is not None and operation.finished_at is not None
    assert operation.finished_at - operation.posted_at <= timedelta(seconds=0.55 + 2 * LOOK_S)


def test_the_load_follows_the_unload_without_a_pause(world: World):
    world.add("bge", unload_s=0.4)
    world.add("chat", load_s=0.4)
    world.make_ready("bge")
    world.switch_on("chat")

    reconcile_closely(world.provider.pk)

    unload, load = world.operations()
    assert (unload.outcome, load.outcome) == (Outcome.SUCCEEDED, Outcome.SUCCEEDED)
    assert load.posted_at is not None and unload.finished_at is not None
    assert load.posted_at - unload.finished_at <= timedelta(seconds=LOOK_S)


def test_a_long_load_is_left_to_the_timer_after_two_seconds(world: World):
    world.add("chat", load_s=30)
    world.switch_on("chat")
    began = world.at(0)

    reconcile_closely(world.provider.pk)

    assert world.at(0) - began < timedelta(seconds=closely.AT_A_STRETCH_S + 0.5)
    world.provider.refresh_from_db()
    assert world.provider.wake_at is not None and world.provider.wake_at <= world.at(0.5)
    assert world.posts() == [("load", "chat")]


def test_a_server_that_falls_silent_is_not_asked_on_and_on(world: World):
    world.add("chat", load_s=30)
    world.switch_on("chat")
    world.look()
    world.fake.down = True
    began = world.at(0)

    found = reconcile_closely(world.provider.pk)

    assert not found.answered
    assert world.at(0) == began
    assert world.model("chat").observed == Observed.LOADING


def test_a_server_at_rest_is_looked_at_once(world: World):
    world.add("chat")
    world.make_ready("chat")
    began = world.at(0)

    assert reconcile_closely(world.provider.pk).operation is None
    assert world.at(0) == began
