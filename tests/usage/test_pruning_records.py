"""Records are removed after their retention, by whole days and in bounded pieces; reports of before are refused."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from modelmanager.checks import installation
from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid
from monitoring import nightly
from monitoring.nightly import next_
from tests.monitoring.world import World
from tests.usage.calls import call, record, told
from usage.models import Ledger, UsageDay, UsageHour, UsageRecord
from usage.services import pruning
from usage.services.pruning import is_anything_left, prune_usage


@pytest.fixture
def used(world: World, settings: Any) -> World:
    """A call an hour for twenty days, of which ten are to be kept; it is 18:00 in Seoul."""
    settings.TIME_ZONE, settings.USAGE_RETENTION_DAYS = "Asia/Seoul", 400
    world.add("embedder")
    record(world.client.pk, *(call(now() - timedelta(hours=number)) for number in range(480)))
    settings.USAGE_RETENTION_DAYS = 10
    return world


KEPT_SINCE = datetime(2026, 11, 14, tzinfo=ZoneInfo("Asia/Seoul"))


def test_days_that_ended_before_the_retention_go_and_their_sums_stay(used: World) -> None:
    before = told(UsageHour, "hour"), told(UsageDay, "day")
    removed = prune_usage()
    assert removed == 480 - UsageRecord.objects.count() > 200
    assert Ledger.objects.get().pruned_until == KEPT_SINCE
    oldest = UsageRecord.objects.order_by("occurred_at").first()
    assert oldest and oldest.occurred_at == KEPT_SINCE
    assert (told(UsageHour, "hour"), told(UsageDay, "day")) == before
    assert prune_usage() == 0


def test_a_transaction_removes_no_more_than_it_may(used: World) -> None:
    with CaptureQueriesContext(connection) as queries:
        removed = prune_usage(at_a_time=50)
    deletes = [query["sql"] for query in queries if query["sql"].startswith("DELETE")]
    assert len(deletes) == -(-removed // 50)


def test_a_call_of_pruned_days_is_refused_also_when_records_are_kept_longer_again(used: World, settings: Any) -> None:
    prune_usage()
    settings.USAGE_RETENTION_DAYS = 30
    before = told(UsageHour, "hour")
    with pytest.raises(Invalid) as refusal:
        record(used.client.pk, call(), call(KEPT_SINCE - timedelta(microseconds=1)))
    assert [(error["field"], error["code"]) for error in refusal.value.extra["errors"]] == [
        ("1.occurred_at", "too_old")
    ]
    assert told(UsageHour, "hour") == before
    assert record(used.client.pk, call(KEPT_SINCE)).accepted == 1


def test_the_watermark_never_goes_back(used: World, settings: Any) -> None:
    prune_usage()
    settings.USAGE_RETENTION_DAYS = 15
    assert prune_usage() == 0
    assert Ledger.objects.get().pruned_until == KEPT_SINCE


def test_what_a_night_does_not_manage_is_done_by_further_tasks(used: World, monkeypatch: pytest.MonkeyPatch) -> None:
    enqueued: list[str] = []
    monkeypatch.setattr(nightly, "async_task", enqueued.append)
    monkeypatch.setattr(nightly, "STRETCH_S", -1.0)
    nightly.prune_usage()
    assert enqueued == [nightly.PRUNE_TASK]
    assert is_anything_left()
    monkeypatch.setattr(nightly, "STRETCH_S", 50.0)
    nightly.prune_usage()
    assert enqueued == [nightly.PRUNE_TASK]
    assert not is_anything_left()


def test_the_command_tells_what_it_removed_and_what_is_kept(used: World) -> None:
    out = StringIO()
    call_command("prune_usage", stdout=out)
    assert (
        out.getvalue()
        == f"{480 - UsageRecord.objects.count()} records removed: they are kept from 2026-11-13 15:00 UTC on.\n"
    )


@pytest.mark.parametrize("days", [0, -1])
def test_an_installation_that_keeps_records_for_no_time_does_not_start(settings: Any, days: int) -> None:
    settings.USAGE_RETENTION_DAYS = days
    assert [problem.id for problem in installation() if "USAGE_RETENTION_DAYS" in problem.msg] == ["modelmanager.E004"]
    settings.USAGE_RETENTION_DAYS = 1
    assert [problem for problem in installation() if problem.id == "modelmanager.E004"] == []


@pytest.mark.parametrize("number", ["0", "-5", "20001"])
def test_a_strange_number_at_a_time_is_refused(world: World, number: str) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("prune_usage", "--at-a-time", number)
    assert refusal.value.returncode == 2


def test_the_night_comes_once_a_day_by_the_installations_clocks(world: World, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Seoul"
    at = nightly.SCHEDULES[0][2]
    assert next_(at).astimezone(UTC) == datetime(2026, 11, 24, 19, 10, tzinfo=UTC)
    assert pruning.AT_A_TIME == 2000
