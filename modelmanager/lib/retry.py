"""Transactions that survive a deadlock or a lock time-out."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

P = ParamSpec("P")
T = TypeVar("T")

DEADLOCK, LOCK_TIMEOUT = 1213, 1205
TRIES = 6


def is_contention(error: OperationalError) -> bool:
    """Whether the database gave up on a lock and the same transaction may succeed when run again."""
    code = error.args[0] if error.args else None
    return code in (DEADLOCK, LOCK_TIMEOUT) or "database is locked" in str(error)


def retrying_transaction(work: Callable[P, T]) -> Callable[P, T]:
    """Run `work` in one transaction, again from its start (at most 6 times) when it lost a lock.

    `work` may therefore run several times: it reads what it needs inside, and calls no network.
    Inside an outer transaction the outermost function does the retrying, and a refusal undoes `work` alone.
    """

    def in_transaction(*args: P.args, **kwargs: P.kwargs) -> T:
        with transaction.atomic():
            return work(*args, **kwargs)

    return wraps(work)(retrying(in_transaction))


def retrying(work: Callable[P, T]) -> Callable[P, T]:
    """The same for `work` that is one transaction itself."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if connection.in_atomic_block:
            return work(*args, **kwargs)
        for attempt in range(1, TRIES + 1):
            try:
                with _one_writer():
                    return work(*args, **kwargs)
            except OperationalError as error:
                if attempt == TRIES or not is_contention(error):
                    raise
                time.sleep(random.uniform(0.005, 0.03) * attempt)
        raise AssertionError("unreachable")

    return run


_writers = threading.RLock()


def _one_writer() -> AbstractContextManager[object]:
    """SQLite lets one write at a time, and lets the others sleep for up to 0.1 s and look again.

    Threads of one process rather queue here and are woken in turn (measured at eight: p99 a fifth).
    """
    return _writers if connection.vendor == "sqlite" else nullcontext()
