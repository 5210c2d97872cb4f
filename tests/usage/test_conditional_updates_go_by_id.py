"""On MariaDB a conditional UPDATE of one row must find it by its id.

By another index it misses the row while a second transaction moves it within that index, and then refuses
what it should have done; and it locks its neighbours.
"""

from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Manager, Q
from django.test.utils import CaptureQueriesContext

from modelmanager.lib.clock import now
from models_registry.models import Provider, RegisteredModel
from models_registry.waking import _wake
from tests.monitoring.world import START, World
from usage.models import Lease

pytestmark = pytest.mark.mariadb


@pytest.fixture
def leased(world: World) -> World:
    """Few rows: then MariaDB thinks the other indexes as good as the primary key."""
    for name in ("bge", "chat", "rerank"):
        world.add(name)
    world.make_ready("chat")
    world.use("chat")
    return world


def indexes_of(sql: str) -> str:
    """The indexes that MariaDB considers for a statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        names = [column[0] for column in cursor.description]
        return str(dict(zip(names, cursor.fetchone(), strict=True))["possible_keys"])


def updates_in(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in queries if query["sql"].lstrip().startswith("UPDATE")]


def test_leasing_and_releasing(leased: World):
    with CaptureQueriesContext(connection) as queries:
        leased.done(leased.use("chat"))

    updates = updates_in(queries)
    assert len(updates) == 3  # counted up, counted down, closed
    assert {indexes_of(sql) for sql in updates} == {"PRIMARY"}


def test_waking(leased: World):
    with CaptureQueriesContext(connection) as queries:
        _wake(leased.provider.pk, now())

    assert [indexes_of(sql) for sql in updates_in(queries)] == ["PRIMARY"]


@pytest.mark.parametrize(
    ("rows", "condition", "column"),
    [
        (RegisteredModel.objects, Q(open_leases=0, bindings=0, wanted=False), "wanted"),
        (RegisteredModel.objects, Q(queued_at__isnull=False), "waiting"),
        (RegisteredModel.objects, Q(demand_until__isnull=True), "demand_until"),
        (RegisteredModel.all_objects, Q(revision=3), "observed"),
        (Provider.all_objects, Q(wake_at__isnull=True), "wake_at"),
        (Lease.objects, Q(closed_at__isnull=True, expires_at__gt=START), "expires_at"),
    ],
)
def test_whatever_a_condition_names(leased: World, rows: Manager[Any], condition: Q, column: str):
    with CaptureQueriesContext(connection) as queries:
        rows.filter(condition, pk=1).update(**{column: F(column)})

    assert [indexes_of(sql) for sql in updates_in(queries)] == ["PRIMARY"]
