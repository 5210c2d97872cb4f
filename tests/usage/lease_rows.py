"""What is stored of leases."""

from tests.monitoring.world import World
from usage.models import Lease
from usage.services.acquire import Grant
from usage.services.leases import find_lease


def lease_of(grant: Grant) -> Lease:
    return find_lease(grant.lease_id, client_id=None)


def stored(grant: Grant) -> Lease:
    return Lease.objects.get(pk=grant.lease_id)


def counted(world: World, name: str) -> int:
    """The counter, which must equal the rows."""
    rows = Lease.objects.filter(model__name=name, closed_at__isnull=True).count()
    assert world.model(name).open_leases == rows
    return rows
