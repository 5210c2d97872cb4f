"""Usage records in a partition for each month: reported, listed and summed as before, and dropped by the month."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from modelmanager.lib.clock import now
from monitoring import nightly
from tests.monitoring.world import World
from tests.usage.calls import call, record, told
from usage.models import Ledger, UsageHour, UsageRecord
from usage.record_sql import RECORDS
from usage.services.checking import check_rollups
from usage.services.partitioning import partition_records, partitions
from usage.services.pruning import prune_usage

BACK = (
    f"ALTER TABLE {RECORDS} REMOVE PARTITIONING",
    f"ALTER TABLE {RECORDS} DROP PRIMARY KEY, ADD PRIMARY KEY (id), "
    "DROP INDEX usage_once, ADD UNIQUE INDEX usage_once (client_id, event_id)",
)


@pytest.fixture
def by_month(shared_world: World) -> Iterator[World]:
    """Calls of a hundred days, in a table that was partitioned when they were there."""
    shared_world.add("embedder")
    calls = [call(now() - timedelta(days=number), event_id=f"e{number}") for number in range(100)]
    record(shared_world.client.pk, *calls)
    try:
        call_command("partition_usage", stdout=StringIO())
        yield shared_world
    finally:
        with connection.cursor() as cursor:
            for statement in BACK:
                cursor.execute(statement)


@pytest.mark.mariadb
def test_a_partition_holds_a_month_and_three_are_ahead(by_month: World) -> None:
    names = [name for name, _until in partitions()]
    months = ["m202608", "m202609", "m202610", "m202611", "m202612", "m202701", "m202702"]
    assert names == [*months, "later"]
    assert partitions()[0][1] == datetime(2026, 9, 1, tzinfo=UTC)
    assert UsageRecord.objects.count() == 100


@pytest.mark.mariadb
def test_an_event_still_counts_once(by_month: World) -> None:
    again = [call(now() - timedelta(days=number), event_id=f"e{number}") for number in range(100)]
    moved = call(now() - timedelta(days=50), event_id="e3")
    assert record(by_month.client.pk, *again, moved, call(event_id="new")) == (1, 101)
    assert UsageRecord.objects.count() == 101
    assert check_rollups().differences == 0


@pytest.mark.mariadb
def test_months_after_their_retention_are_dropped_whole_and_the_rest_by_rows(by_month: World, settings: Any) -> None:
    before = told(UsageHour, "hour")
    settings.USAGE_RETENTION_DAYS = 40
    removed = prune_usage()
    assert removed == 100 - UsageRecord.objects.count() > 55
    assert partitions()[0][0] == "m202610"
    ledger = Ledger.objects.get()
    assert not UsageRecord.objects.filter(occurred_at__lt=ledger.pruned_until).exists()
    assert told(UsageHour, "hour") == before


@pytest.mark.mariadb
def test_the_night_makes_the_months_to_come(by_month: World) -> None:
    assert partition_records() == 0
    by_month.advance(70 * 86400)
    nightly.prune_usage()
    assert [name for name, _until in partitions()][-4:] == ["m202703", "m202704", "m202705", "later"]
    record(by_month.client.pk, call())
    assert UsageRecord.objects.count() == 101


@pytest.mark.mariadb
def test_after_a_long_rest_every_month_may_be_gone(by_month: World) -> None:
    by_month.advance(900 * 86400)
    assert prune_usage() == 100
    assert partitions() == [("later", None)]
    nightly.prune_usage()
    assert [name for name, _until in partitions()] == ["m202905", "m202906", "m202907", "m202908", "later"]


def test_sqlite_is_told_that_it_has_none(world: World) -> None:
    if connection.vendor == "mysql":
        assert partitions() == []
        return
    with pytest.raises(CommandError) as refusal:
        call_command("partition_usage")
    assert refusal.value.returncode == 2
    assert partitions() == []
