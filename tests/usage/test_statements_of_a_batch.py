"""A batch of reports takes as many statements as one report."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from modelmanager.lib.clock import now
from tests.monitoring.world import World
from tests.usage.calls import call, record
from usage.models import Outcome


def statements(world: World, count: int) -> list[str]:
    outcomes = list(Outcome)
    calls = [
        call(
            now() - timedelta(hours=number % 30),
            model=("embedder", "reranker")[number % 2],
            outcome=outcomes[number % 4],
            input_tokens=number,
        )
        for number in range(count)
    ]
    with CaptureQueriesContext(connection) as queries:
        record(world.client.pk, *calls)
    return [query["sql"].split()[0] for query in queries]


def test_five_hundred_reports_take_five_reads_and_three_writes(world: World) -> None:
    world.add("embedder")
    world.add("reranker")
    statements(world, 1)  # makes the ledger

    one, many = statements(world, 2), statements(world, 500)

    assert [word for word in many if word in ("SELECT", "INSERT", "UPDATE")] == [
        *["SELECT"] * 5,
        *["INSERT"] * 3,
    ]
    assert one == many
