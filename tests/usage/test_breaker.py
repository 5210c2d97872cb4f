"""A silent provider costs a web process one time-out now and then, not one a request."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from models_registry.providers.errors import ProviderRefused, ProviderUnavailable
from models_registry.refusals import ProviderUnreachable
from tests.monitoring.world import World
from usage import breaker
from usage.refusals import ModelError


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The breaker's clock, moved by writing into the list."""
    at = [1000.0]
    monkeypatch.setattr(breaker, "time", type("Clock", (), {"monotonic": staticmethod(lambda: at[0])}))
    breaker.forget()
    yield at
    breaker.forget()


def is_open(provider_id: int = 1) -> bool:
    try:
        breaker.refuse_if_open(provider_id)
    except ProviderUnavailable:
        return True
    return False


def asked(world: World) -> int:
    return world.fake.calls.get("ready", 0)


def test_three_misses_in_a_row_open_the_circuit(monotonic: list[float]) -> None:
    opened = []
    for _miss in range(3):
        opened.append(is_open())
        breaker.note_miss(1)
    assert (opened, is_open()) == ([False, False, False], True)


def test_one_time_out_opens_the_circuit(monotonic: list[float]) -> None:
    breaker.note_miss(1, hung=True)
    assert is_open()


def test_an_answer_closes_it(monotonic: list[float]) -> None:
    breaker.note_miss(1, hung=True)
    breaker.note_answer(1)
    assert not is_open()


def test_an_answer_between_misses_starts_the_count_anew(monotonic: list[float]) -> None:
    for _round in range(4):
        breaker.note_miss(1)
        breaker.note_miss(1)
        breaker.note_answer(1)
    assert not is_open()


def test_servers_have_circuits_of_their_own(monotonic: list[float]) -> None:
    breaker.note_miss(1, hung=True)
    assert (is_open(1), is_open(2)) == (True, False)


def test_after_a_rest_one_caller_tries_it_and_the_others_go_on_resting(monotonic: list[float]) -> None:
    breaker.note_miss(1, hung=True)
    monotonic[0] += breaker.REST_S
    assert [is_open() for _caller in range(5)] == [False, True, True, True, True]


def test_a_caller_who_tried_in_vain_lets_it_rest_again(monotonic: list[float]) -> None:
    breaker.note_miss(1, hung=True)
    monotonic[0] += breaker.REST_S
    assert not is_open()
    breaker.note_miss(1, hung=True)
    assert is_open()
    monotonic[0] += breaker.REST_S
    assert not is_open()


def test_a_provider_that_is_back_is_found_though_requests_never_pause(
    world: World, chat: str, monotonic: list[float]
) -> None:
    world.fake.down = True
    for _request in range(20):
        with pytest.raises(ProviderUnreachable):
            world.use(chat)
        monotonic[0] += 0.1
    world.fake.down = False

    for _request in range(25):
        try:
            world.use(chat)
            break
        except ProviderUnreachable:
            monotonic[0] += 0.1
    assert world.model(chat).open_leases == 1


def test_a_silent_provider_is_asked_three_times_in_two_seconds(world: World, chat: str, monotonic: list[float]) -> None:
    world.fake.down = True
    for _request in range(50):
        with pytest.raises(ProviderUnreachable):
            world.use(chat)
    assert asked(world) == 3


def test_a_silent_provider_is_looked_at_for_each_miss_not_for_each_request(
    world: World, chat: str, monotonic: list[float], tasks: list[str]
) -> None:
    world.fake.down = True
    tasks.clear()
    for _request in range(50):
        with pytest.raises(ProviderUnreachable):
            world.use(chat)
    assert tasks == ["monitoring.tasks.watch"] * 3


def test_a_no_of_the_provider_is_an_answer(
    world: World, chat: str, monotonic: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, version: str = "") -> bool:
        raise ProviderRefused("cannot be the version of a model", status=400)

    monkeypatch.setattr(world.fake, "is_ready", refuse)
    with pytest.raises(ModelError):
        world.use(chat)
    assert not is_open(world.provider.pk)


@pytest.mark.slow
def test_a_hung_provider_costs_one_time_out_and_then_nothing(
    shared_world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRITON_TIMEOUT_S = 0.4
    name = shared_world.add("chat")
    shared_world.make_ready(name)
    calls: list[str] = []

    def hang(name: str, version: str = "") -> bool:
        calls.append(name)
        threading.Event().wait(0.4)
        raise ProviderUnavailable("no answer in time")

    monkeypatch.setattr(shared_world.fake, "is_ready", hang)

    def request(_number: int) -> None:
        try:
            with pytest.raises(ProviderUnreachable):
                shared_world.use(name)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(request, range(4)))
        assert len(calls) == 4
        rest_ends = time.monotonic() + 1.0
        while time.monotonic() < rest_ends:
            request(0)
    assert len(calls) == 4
