"""Waiting for a condition with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], *, within_s: float = 10.0, every_s: float = 0.05, what: str = "") -> T:
    """The first true answer of `condition`; fails after `within_s` with the last answer seen."""
    deadline = time.monotonic() + within_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what or condition} (last answer: {answer!r})")
        time.sleep(every_s)
