"""The two-minute poll, and what a starting worker makes sure of."""

from collections.abc import Iterator

import pytest
from django_q.models import Schedule

from models_registry.services.providers import update_provider
from models_registry.waking import WATCH_TASK
from monitoring import tasks as jobs
from tests.monitoring.world import World


@pytest.fixture(autouse=True)
def own_threads() -> Iterator[None]:
    jobs._threads.cache_clear()
    yield
    jobs._threads().shutdown()
    jobs._threads.cache_clear()


def test_it_looks_at_every_server_whatever_its_alarm_says(shared_world: World, tasks: list[str]):
    shared_world.add("chat")
    shared_world.make_ready("chat")
    shared_world.fake.unload_behind_our_back("chat")
    assert shared_world.provider_row().wake_at is None

    jobs.poll()

    assert "not_loaded" in shared_world.codes("chat")
    assert tasks == [WATCH_TASK]


def test_a_starting_worker_makes_every_schedule_once(db: None, tasks: list[str]):
    jobs.begin()
    jobs.begin()
    schedules = Schedule.objects.values_list("name", "func", "schedule_type", "minutes", "repeats")
    assert sorted(schedules) == [
        ("check_usage", "monitoring.nightly.check_usage", Schedule.DAILY, None, -1),
        ("poll", "monitoring.tasks.poll", Schedule.MINUTES, 2, -1),
        ("prune_usage", "monitoring.nightly.prune_usage", Schedule.DAILY, None, -1),
        ("watch", WATCH_TASK, Schedule.MINUTES, 1, -1),
    ]
    assert tasks == ["monitoring.tasks.poll"] * 2


def test_when_it_is_due_next_is_left_as_it_was(db: None, tasks: list[str]):
    jobs.begin()
    before = dict(Schedule.objects.values_list("name", "next_run"))
    jobs.begin()
    assert dict(Schedule.objects.values_list("name", "next_run")) == before


def test_trap_26_two_of_one_name_made_at_the_same_moment_become_one(db: None, tasks: list[str]):
    for _twice in range(2):
        Schedule.objects.create(name="poll", func="monitoring.tasks.poll", schedule_type=Schedule.MINUTES, minutes=9)
    jobs.begin()
    assert list(Schedule.objects.filter(name="poll").values_list("minutes", flat=True)) == [2]


def test_trap_26_a_poll_that_runs_twice_acts_once(shared_world: World):
    shared_world.add("chat", load_s=5)
    shared_world.switch_on("chat")
    jobs.poll()
    jobs.poll()
    assert shared_world.posts() == [("load", "chat")]


def test_trap_3_it_ends_the_waits_of_disabled_providers(shared_world: World):
    shared_world.add("chat")
    update_provider(shared_world.provider_row(), {"enabled": False}, actor="user:kim")
    shared_world.switch_on("chat")
    shared_world.advance(900)
    jobs.poll()
    assert shared_world.error("chat") == "activation_timeout"
