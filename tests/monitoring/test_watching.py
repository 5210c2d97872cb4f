"""The watcher acts on whatever is due, on all servers side by side, one watcher at a time."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from models_registry.models import Provider
from models_registry.providers.triton import use_gateways
from models_registry.waking import WATCH_TASK
from monitoring import duties, stopping
from monitoring import tasks as jobs
from monitoring.models import Duty
from tests.monitoring.world import START, World
from tests.triton.fake import FakeTriton
from usage.models import CloseReason, Lease


@pytest.fixture(autouse=True)
def own_threads(settings: Any) -> Iterator[None]:
    """Threads for this test alone, and a watcher that ends soon."""
    settings.STRETCH_S = 5.0
    jobs._threads.cache_clear()
    yield
    jobs._threads().shutdown()
    jobs._threads.cache_clear()


def in_a_thread(work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_for(condition: Callable[[], bool], *, at_most_s: float = 30) -> None:
    ends = time.monotonic() + at_most_s
    while not condition():
        assert time.monotonic() < ends, "it did not come to pass"
        time.sleep(0.05)


def test_a_holder_on_a_host_whose_name_begins_alike_is_not_taken_for_dead(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    hosts = [f"model-manager-worker-7d9f8b6c5d-{suffix}" for suffix in ("abcde", "fghij")]
    first, second = (_named(host, monkeypatch) for host in hosts)
    assert duties.take("watch", owner=first.replace(f":{os.getpid()}:", f":{gone.pid}:"), for_s=5)
    assert not duties.take("watch", owner=second, for_s=5)


def _named(host: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An owner of a duty, as a process on that host names itself."""
    monkeypatch.setattr("socket.gethostname", lambda: host)
    owner = duties.new_owner()
    assert len(owner) <= 64
    return owner


def test_it_does_what_is_due_and_ends_when_nothing_is(shared_world: World, tasks: list[str]):
    shared_world.add("chat")
    shared_world.switch_on("chat")
    assert tasks == [WATCH_TASK]

    jobs.watch()

    assert shared_world.status("chat") == "active"
    assert tasks == [WATCH_TASK]  # no successor: nothing is due
    assert Duty.objects.get(name="watch").held_until is None


@pytest.mark.slow
def test_while_something_is_due_soon_it_is_followed_by_its_successor(
    shared_world: World, tasks: list[str], settings: Any
):
    settings.STRETCH_S = 0.3
    shared_world.add("chat", load_s=100)
    shared_world.switch_on("chat")
    tasks.clear()

    jobs.watch()

    assert tasks == [WATCH_TASK]
    assert shared_world.posts() == [("load", "chat")]


def test_a_second_one_leaves_it_to_the_first(shared_world: World):
    duties.take("watch", owner=duties.new_owner(), for_s=5)
    shared_world.add("chat")
    shared_world.switch_on("chat")
    jobs.watch()
    assert shared_world.posts() == []


def test_the_duty_of_one_that_died_is_taken_over_at_once(shared_world: World):
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    me = duties.new_owner().split(":")
    assert duties.take("watch", owner=f"{me[0]}:{gone.pid}:abc", for_s=3600)
    shared_world.add("chat")
    shared_world.switch_on("chat")
    jobs.watch()
    assert shared_world.posts() == [("load", "chat")]


def test_the_duty_of_one_on_another_host_is_taken_over_when_its_time_is_over(shared_world: World):
    assert duties.take("watch", owner="elsewhere:1:abc", for_s=5)
    assert not duties.take("watch", owner=duties.new_owner(), for_s=5)
    shared_world.advance(6)
    assert duties.take("watch", owner=duties.new_owner(), for_s=5)


def test_a_hung_server_delays_no_other(shared_world: World, settings: Any):
    hung, answer = FakeTriton(), threading.Event()
    observe = hung.observe

    def no_answer_for_long():
        answer.wait(60)
        return observe()

    hung.observe = no_answer_for_long  # type: ignore[method-assign]
    url = "http://127.0.0.1:18900"
    slow = Provider.objects.create(
        name="hung",
        kind="triton",
        base_url=url,
        server_key="127.0.0.1:18900",
        wake_at=START,
        allow_private_network=True,
    )
    shared_world.add("chat")
    shared_world.switch_on("chat")
    with use_gateways(lambda asked: hung if asked == url else shared_world.fake):
        watcher = in_a_thread(jobs.watch)
        try:
            wait_for(lambda: shared_world.status("chat") == "active")
            assert Provider.objects.get(pk=slow.pk).checked_at is None  # still hanging
        finally:
            answer.set()
            watcher.join(60)
    assert Provider.objects.get(pk=slow.pk).checked_at is not None


@pytest.mark.slow
def test_a_fault_of_ours_on_one_server_is_logged_and_stops_nothing(
    shared_world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def break_down() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(shared_world.fake, "observe", break_down)
    Provider.objects.update(wake_at=START)

    jobs.watch()

    assert "a bug" in caplog.text
    assert shared_world.provider_row().wake_at == shared_world.at(10)


def test_leases_that_ran_out_are_closed_also_where_no_server_is_due(shared_world: World):
    shared_world.add("chat")
    shared_world.make_ready("chat")
    shared_world.use("chat", ttl_s=30)
    shared_world.advance(31)
    jobs.watch()
    assert Lease.objects.get().close_reason == CloseReason.EXPIRED
    assert shared_world.model("chat").open_leases == 0


def test_a_cluster_that_ends_is_not_held_up(shared_world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stopping, "_stopping", type("Flag", (), {"value": 1})())
    shared_world.add("chat")
    shared_world.switch_on("chat")
    jobs.watch()
    assert shared_world.posts() == []
