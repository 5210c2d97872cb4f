"""Switching off what is in use: its leases may go on for a while, and not longer."""

import pytest

from models_registry.vocabulary import Observed
from tests.monitoring.world import World
from usage.models import CloseReason, Lease
from usage.refusals import LeaseClosed, ModelInactive
from usage.services.leases import find_lease, renew


@pytest.fixture
def leased(db: None, build) -> World:
    world = build(drain_s=60)
    world.add("chat")
    world.bring_up("chat")
    world.use("chat", ttl_s=600)
    return world


def lease() -> Lease:
    return Lease.objects.get()


def test_it_stays_until_the_lease_is_released(leased: World):
    leased.switch_off("chat")
    leased.run_for(30)
    assert leased.resident() == ["chat"]

    leased.done(type("Grant", (), {"lease_id": lease().pk})())
    leased.run_for(2)

    assert leased.resident() == []
    assert lease().close_reason == CloseReason.RELEASED


def test_no_new_lease_begins_meanwhile(leased: World):
    leased.switch_off("chat")
    with pytest.raises(ModelInactive):
        leased.use("chat")


def test_at_the_deadline_leases_are_revoked_and_it_is_unloaded(leased: World):
    leased.switch_off("chat")
    leased.run_for(59)
    assert leased.resident() == ["chat"] and lease().closed_at is None

    leased.run_for(3)

    assert leased.resident() == []
    assert lease().close_reason == CloseReason.REVOKED
    assert leased.model("chat").open_leases == 0
    assert leased.status("chat") == "registered"


def test_a_renewal_never_passes_the_deadline(leased: World):
    leased.switch_off("chat")
    renewed = renew(find_lease(lease().pk, client_id=None), ttl_s=3600)
    assert renewed.expires_at == leased.model("chat").drain_until
    leased.run_for(62)
    with pytest.raises(LeaseClosed):
        renew(find_lease(lease().pk, client_id=None))


def test_with_force_it_goes_at_once(leased: World):
    leased.switch_off("chat", force=True)
    leased.run_for(1)
    assert leased.resident() == []
    assert lease().close_reason == CloseReason.REVOKED


def test_force_hurries_one_that_drains_already(leased: World):
    leased.switch_off("chat")
    leased.run_for(10)
    leased.switch_off("chat", force=True)
    leased.run_for(1)
    assert leased.resident() == []


def test_switched_on_again_in_time_nobody_notices(leased: World):
    leased.switch_off("chat")
    leased.run_for(30)
    leased.switch_on("chat")
    leased.run_for(120)
    assert leased.posts() == [("load", "chat")]
    assert (leased.status("chat"), leased.model("chat").drain_until) == ("in_use", None)


def test_a_silent_server_keeps_no_lease_beyond_its_deadline(leased: World):
    leased.fake.down = True
    leased.switch_off("chat")
    leased.run_for(62)
    assert lease().close_reason == CloseReason.REVOKED

    leased.fake.down = False
    leased.run_for(15)
    assert leased.resident() == []


def test_force_ends_the_leases_of_a_model_that_was_lost(leased: World):
    leased.fake.restart()
    leased.fake.down = True
    leased.switch_off("chat", force=True)
    leased.run_for(1)
    assert lease().close_reason == CloseReason.REVOKED
    assert leased.model("chat").open_leases == 0


def test_one_lost_while_it_drains_keeps_no_lease_beyond_its_deadline(leased: World):
    leased.switch_off("chat")
    leased.fake.unload_behind_our_back("chat")
    leased.look()
    assert leased.model("chat").observed == Observed.UNLOADED

    leased.run_for(62)

    assert lease().close_reason == CloseReason.REVOKED


def test_one_that_is_lost_and_then_switched_off_keeps_no_lease_beyond_its_deadline(leased: World):
    leased.fake.unload_behind_our_back("chat")
    leased.fake.forget("chat")
    leased.look()
    leased.switch_off("chat")
    leased.run_for(62)
    assert lease().close_reason == CloseReason.REVOKED
