"""A world with one API provider that offers two models."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
import time_machine
from django.db import connection

from models_registry import waking
from tests.checks.server import Moody
from tests.checks.world import ApiWorld
from usage import breaker


@pytest.fixture(scope="session")
def one_server() -> Iterator[Moody]:
    with Moody() as server:
        yield server


@pytest.fixture
def server(one_server: Moody) -> Moody:
    return one_server.as_new()


@pytest.fixture
def make_world(
    clock: time_machine.Traveller, tasks: list[str], server: Moody, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], ApiWorld]]:
    """Makes the world; needs a database fixture beside it."""
    breaker.forget()

    def make() -> ApiWorld:
        if connection.in_atomic_block:  # a test's own transaction never commits
            monkeypatch.setattr(waking, "transaction", SimpleNamespace(on_commit=lambda work: work()))
        return ApiWorld(clock, server)

    yield make
    breaker.forget()


@pytest.fixture
def api(db: None, make_world: Callable[[], ApiWorld]) -> ApiWorld:
    """One provider; its models are not registered yet."""
    return make_world()


@pytest.fixture
def shared_api(transactional_db: None, make_world: Callable[[], ApiWorld]) -> ApiWorld:
    """The same, with real commits, for tests with threads and processes."""
    return make_world()
