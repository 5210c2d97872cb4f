"""Fixtures shared by the tests of the services: a moved clock, and a world with one fake server."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import connection

from models_registry import waking
from models_registry.providers.triton import use_gateways
from monitoring import tasks as monitoring_tasks
from tests.monitoring.world import START, World
from usage import breaker


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still at START until a test moves it."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the tasks that were enqueued; none runs."""
    enqueued: list[str] = []
    monkeypatch.setattr(waking, "async_task", enqueued.append)
    monkeypatch.setattr(monitoring_tasks, "async_task", enqueued.append)
    return enqueued


@pytest.fixture
def build(
    clock: time_machine.Traveller, tasks: list[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., World]]:
    """Makes the world with the limits a test gives; needs a database fixture beside it."""
    monkeypatch.setattr(settings, "MISSES_APART_S", 0)  # a test's looks follow each other without time passing
    worlds: dict[str, World] = {}
    breaker.forget()
    with use_gateways(lambda url: worlds["it"].fake):

        def make(**limits: Any) -> World:
            if connection.in_atomic_block:  # a test's own transaction never commits
                monkeypatch.setattr(waking, "transaction", SimpleNamespace(on_commit=lambda work: work()))
            worlds["it"] = World(clock, **limits)
            return worlds["it"]

        yield make
    breaker.forget()


@pytest.fixture
def world(db: None, build: Callable[..., World]) -> World:
    """A server that holds one model at a time."""
    return build()


@pytest.fixture
def shared_world(transactional_db: None, build: Callable[..., World]) -> World:
    """The same, with real commits, for tests with threads and for what happens after a commit."""
    return build()
