"""Another process holds SQLite's write lock for a while: callers wait, and nothing acknowledged is lost."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator

import pytest

from tests.e2e.caller import Caller
from tests.e2e.callers import Busy, assert_nothing_acknowledged_is_lost
from tests.e2e.product import RunningProduct
from tests.embedded.waiting import wait_for

pytestmark = [pytest.mark.triton, pytest.mark.embedded_only, pytest.mark.slow]

MODEL = "dict-preprocess"
BUSY_LIMIT_S = 20  # how long a connection waits for the lock


@pytest.fixture(scope="module")
def api(running_product: RunningProduct) -> Caller:
    api = Caller(running_product.url, running_product.client_key)
    api.wait_for(MODEL, "active")
    return api


@contextlib.contextmanager
def write_lock(product: RunningProduct) -> Iterator[None]:
    """Nobody else can write within the block; reading goes on."""
    path = product.run["database_url"].removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def test_callers_wait_for_a_short_lock_and_are_served(api: Caller, running_product: RunningProduct) -> None:
    with Busy(running_product, MODEL, threads=4) as busy:
        wait_for(lambda: len(busy.granted) >= 20, within_s=30)
        with write_lock(running_product):
            time.sleep(4)
            assert api.model(MODEL)["name"] == MODEL, "reading goes on"
        so_far = len(busy.granted)
        wait_for(lambda: len(busy.granted) >= so_far + 20, within_s=60, what="callers served again")
    assert (busy.refused, busy.cut) == ({}, 0)
    assert_nothing_acknowledged_is_lost(api, MODEL, busy)


@pytest.mark.timeout(300)
def test_a_lock_longer_than_anybody_waits_loses_nothing_and_work_goes_on_after_it(
    api: Caller, running_product: RunningProduct
) -> None:
    with Busy(running_product, MODEL, threads=4) as busy:
        wait_for(lambda: len(busy.granted) >= 20, within_s=30)
        with write_lock(running_product):
            time.sleep(BUSY_LIMIT_S + 8)
        so_far = len(busy.granted)
        wait_for(lambda: len(busy.granted) >= so_far + 20, within_s=60, what="callers served again")
    assert set(busy.refused) <= {"503 database_unavailable"}, busy.refused
    assert_nothing_acknowledged_is_lost(api, MODEL, busy)
    api.deactivate(MODEL, force=True)
    wait_for(lambda: api.model(MODEL)["observed"]["state"] == "unloaded", within_s=150, what="the worker at work again")
    api.activate(MODEL)
    api.wait_for(MODEL, "active", within_s=150)
