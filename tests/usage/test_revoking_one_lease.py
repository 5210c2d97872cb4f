"""A person closes one lease against its client's will."""

import pytest

from modelmanager.lib.clock import now
from models_registry.models import Provider
from tests.monitoring.world import World
from usage.models import CloseReason, Lease
from usage.refusals import LeaseClosed
from usage.services.leases import find_lease, release, renew, revoke_lease


@pytest.fixture
def lease(world: World) -> Lease:
    world.add("bge")
    world.make_ready("bge")
    return find_lease(world.use("bge").lease_id, client_id=None)


def test_it_is_closed_as_revoked_and_counted_down(world: World, lease: Lease):
    assert revoke_lease(lease)

    lease.refresh_from_db()
    assert (lease.close_reason, lease.closed_at) == (CloseReason.REVOKED, now())
    assert world.model("bge").open_leases == 0


def test_its_client_is_told_by_the_next_renewal(lease: Lease):
    revoke_lease(lease)
    with pytest.raises(LeaseClosed):
        renew(find_lease(lease.pk, client_id=None))


def test_a_closed_lease_keeps_its_reason_and_is_counted_once(world: World, lease: Lease):
    release(lease)

    assert not revoke_lease(lease)

    lease.refresh_from_db()
    assert lease.close_reason == CloseReason.RELEASED
    assert world.model("bge").open_leases == 0


def test_a_server_on_which_somebody_waits_is_woken(shared_world: World, tasks: list[str]):
    world = shared_world
    world.add("bge")
    world.add("chat")
    world.make_ready("bge")
    lease = find_lease(world.use("bge").lease_id, client_id=None)
    world.put("chat", wanted=True, queued_at=now())
    Provider.objects.update(wake_at=None)
    tasks.clear()

    revoke_lease(lease)

    assert Provider.objects.get().wake_at == now()
    assert tasks
