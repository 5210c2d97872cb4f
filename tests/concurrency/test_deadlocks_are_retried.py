"""A transaction that lost a lock runs again from its start; what is no lost lock, or keeps failing, is raised."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F

from modelmanager.lib import retry
from modelmanager.lib.retry import TRIES, is_contention, retrying, retrying_transaction
from models_registry.models import Provider
from tests.registry.arranging import a_provider


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry.random, "uniform", lambda low, high: 0.0)


def add(name: str, seconds: int = 1) -> None:
    assert Provider.objects.filter(name=name).update(drain_s=F("drain_s") + seconds) == 1


def failing(*errors: Exception) -> tuple[Callable[[], str], list[int]]:
    """Work that writes and then fails with each error in turn, before it succeeds; and a count of its runs."""
    left, runs = iter(errors), [0]

    def work() -> str:
        runs[0] += 1
        add("gpu")
        if (error := next(left, None)) is not None:
            raise error
        return "done"

    return work, runs


DEADLOCK = OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")
TIMEOUT = OperationalError(1205, "Lock wait timeout exceeded; try restarting transaction")
LOCKED = OperationalError("database is locked")


@pytest.mark.parametrize("error", [DEADLOCK, TIMEOUT, LOCKED])
def test_work_that_lost_a_lock_is_rolled_back_and_run_again(transactional_db: None, error: OperationalError) -> None:
    provider = a_provider(drain_s=0)
    work, runs = failing(error, error)

    assert retrying_transaction(work)() == "done"

    provider.refresh_from_db()
    assert (runs[0], provider.drain_s) == (3, 1)


def test_work_that_loses_again_and_again_fails_at_last(transactional_db: None) -> None:
    provider = a_provider(drain_s=0)
    work, runs = failing(*[DEADLOCK] * 20)
    with pytest.raises(OperationalError):
        retrying_transaction(work)()
    provider.refresh_from_db()
    assert (runs[0], provider.drain_s) == (TRIES, 0)


@pytest.mark.parametrize(
    "error",
    [OperationalError(2006, "Server has gone away"), OperationalError(), OperationalError(1054, "x"), KeyError()],
)
def test_any_other_failure_is_raised_at_once(transactional_db: None, error: Exception) -> None:
    a_provider(drain_s=0)
    work, runs = failing(error)
    with pytest.raises(type(error)):
        retrying_transaction(work)()
    assert runs[0] == 1


def test_within_a_transaction_the_outermost_retries(transactional_db: None) -> None:
    provider = a_provider(drain_s=0)
    work, runs = failing(DEADLOCK)
    outer_runs = [0]

    @retrying_transaction
    def outer() -> str:
        outer_runs[0] += 1
        return retrying_transaction(work)()

    assert outer() == "done"
    provider.refresh_from_db()
    assert (outer_runs[0], runs[0], provider.drain_s) == (2, 2, 1)


def test_work_within_a_foreign_transaction_is_not_retried(transactional_db: None) -> None:
    a_provider(drain_s=0)
    work, runs = failing(DEADLOCK)
    with pytest.raises(OperationalError), transaction.atomic():
        retrying(work)()
    assert runs[0] == 1


# -- real ones


def crossing(first: str, second: str, meet: threading.Barrier, lost: list[int]) -> Callable[[], None]:
    """Takes two rows in the order given; at its first run it waits in between until the other has one too."""
    runs = [0]

    def work() -> None:
        runs[0] += 1
        add(first)
        if runs[0] == 1:
            meet.wait(30)
        try:
            add(second)
        except OperationalError as error:
            lost.append(error.args[0])
            raise

    return work


def in_threads(*works: Callable[[], Any]) -> list[Any]:
    def run(work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(60) for future in [pool.submit(run, work) for work in works]]


@pytest.mark.mariadb
@pytest.mark.parametrize("round_", range(5))
def test_two_that_deadlock_both_get_through(transactional_db: None, round_: int) -> None:
    a_provider("gpu", drain_s=0)
    a_provider("gpu2", port=18001, drain_s=0)
    meet = threading.Barrier(2)
    lost: list[int] = []

    in_threads(
        retrying_transaction(crossing("gpu", "gpu2", meet, lost)),
        retrying_transaction(crossing("gpu2", "gpu", meet, lost)),
    )

    assert lost == [1213]
    assert list(Provider.objects.values_list("drain_s", flat=True)) == [2, 2]


@pytest.mark.mariadb
def test_one_that_waited_too_long_for_a_row_gets_through_later(transactional_db: None) -> None:
    a_provider("gpu", drain_s=0)
    held, go = threading.Event(), threading.Event()
    lost: list[int] = []

    def holder() -> None:
        with transaction.atomic():
            add("gpu", 10)
            held.set()
            assert go.wait(60)

    @retrying_transaction
    def waiter() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
        try:
            add("gpu")
        except OperationalError as error:
            lost.append(error.args[0])
            go.set()
            raise

    def after_holder() -> None:
        assert held.wait(60)
        waiter()

    in_threads(holder, after_holder)

    assert lost[0] == 1205 and is_contention(OperationalError(lost[0], ""))
    assert Provider.objects.get().drain_s == 11
