"""Acquire and release run at every use of a model: their statements are few, and the same each time."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.monitoring.world import World

STATEMENTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def statements(world: World) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        world.done(world.use("chat"))
    words = [query["sql"].split()[0] for query in queries]
    return [word for word in words if word in STATEMENTS]


def test_a_pair_takes_three_reads_and_four_writes(world: World):
    world.add("chat")
    world.make_ready("chat")

    first, second = statements(world), statements(world)

    assert first == second == ["SELECT", "UPDATE", "INSERT", "SELECT", "UPDATE", "UPDATE", "SELECT"]
