"""Ending the job cluster, whatever became of its guard meanwhile."""

import threading
import time
from multiprocessing import get_context
from types import SimpleNamespace
from typing import Any

from monitoring.cluster import stop


def listening(event: Any) -> None:
    event.wait()


def a_guard() -> tuple[Any, Any]:
    """A process that waits to be told, and what tells it."""
    fork = get_context("fork")
    told: Any = fork.Event()
    guard = fork.Process(target=listening, args=(told,), daemon=True)
    guard.start()
    while told._cond._sleeping_count.get_value() == 0:  # until it listens
        time.sleep(0.01)
    return guard, told


def test_a_guard_that_listens_is_told_and_waited_for() -> None:
    guard, told = a_guard()

    def tell() -> None:
        told.set()
        guard.join()

    stop(SimpleNamespace(sentinel=guard, stop=tell))
    guard.join(5)
    assert guard.exitcode == 0


def test_a_guard_killed_while_it_listened_is_not_waited_for() -> None:
    guard, told = a_guard()
    guard.kill()
    guard.join(5)
    ending = threading.Thread(target=stop, args=(SimpleNamespace(sentinel=guard, stop=told.set),), daemon=True)
    ending.start()
    ending.join(5)
    assert not ending.is_alive()
