"""A manager that serves, and a client of it that sends only when it is told to."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from model_manager_client import Clock, ModelManager

from tests.client.fake_manager import KEY, FakeManager

Connect = Callable[..., ModelManager]


class Stopwatch(Clock):
    """Real time, but `sleep` only notes it and moves the clock on."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return super().monotonic() + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def fake() -> Iterator[FakeManager]:
    with FakeManager().serving() as manager:
        yield manager


@pytest.fixture
def clock() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def connect(fake: FakeManager, tmp_path: Path, clock: Stopwatch) -> Iterator[Connect]:
    """`connect()` is a client with a spool in `tmp_path`; its thread sends once a minute, so by `flush` only."""
    made: list[ModelManager] = []

    def make(**options: Any) -> ModelManager:
        chosen: dict[str, Any] = {"spool_dir": tmp_path / "spool", "send_every_s": 60.0, "clock": clock, **options}
        made.append(ModelManager(chosen.pop("url", fake.url), chosen.pop("key", KEY), **chosen))
        return made[-1]

    yield make
    for manager in made:
        manager.close(timeout_s=0)
