"""Many clients lease and release one model at once: nobody is refused, and the counter is right."""

from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from tests.monitoring.world import World
from usage.models import Lease

CLIENTS, PAIRS = 8, 40


def test_side_by_side_every_client_gets_its_lease(shared_world: World):
    shared_world.add("chat")
    shared_world.make_ready("chat")

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda _client: _lease_again_and_again(shared_world), range(CLIENTS)))

    assert Lease.objects.filter(close_reason="released").count() == CLIENTS * PAIRS
    assert shared_world.model("chat").open_leases == 0


def _lease_again_and_again(world: World) -> None:
    try:
        for _pair in range(PAIRS):
            world.done(world.use("chat"))
    finally:
        connection.close()
