"""What a server counts of its models' calls is kept by hour, however often the counters start anew."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring import served
from monitoring import tasks as jobs
from tests.monitoring.world import START, World
from usage.models import ServedCount, ServedHour
from usage.services.served import calls_seen


def read(world: World) -> None:
    served.read(world.provider.pk)


def hours(name: str) -> dict[int, tuple[int, int]]:
    """`{hour of the day: (calls, failed)}`."""
    rows = ServedHour.objects.filter(model__name=name).order_by("hour")
    return {row.hour.hour: (row.calls, row.failed) for row in rows}


@pytest.fixture
def busy(world: World) -> World:
    """A server with a model that we loaded."""
    world.add("chat")
    world.bring_up("chat")
    return world


def test_calls_since_the_load_are_counted_at_the_first_reading(busy: World):
    busy.fake.call("chat", times=3)
    busy.fake.call("chat", fails=True)
    busy.advance(60)
    read(busy)
    assert hours("chat") == {9: (4, 1)}


def test_each_reading_adds_what_is_new(busy: World):
    for _poll in range(3):
        busy.advance(120)
        busy.fake.call("chat", times=2)
        read(busy)
    assert hours("chat") == {9: (6, 0)}


def test_each_hour_has_its_own(busy: World):
    for _poll in range(4):
        busy.advance(40 * 60)
        busy.fake.call("chat")
        read(busy)
    assert {hour: calls for hour, (calls, _failed) in hours("chat").items()} == {9: 1, 10: 1, 11: 2}


def test_nothing_is_written_when_nothing_changed(busy: World):
    busy.fake.call("chat")
    read(busy)
    busy.advance(120)
    with CaptureQueriesContext(connection) as queries:
        read(busy)
    assert [query["sql"] for query in queries if query["sql"].startswith(("UPDATE", "INSERT"))] == []
    assert ServedCount.objects.get().read_at < START + timedelta(minutes=2)


def test_an_unload_and_a_load_lose_nothing(busy: World):
    busy.fake.call("chat", times=5)
    read(busy)
    busy.fake.call("chat", times=2)  # between the last poll and the unload
    busy.switch_off("chat")
    busy.settle()
    busy.advance(10)
    busy.bring_up("chat")
    busy.fake.call("chat", times=9)  # beyond what it had counted before
    busy.advance(10)
    read(busy)
    assert hours("chat") == {9: (16, 0)}


def test_a_server_that_restarted_counts_from_zero(busy: World):
    busy.fake.call("chat", times=5)
    read(busy)
    busy.fake.restart()
    busy.fake.load_behind_our_back("chat")
    busy.fake.call("chat", times=2)
    busy.advance(120)
    read(busy)
    assert hours("chat") == {9: (7, 0)}


def test_a_model_seen_unloaded_counts_from_zero(busy: World):
    busy.fake.call("chat", times=2)
    read(busy)
    busy.fake.unload_behind_our_back("chat")
    busy.advance(120)
    read(busy)
    busy.fake.load_behind_our_back("chat")
    busy.fake.call("chat", times=3)  # more than before: only the look between the two tells
    busy.advance(120)
    read(busy)
    assert hours("chat") == {9: (5, 0)}


def test_what_was_answered_before_we_knew_the_model_is_not_ours_to_count(world: World):
    world.add("chat")
    world.fake.load_behind_our_back("chat")
    world.fake.call("chat", times=100)
    read(world)
    world.fake.call("chat")
    world.advance(120)
    read(world)
    assert hours("chat") == {9: (1, 0)}


def test_two_processes_that_read_at_once_count_once(busy: World, monkeypatch: pytest.MonkeyPatch):
    read(busy)
    busy.fake.call("chat", times=4)
    busy.advance(60)
    before = ServedCount.objects.in_bulk()
    read(busy)
    monkeypatch.setattr(type(ServedCount.objects), "in_bulk", lambda *_args, **_kw: before)
    read(busy)  # what the other one had read is old by now
    assert hours("chat") == {9: (4, 0)}


def test_of_a_model_with_a_version_only_that_one_counts(busy: World):
    busy.fake.call("chat", times=3)
    busy.put("chat", remote_version="2")
    read(busy)
    assert hours("chat") == {}
    busy.put("chat", remote_version="1")
    busy.advance(60)
    read(busy)
    assert hours("chat") == {9: (3, 0)}


def test_a_silent_server_loses_no_count(busy: World):
    busy.fake.call("chat", times=2)
    busy.fake.down = True
    read(busy)
    assert hours("chat") == {}
    busy.fake.down = False
    busy.advance(60)
    read(busy)
    assert hours("chat") == {9: (2, 0)}


def test_the_poll_reads(shared_world: World, tasks: list[str]):
    jobs._threads.cache_clear()
    shared_world.add("chat")
    shared_world.make_ready("chat")
    jobs.poll()
    shared_world.fake.call("chat", times=2)
    jobs.poll()
    jobs._threads().shutdown()
    jobs._threads.cache_clear()
    assert hours("chat") == {9: (2, 0)}


def test_a_disabled_server_is_not_asked(busy: World):
    busy.provider.enabled = False
    busy.provider.save()
    read(busy)
    assert "statistics" not in busy.fake.calls


def test_the_sum_over_hours_by_model(busy: World):
    for _poll in range(3):
        busy.advance(40 * 60)
        busy.fake.call("chat")
        read(busy)
    chat = busy.model("chat").pk
    nine, eleven = datetime(2026, 11, 24, 9, tzinfo=UTC), datetime(2026, 11, 24, 11, tzinfo=UTC)
    assert calls_seen(nine, eleven) == {chat: 2}
    assert calls_seen(nine, eleven + timedelta(hours=1), models=[chat]) == {chat: 3}
    assert calls_seen(nine, eleven, models=[]) == {}
