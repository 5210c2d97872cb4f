"""Ending what somebody else ended a moment before is the same as ending it once."""

from modelmanager.lib.clock import now
from tests.monitoring.world import World
from usage.models import Binding, CloseReason, Lease
from usage.services.bindings import bind, unbind
from usage.services.leases import close_expired, find_lease, release


def lease_on_bge(world: World) -> Lease:
    world.add("bge")
    world.make_ready("bge")
    return find_lease(world.use("bge").lease_id, client_id=None)


def test_a_release_that_comes_after_the_timer_finds_the_last_lease_expired(world: World):
    lease = lease_on_bge(world)  # as the release reads it: open
    world.advance(61)
    close_expired(now())

    release(lease)

    assert lease.close_reason == CloseReason.EXPIRED
    assert world.model("bge").open_leases == 0


def test_two_releases_at_once_count_once(world: World):
    lease, again = lease_on_bge(world), Lease.objects.select_related("model").get()
    other = world.use("bge")

    release(lease)
    release(again)

    assert again.close_reason == CloseReason.RELEASED
    assert world.model("bge").open_leases == Lease.objects.filter(closed_at=None).count() == 1
    world.done(other)
    assert world.model("bge").open_leases == 0


def test_removing_the_last_binding_twice_at_once_counts_once(world: World):
    world.add("bge")
    binding, _new = bind("bge", client_id=world.client.pk, reference="search")
    same = Binding.objects.get()

    unbind(binding)
    unbind(same)

    assert world.model("bge").bindings == 0


def test_removing_one_of_two_bindings_twice_keeps_the_other(world: World):
    world.add("bge")
    binding, _new = bind("bge", client_id=world.client.pk, reference="search")
    bind("bge", client_id=world.client.pk, reference="chat")
    same = Binding.objects.get(pk=binding.pk)

    unbind(binding)
    unbind(same)

    assert world.model("bge").bindings == Binding.objects.count() == 1
