"""A model in steady use hands over to one that is waited for, within a bounded time."""

import pytest

from models_registry.services.switching import activate
from tests.monitoring.world import World
from usage.models import CloseReason, Lease
from usage.refusals import GpuBusy, ModelActivating, ModelInactive


@pytest.fixture
def busy(world: World) -> World:
    """`chat` is leased again and again; `rerank` is loaded when asked for."""
    world.make_ready(world.add("chat", load_s=1, unload_s=1))
    world.add("rerank", load_s=1, unload_s=1, activation_policy="on_demand")
    world.settle()
    return world


def keep_asking(world: World, name: str, *, for_s: float) -> None:
    """A client that comes back every five seconds, as it is told to."""
    for _turn in range(int(for_s / 5)):
        with pytest.raises((GpuBusy, ModelActivating)):
            world.use(name)
        world.run_for(5)


def test_after_a_minute_of_waiting_no_new_lease_is_given_and_the_old_ones_run_out(busy: World):
    held = busy.use("chat", ttl_s=3600)
    keep_asking(busy, "rerank", for_s=55)
    assert busy.use("chat").model.name == "chat"  # until then it is served
    keep_asking(busy, "rerank", for_s=10)
    with pytest.raises(ModelActivating):
        busy.use("chat")
    assert "handing_over" in busy.codes("chat")
    keep_asking(busy, "rerank", for_s=60)
    busy.settle()
    assert busy.use("rerank").model.name == "rerank"
    assert Lease.objects.get(pk=held.lease_id).close_reason == CloseReason.REVOKED
    with pytest.raises(ModelInactive):
        busy.use("chat")  # a person's switch went back to automatic, as with every eviction


def test_a_lease_given_back_in_time_is_not_revoked(busy: World):
    held = busy.use("chat", ttl_s=3600)
    keep_asking(busy, "rerank", for_s=65)
    busy.done(held)
    busy.settle()
    assert busy.use("rerank").model.name == "rerank"
    assert Lease.objects.get(pk=held.lease_id).close_reason == CloseReason.RELEASED


def test_who_gives_up_waiting_lets_the_other_stay(busy: World):
    busy.use("chat", ttl_s=3600)
    keep_asking(busy, "rerank", for_s=65)
    busy.run_for(15)  # nobody asks any more
    assert busy.codes("chat")[-1] == "kept"
    assert busy.use("chat").model.name == "chat"


@pytest.mark.slow
def test_two_in_steady_demand_take_turns(busy: World):
    busy.put("chat", switch_state="auto", activation_policy="on_demand")
    holders: list[str] = []
    for _turn in range(80):
        for name in ("chat", "rerank"):
            try:
                busy.use(name, ttl_s=8)
                holders.append(name)
            except ModelActivating:
                pass
        busy.run_for(5)
    turns = [name for name, before in zip(holders, [None, *holders], strict=False) if name != before]
    assert len(turns) >= 4
    assert set(turns) == {"chat", "rerank"}


def test_the_alarm_is_set_to_the_moment_of_hand_over(busy: World):
    busy.use("chat", ttl_s=3600)
    activate(busy.model("rerank"), actor="user:kim")
    busy.settle()
    busy.provider.refresh_from_db()
    assert busy.provider.wake_at == busy.at(60)


def test_the_alarm_is_set_to_the_moment_at_which_a_waiting_request_rises_in_rank(busy: World):
    busy.put("chat", priority=3)
    busy.use("chat", ttl_s=3600)
    with pytest.raises(ModelActivating):
        busy.use("rerank")
    busy.put("rerank", demand_until=busy.at(3600))  # who asked waits on, silently
    busy.run_for(170)
    assert "handing_over" not in busy.codes("chat")
    busy.run_for(15)
    assert "handing_over" in busy.codes("chat")
