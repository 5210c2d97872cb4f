"""kill -9 of web processes in a burst of usage reports: what was answered is there exactly once, and its sums."""

import os
import signal
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from tests.e2e.caller import Caller
from tests.e2e.product import RunningProduct
from tests.e2e.test_killed_web import SERVING, is_replaced
from tests.embedded.waiting import wait_for

pytestmark = [pytest.mark.triton, pytest.mark.embedded_only, pytest.mark.slow]

PRODUCT_ENV = {"WEB_PROCESSES": "2"}
MODEL = "dict-preprocess"
BATCHES, IN_A_BATCH, THREADS = 100, 100, 4


class Reporter:
    """Reports ten thousand calls in batches, each until it is answered; an answer that was cut off is asked again."""

    def __init__(self, product: RunningProduct) -> None:
        self.answered: set[str] = set()
        self.refused: list[Any] = []
        self.cut = self.accepted = self.duplicates = 0
        self._product = product
        self._batches = iter([[_call() for _call_ in range(IN_A_BATCH)] for _batch in range(BATCHES)])
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work) for _thread in range(THREADS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(240)

    def _work(self) -> None:
        api = Caller(self._product.url, self._product.client_key)
        while True:
            with self._lock:
                batch = next(self._batches, None)
            if batch is None:
                return
            self._report(api, batch)

    def _report(self, api: Caller, batch: list[dict[str, Any]]) -> None:
        for _try in range(200):
            try:
                answer = api.call("POST", "/usage/records/", batch)
            except requests.RequestException:
                self.cut += 1
                threading.Event().wait(0.05)
                continue
            with self._lock:
                if answer.status != 200:
                    self.refused.append(answer)
                    return
                self.answered |= {call["event_id"] for call in batch}
                self.accepted += answer.body["accepted"]
                self.duplicates += answer.body["duplicates"]
            return


def _call() -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    return {"event_id": str(uuid.uuid4()), "model": MODEL, "occurred_at": at, "latency_ms": 5, "outcome": "ok"}


@pytest.fixture(scope="module")
def api(running_product: RunningProduct) -> Iterator[Caller]:
    api = Caller(running_product.url, running_product.client_key)
    api.wait_for(MODEL, "active")
    yield api


def test_ten_thousand_calls_are_each_there_once_whoever_is_killed(api: Caller, running_product: RunningProduct) -> None:
    reporter = Reporter(running_product)
    reporter.start()
    for share in (0.1, 0.3, 0.5, 0.7):
        enough = share * BATCHES * IN_A_BATCH
        wait_for(lambda: len(reporter.answered) >= enough, within_s=120)  # noqa: B023  it is asked within this round
        _kill_one_that_serves(running_product)
    reporter.join()

    assert reporter.refused == []
    assert len(reporter.answered) == BATCHES * IN_A_BATCH
    assert kept(api) == reporter.answered
    assert running_product.manage("rebuild_rollups", "--check").stdout == "Nothing differs.\n"
    # A batch whose answer was cut off was kept or not, and the next try told which.
    assert reporter.accepted + reporter.duplicates == len(reporter.answered)
    assert reporter.cut > 0, "nobody noticed that a process was killed"


def kept(api: Caller) -> set[str]:
    """The event ids of all records; none is there twice."""
    found: list[str] = []
    path: str | None = "/usage/records/?page_size=500"
    while path:
        page = api.get(path)
        found += [record["event_id"] for record in page["results"]]
        path = page["next"] and page["next"].partition("/api/v1")[2]
    assert len(found) == len(set(found))
    return set(found)


def _kill_one_that_serves(product: RunningProduct) -> None:
    """The first of two processes that serve; the one that keeps them starts another."""
    victim = product.run["pids"]["web"][SERVING]
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: is_replaced(product, victim), within_s=60)
