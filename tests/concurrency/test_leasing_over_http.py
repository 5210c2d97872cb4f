"""Eight processes lease and release one model over HTTP: no failure reaches them, and the counter equals the rows."""

import http.client
import json
import random
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from benchmarks.acquire_release import register
from benchmarks.callers import Caller
from benchmarks.triton import Server
from tests.concurrency import findings
from tests.concurrency.arena import DATABASES, LONG, Act, WatchedTriton, empty_stage, side_by_side
from tests.triton.fake import FakeModel

PROCESSES = 8
SECONDS = 60.0 if LONG else 8.0


def calling(url: str, key: str) -> Callable[[random.Random], str]:
    """Lease over a kept-alive connection; renew at times, release once, twice, or leave it to the timer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def call(path: str, body: dict[str, object], expected: int) -> dict[str, object]:
        connection.request("POST", f"/api/v1/leases/{path}", json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read().decode()
        if answer.status != expected:
            raise AssertionError(f"{path or 'acquire'} was answered {answer.status}: {content}")
        return dict(json.loads(content))

    def deed(dice: random.Random) -> str:
        began = time.perf_counter()
        lease = call("", {"model": "chat", "ttl_s": 5}, 201)
        if dice.random() < 0.1:
            call(f"{lease['id']}/renew/", {"ttl_s": 5}, 200)
        for _time in range(dice.choice((1,) * 17 + (2, 2, 0))):
            call(f"{lease['id']}/release/", {}, 200)
        took_ms = (time.perf_counter() - began) * 1000
        return "over 1 s" if took_ms > 1000 else "over 100 ms" if took_ms > 100 else "within 100 ms"

    return deed


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.soak
@pytest.mark.parametrize("database", DATABASES)
def test_no_failure_reaches_a_client_and_the_counter_equals_the_rows(
    database: str, record_property: Callable[[str, object], None]
) -> None:
    with empty_stage(database) as stage, WatchedTriton(FakeModel("chat")) as triton:
        triton.fake.load_behind_our_back("chat")
        key = stage.client_key()
        with stage.web() as web, stage.worker():
            register(Caller(web.url, key), Server(triton.url, "a fake"), ["chat"])
            callers = [Act(calling, (web.url, key)) for _process in range(PROCESSES)]
            told = side_by_side(stage, callers, seconds=SECONDS)
        wrong, totals = stage.run(findings.miscounted), stage.run(findings.totals)
        errors = (stage.folder / "logs/web.log").read_text()

    record_property("deeds", dict(told.counts))
    record_property("leases", totals)
    print(f"\n{database}: {told.counts.total()} leases in {SECONDS:g} s, {dict(told.counts)}, {totals}")
    assert told.faults == []
    assert told.counts.total() == totals["leases"] > PROCESSES
    assert wrong == [] and totals["open"] == totals["counted"]
    assert totals["released"] + totals["expired"] + totals["open"] == totals["leases"]
    assert "Traceback" not in errors, errors[-4000:]
