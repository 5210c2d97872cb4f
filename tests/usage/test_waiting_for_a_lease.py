"""A request may wait for its model: for as long as it said, outside any transaction, and not too many at a time."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from models_registry.refusals import ProviderUnreachable
from models_registry.vocabulary import Observed
from tests.embedded.waiting import wait_for
from tests.monitoring.world import World
from usage.api.hanging_up import has_closed
from usage.models import Lease
from usage.refusals import ModelActivating, ModelError, ModelInactive, TooManyWaiters
from usage.services import acquire


@pytest.fixture
def chat(shared_world: World) -> str:
    """Being loaded."""
    name = shared_world.add("chat")
    shared_world.put(name, switch_state="on", wanted=True, observed=Observed.LOADING)
    return name


@pytest.fixture
def waiters(monkeypatch: pytest.MonkeyPatch) -> threading.BoundedSemaphore:
    """Room for two."""
    room = threading.BoundedSemaphore(2)
    monkeypatch.setattr(acquire, "_waiters", room)
    return room


@pytest.fixture
def in_background() -> Iterator[Callable[..., "Future[Any]"]]:
    """Runs a call in a thread of its own, with a connection of its own."""

    def run(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        yield lambda *args, **kwargs: pool.submit(run, *args, **kwargs)


def become_ready(world: World, name: str) -> None:
    world.fake.load_behind_our_back(name)
    world.put(name, observed=Observed.READY)


def test_whoever_waits_is_granted_as_soon_as_it_is_ready(shared_world: World, chat: str, in_background: Any) -> None:
    waiting = in_background(shared_world.use, chat, wait_s=60)
    wait_for(lambda: shared_world.fake.calls.get("ready", 0) >= 3)
    assert not waiting.done()

    become_ready(shared_world, chat)

    grant = waiting.result(timeout=30)
    assert Lease.objects.get().pk == grant.lease_id


def test_the_wait_ends_when_it_was_said_to(shared_world: World, chat: str) -> None:
    began = time.perf_counter()
    with pytest.raises(ModelActivating):
        shared_world.use(chat, wait_s=0.5)
    assert time.perf_counter() - began >= 0.5
    assert shared_world.fake.calls["ready"] >= 2


def test_without_a_wait_the_answer_is_immediate(shared_world: World, chat: str) -> None:
    with pytest.raises(ModelActivating):
        shared_world.use(chat)
    assert shared_world.fake.calls["ready"] == 1


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"switch_state": "off", "wanted": False}, ModelInactive),
        ({"error_code": "load_failed", "failures": 5, "observed": "unloaded"}, ModelError),
    ],
)
def test_a_reason_that_waiting_does_not_mend_ends_it(
    shared_world: World, chat: str, in_background: Any, facts: dict[str, Any], refusal: type[Exception]
) -> None:
    waiting = in_background(shared_world.use, chat, wait_s=60)
    wait_for(lambda: shared_world.fake.calls.get("ready", 0) >= 2)
    shared_world.put(chat, **facts)
    with pytest.raises(refusal):
        waiting.result(timeout=30)


def test_a_server_that_misses_a_question_does_not_end_the_wait(
    shared_world: World, chat: str, in_background: Any
) -> None:
    waiting = in_background(shared_world.use, chat, wait_s=60)
    wait_for(lambda: shared_world.fake.calls.get("ready", 0) >= 2)
    asked = shared_world.fake.calls["ready"]
    shared_world.fake.hang = True
    wait_for(lambda: shared_world.fake.calls["ready"] > asked)
    shared_world.fake.hang = False
    become_ready(shared_world, chat)
    assert waiting.result(timeout=30)


def test_a_server_that_stays_silent_ends_the_wait_early(
    shared_world: World, chat: str, in_background: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acquire, "SILENCE_S", 0.5)
    waiting = in_background(shared_world.use, chat, wait_s=60)
    wait_for(lambda: shared_world.fake.calls.get("ready", 0) >= 2)
    shared_world.fake.down = True
    with pytest.raises(ProviderUnreachable):
        waiting.result(timeout=30)


def test_a_waiting_request_keeps_the_demand_up_for_as_long_as_it_waits(shared_world: World, chat: str) -> None:
    with pytest.raises(ModelActivating):
        shared_world.use(chat, wait_s=0.2)
    assert shared_world.model(chat).demand_until == shared_world.at(10)
    shared_world.put(chat, demand_until=None)

    threading.Thread(target=become_ready, args=(shared_world, chat)).start()
    shared_world.use(chat, wait_s=45)


def test_the_demand_of_a_long_wait_reaches_to_its_end(shared_world: World, chat: str, in_background: Any) -> None:
    waiting = in_background(shared_world.use, chat, wait_s=45)
    wait_for(lambda: shared_world.model(chat).demand_until == shared_world.at(45))
    become_ready(shared_world, chat)
    assert waiting.result(timeout=30)


def test_however_long_it_has_waited_its_demand_ends_when_it_ends(
    shared_world: World, chat: str, in_background: Any
) -> None:
    ends = shared_world.at(45)
    waiting = in_background(shared_world.use, chat, wait_s=45)
    wait_for(lambda: shared_world.model(chat).demand_until == ends)
    shared_world.advance(30)
    asked = shared_world.fake.calls["ready"]
    wait_for(lambda: shared_world.fake.calls["ready"] >= asked + 3)
    assert shared_world.model(chat).demand_until == ends
    become_ready(shared_world, chat)
    assert waiting.result(timeout=30)


def test_whoever_may_not_wait_demands_no_longer_than_any_refused_one(
    shared_world: World, chat: str, waiters: threading.BoundedSemaphore
) -> None:
    waiters.acquire()
    waiters.acquire()
    with pytest.raises(TooManyWaiters):
        shared_world.use(chat, wait_s=60)
    assert shared_world.model(chat).demand_until == shared_world.at(10)


def test_whoever_hangs_up_is_not_held_and_gets_no_lease(
    shared_world: World, chat: str, waiters: threading.BoundedSemaphore, in_background: Any
) -> None:
    gone = threading.Event()
    waiting = in_background(shared_world.use, chat, wait_s=60, has_hung_up=gone.is_set)
    wait_for(lambda: waiters._value == 1)
    gone.set()
    with pytest.raises(ModelActivating):
        waiting.result(timeout=30)
    become_ready(shared_world, chat)
    assert waiters._value == 2
    assert not Lease.objects.exists()


def test_a_closed_connection_is_told_from_one_that_is_silent_or_sends_more() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert has_closed(ours) is False
        theirs.sendall(b"the next request")
        assert has_closed(ours) is False
        assert ours.recv(100) == b"the next request"
        theirs.close()
        assert has_closed(ours) is True
    assert has_closed(ours) is True


def test_a_long_wait_writes_its_demand_once(shared_world: World, chat: str, django_assert_max_num_queries: Any) -> None:
    with pytest.raises(ModelActivating):
        shared_world.use(chat, wait_s=0.1)
    with django_assert_max_num_queries(30) as asked, pytest.raises(ModelActivating):
        shared_world.use(chat, wait_s=0.6)
    assert [query["sql"] for query in asked.captured_queries if query["sql"].startswith("UPDATE")] == []


def test_one_too_many_is_told_so_at_once(
    shared_world: World, chat: str, waiters: threading.BoundedSemaphore, in_background: Any
) -> None:
    waiting = [in_background(shared_world.use, chat, wait_s=60) for _waiter in range(2)]
    wait_for(lambda: waiters._value == 0)

    with pytest.raises(TooManyWaiters) as refused:
        shared_world.use(chat, wait_s=60)
    assert (refused.value.status, refused.value.code, refused.value.retry_after_s) == (503, "too_many_waiters", 1)

    become_ready(shared_world, chat)
    assert [future.result(timeout=30).lease_id for future in waiting]
    assert waiters._value == 2


def test_whoever_does_not_wait_needs_no_room(
    shared_world: World, chat: str, waiters: threading.BoundedSemaphore
) -> None:
    waiters.acquire()
    waiters.acquire()
    with pytest.raises(ModelActivating):
        shared_world.use(chat)
    become_ready(shared_world, chat)
    assert shared_world.use(chat, wait_s=60).lease_id


@pytest.mark.parametrize("ends", [{"switch_state": "off", "wanted": False}, {"deleted_at": None}])
def test_the_room_is_given_back_however_the_wait_ends(
    shared_world: World, chat: str, waiters: threading.BoundedSemaphore, ends: dict[str, Any]
) -> None:
    shared_world.put(chat, **ends)
    with pytest.raises((ModelInactive, ModelActivating)):
        shared_world.use(chat, wait_s=0.2)
    assert waiters._value == 2


def test_waiting_holds_no_transaction(shared_world: World, chat: str, monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[bool] = []
    sleep = time.sleep

    def watched(seconds: float) -> None:
        states.append(connection.in_atomic_block or not connection.get_autocommit())
        sleep(seconds)

    ask = shared_world.fake.is_ready

    def asked(name: str, version: str = "") -> bool:
        states.append(connection.in_atomic_block)
        return ask(name, version)

    monkeypatch.setattr(acquire, "time", type("T", (), {**vars(time), "sleep": staticmethod(watched)}))
    monkeypatch.setattr(shared_world.fake, "is_ready", asked)
    with pytest.raises(ModelActivating):
        shared_world.use(chat, wait_s=0.3)
    assert len(states) >= 4
    assert not any(states)


def test_a_model_may_be_changed_while_somebody_waits_for_it(shared_world: World, chat: str, in_background: Any) -> None:
    waiting = in_background(shared_world.use, chat, wait_s=60)
    wait_for(lambda: shared_world.fake.calls.get("ready", 0) >= 1)
    for number in range(20):
        shared_world.put(chat, display_name=str(number))
    become_ready(shared_world, chat)
    assert waiting.result(timeout=30).lease_id
