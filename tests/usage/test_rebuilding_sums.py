"""Sums of usage can be made anew from the records, as far as these are kept, and in another time zone."""

from datetime import date, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from modelmanager.lib.clock import now
from modelmanager.lib.local_time import start_of_day
from monitoring import nightly
from monitoring.nightly import check_usage
from tests.monitoring.test_doctor import doctor
from tests.monitoring.world import START, World
from tests.usage.calls import assert_sums_are_those_of_the_records, call, record, told
from usage.models import Ledger, Outcome, RollupCheck, UsageDay, UsageHour, UsageRecord
from usage.periods import span_of
from usage.services import rebuilding
from usage.services.pruning import prune_usage

SEOUL = ZoneInfo("Asia/Seoul")
# Either change of clocks of New York is within these days, and some of half and quarter hours, too.
ZONES = ["Asia/Seoul", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]


def rebuild(*arguments: str) -> tuple[str, int]:
    """What the command printed, and its exit code."""
    out = StringIO()
    try:
        call_command("rebuild_rollups", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


@pytest.fixture
def used(world: World, settings: Any) -> World:
    """Two hundred calls over a month."""
    settings.TIME_ZONE = "Asia/Seoul"
    world.add("embedder")
    world.add("reranker")
    at = now() - timedelta(days=30)
    outcomes = [*Outcome.values, "ok"]
    calls = [
        call(
            at + timedelta(hours=3.6 * number),
            model=("embedder", "reranker")[number % 2],
            outcome=outcomes[number % 5],
            latency_us=number**3,
            input_tokens=number,
            output_tokens=3 * number,
        )
        for number in range(200)
    ]
    record(world.client.pk, *calls)
    return world


def spoil() -> None:
    """Falsify some sums, remove some, and tell of calls that never were."""
    day, hour = UsageDay.objects.first(), UsageHour.objects.order_by("hour").last()
    assert day and hour
    UsageDay.objects.filter(day=day.day).update(calls=77)
    UsageHour.objects.filter(hour=hour.hour).delete()
    ghost = {"client_id": 1, "model_id": 9, "config_id": 9, "calls": 1, "input_tokens": 0, "output_tokens": 0}
    sums = {"cost": 0, "latency_sum_us": 1, "latency_max_us": 1, "outcome": "ok"}
    UsageHour.objects.create(hour=hour.hour - timedelta(minutes=60 * 24 * 100), **ghost, **sums)


def test_what_is_summed_on_arrival_is_what_the_records_say(used: World) -> None:
    assert UsageRecord.objects.count() == 200
    assert_sums_are_those_of_the_records(SEOUL)
    assert rebuild("--check") == ("Nothing differs.\n", 0)


def test_spoilt_sums_are_found_and_made_anew(used: World) -> None:
    spoil()
    text, code = rebuild("--check")
    assert code == 1
    assert text.startswith("5 differ: ")  # an hour and its day by each of two deeds, and the falsified day
    rebuild()
    assert_sums_are_those_of_the_records(SEOUL)
    assert rebuild("--check") == ("Nothing differs.\n", 0)


def test_only_the_days_asked_for_are_made_anew(used: World) -> None:
    first = UsageDay.objects.order_by("day").values_list("day", flat=True).first()
    assert first is not None
    UsageDay.objects.update(calls=5)
    rebuild("--from", str(first + timedelta(days=1)), "--to", str(first + timedelta(days=3)))
    spoilt = set(UsageDay.objects.filter(calls=5).values_list("day", flat=True))
    assert first in spoilt
    assert first + timedelta(days=1) not in spoilt
    assert first + timedelta(days=2) not in spoilt
    assert first + timedelta(days=4) in spoilt


@pytest.mark.parametrize(
    "arguments", [("--from", "yesterday"), ("--to", "2026-13-01"), ("--from", "2026-11-02", "--to", "2026-11-02")]
)
def test_days_that_are_none_are_refused(world: World, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refusal:
        rebuild(*arguments)
    assert refusal.value.returncode == 2


def test_the_nightly_check_tells_doctor_until_a_rebuild(used: World) -> None:
    check_usage()
    assert RollupCheck.objects.get().differences == 0
    newest = UsageHour.objects.order_by("-hour").first()
    assert newest
    UsageHour.objects.filter(hour=newest.hour).update(calls=9)
    check_usage()
    told_by = doctor()[0]
    assert f"{newest.hour:%Y-%m-%d %H:00} UTC tells of 9 calls, there were 1" in told_by
    assert "run manage.py rebuild_rollups" in told_by
    rebuild()
    assert "sums differ" not in doctor()[0]


def test_the_nightly_check_goes_on_until_it_has_seen_every_hour(used: World, monkeypatch: pytest.MonkeyPatch) -> None:
    next_since: list[str] = []
    monkeypatch.setattr(nightly, "STRETCH_S", -1.0)
    monkeypatch.setattr(nightly, "async_task", lambda _task, since: next_since.append(since))
    UsageHour.objects.filter(hour=UsageHour.objects.latest("hour").hour).update(calls=9)
    check_usage()
    stretches = 1
    while next_since:
        check_usage(next_since.pop())
        stretches += 1
    recent = UsageHour.objects.filter(hour__gte=now() - timedelta(days=8)).values("hour").distinct().count()
    assert stretches >= recent > 40
    assert RollupCheck.objects.filter(detail__contains="UTC tells of 9 calls, there were 1").count() == 1


def test_sums_whose_records_are_pruned_stay(used: World, settings: Any) -> None:
    before = told(UsageHour, "hour"), told(UsageDay, "day")
    settings.USAGE_RETENTION_DAYS = 10
    assert prune_usage(at_a_time=7) > 100
    text, _code = rebuild()
    assert "are pruned: their sums stay" in text
    assert (told(UsageHour, "hour"), told(UsageDay, "day")) == before
    assert rebuild("--check") == ("Nothing differs.\n", 0)


def test_another_time_zone_is_told_and_its_days_are_made(used: World, settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    assert "its days are those of Asia/Seoul, not all of America/New_York" in doctor()[0]
    record(used.client.pk, call())
    assert_sums_are_those_of_the_records(SEOUL)
    rebuild()
    assert "usage" not in doctor()[0]
    record(used.client.pk, call(), call(now() - timedelta(days=29)))
    assert_sums_are_those_of_the_records(ZoneInfo("America/New_York"))
    assert rebuild("--check")[1] == 0


def test_days_being_made_take_in_what_arrives_and_go_on_where_they_were(used: World, settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    for number, _day in enumerate(rebuilding.complete_days()):
        record(used.client.pk, call(), call(now() - timedelta(days=20)), call(now() - timedelta(days=5)))
        if number == 12:
            break
    since = Ledger.objects.get().days_since
    assert since == (now() - timedelta(hours=5) - timedelta(days=12)).date()
    record(used.client.pk, call(now() - timedelta(days=25)))
    assert not UsageDay.objects.filter(day__lt=since).exists()
    rebuild()
    assert_sums_are_those_of_the_records(ZoneInfo("America/New_York"))


def test_days_of_half_hours_are_refused_where_records_are_pruned_and_exact_where_not(
    used: World, settings: Any
) -> None:
    settings.USAGE_RETENTION_DAYS = 10
    prune_usage()
    settings.TIME_ZONE = "Asia/Kolkata"
    with pytest.raises(CommandError, match="hours do not make up its days in Asia/Kolkata") as refusal:
        rebuild()
    assert refusal.value.returncode == 1
    ledger = Ledger.objects.get()
    assert START.date() - timedelta(days=11) < ledger.days_since <= START.date() - timedelta(days=9)
    kept = UsageRecord.objects.filter(occurred_at__gte=start_of_day(ledger.days_since, ledger.zone)).count()
    assert sum(UsageDay.objects.values_list("calls", flat=True)) == kept > 50
    assert rebuild("--check")[1] == 0


moments = st.integers(0, 35 * 86_400_000_000).map(lambda us: START - timedelta(microseconds=us))
calls = st.lists(
    st.builds(
        call,
        moments,
        model=st.sampled_from(["embedder", "reranker"]),
        latency_us=st.integers(0, 10**9),
        outcome=st.sampled_from(Outcome.values),
        input_tokens=st.integers(0, 10**8),
        output_tokens=st.integers(0, 1000),
    ),
    min_size=1,
    max_size=30,
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(batches=st.lists(calls, min_size=1, max_size=3), zone=st.sampled_from(ZONES))
def test_sums_are_those_of_the_records_whatever_arrives_and_wherever(
    used: World, settings: Any, batches: Any, zone: str
) -> None:
    for table in (UsageRecord, UsageHour, UsageDay, Ledger):
        table.objects.all().delete()
    settings.TIME_ZONE = zone
    for batch in batches:
        record(used.client.pk, *batch)
    assert_sums_are_those_of_the_records(ZoneInfo(zone))
    by_day = told(UsageDay, "day")
    assert sum(sums[0] for sums in by_day.values()) == UsageRecord.objects.count()
    UsageHour.objects.all().delete()
    UsageDay.objects.update(calls=0)
    rebuild()
    assert_sums_are_those_of_the_records(ZoneInfo(zone))


def test_a_day_on_which_clocks_change_has_its_own_length() -> None:
    new_york = ZoneInfo("America/New_York")
    lengths = [span_of(day, new_york) for day in (date(2026, 3, 8), date(2026, 11, 1), date(2026, 11, 2))]
    assert [(end - start) / timedelta(hours=1) for start, end in lengths] == [23, 25, 24]
