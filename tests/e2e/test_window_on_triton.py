"""A window of a few seconds on the real Triton: opening, lease, close, drain, revoke, unload."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.caller import Answer
from tests.e2e.own_triton import Stage, product_on_own_triton
from tests.embedded.waiting import wait_for
from tests.triton.real import slow_model

pytestmark = [pytest.mark.triton, pytest.mark.embedded_only, pytest.mark.slow]

MODEL, WINDOW = "night-chat", "seconds"
LOAD_S, DRAIN_S = 2.0, 4
SOON_S = 6.0  # how late things may be on a busy machine


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    models = [slow_model(MODEL, load_s=LOAD_S, size_mb=1000)]
    with product_on_own_triton(tmp_path_factory.mktemp("window"), models, budget_mb=1500) as stage:
        far = datetime.now(UTC) + timedelta(days=1)
        wish = {"name": WINDOW, "timezone": "Asia/Seoul", "rules": [], "drain_s": DRAIN_S}
        stage.api.must("POST", "/windows/", wish | {"exceptions": [opens(far, far + timedelta(hours=1))]})
        stage.set_up(MODEL, activation_policy="scheduled", window=WINDOW)
        yield stage


def opens(start: datetime, end: datetime) -> dict[str, Any]:
    return {"from": start.isoformat(), "to": end.isoformat(), "open": True}


def open_between(stage: Stage, start: datetime, end: datetime) -> datetime:
    """Give the window these hours and an hour tomorrow; tells when that begins."""
    next_opening = end + timedelta(days=1)
    hours = [opens(start, end), opens(next_opening, next_opening + timedelta(hours=1))]
    stage.api.must("PATCH", f"/windows/{WINDOW}/", {"exceptions": hours})
    return next_opening


def refused_until(answer: Answer, opening: datetime) -> None:
    assert (answer.status, answer.code) == (409, "model_inactive"), answer
    assert datetime.fromisoformat(answer.body["next_opening"]) == opening


def sleep_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def seconds_after(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()


def drains_and_is_unloaded(stage: Stage, lease: dict[str, Any], closing: datetime, next_opening: datetime) -> None:
    """What must happen once the window has closed on an open lease."""
    sleep_until(closing)
    refused_until(stage.api.acquire(MODEL), next_opening)
    if seconds_after(closing) < DRAIN_S / 2:
        assert stage.is_ready(MODEL), "an open lease has its time to drain"
        assert stage.api.model(MODEL)["open_leases"] == 1

    wait_for(lambda: not stage.is_ready(MODEL), within_s=60)
    assert DRAIN_S - 0.5 <= seconds_after(closing) <= DRAIN_S + SOON_S
    assert stage.api.get(f"/leases/{lease['id']}/")["close_reason"] == "revoked"
    renewed = stage.api.call("POST", f"/leases/{lease['id']}/renew/")
    assert (renewed.status, renewed.code) == (409, "lease_closed")
    model = stage.api.wait_for(MODEL, "registered")
    wait_for(lambda: stage.api.model(MODEL)["observed"]["state"] == "unloaded")
    assert (model["wanted"], model["open_leases"], model["status_detail"]["code"]) == (False, 0, "")


def test_a_window_opens_serves_closes_drains_and_unloads(stage: Stage) -> None:
    before = stage.loads(MODEL)
    opening = datetime.now(UTC) + timedelta(seconds=5)
    closing = opening + timedelta(seconds=15)
    next_opening = open_between(stage, opening, closing)
    refused_until(stage.api.acquire(MODEL), opening)
    assert stage.loads(MODEL) == before

    sleep_until(opening)
    stage.api.wait_for(MODEL, "active", within_s=15)
    lease = stage.api.lease(MODEL, ttl_s=300)
    assert seconds_after(opening) < 15

    drains_and_is_unloaded(stage, lease, closing, next_opening)
    assert stage.loads(MODEL) == before + 1


def test_the_load_begins_before_the_opening_by_the_time_it_usually_takes(stage: Stage) -> None:
    stage.api.activate(MODEL)
    stage.api.wait_for(MODEL, "active")
    stage.api.clear()
    stage.set_up(MODEL, switch={"state": "auto"})
    before = stage.loads(MODEL)
    opening = datetime.now(UTC) + timedelta(seconds=LOAD_S + SOON_S)
    closing = opening + timedelta(seconds=15)
    open_between(stage, opening, closing)

    wait_for(lambda: stage.loads(MODEL) == before + 1, within_s=30)
    begun = datetime.now(UTC)
    assert begun < opening, "early"
    refused_until(stage.api.acquire(MODEL), opening)

    stage.api.wait_for(MODEL, "active")
    sleep_until(opening)
    stage.api.release(stage.api.lease(MODEL))
    assert stage.loads(MODEL) == before + 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["ended", "killed"])
def test_a_worker_that_starts_again_in_the_middle_of_a_window_loads_nothing_twice_and_closes_in_time(
    stage: Stage, number: signal.Signals
) -> None:
    stage.api.clear()
    stage.set_up(MODEL, switch={"state": "auto"})
    before = stage.loads(MODEL)
    open_between(stage, datetime.now(UTC), datetime.now(UTC) + timedelta(hours=1))
    stage.api.wait_for(MODEL, "active")
    lease = stage.api.lease(MODEL, ttl_s=300)

    gone = stage.product.run["pids"]["worker"][0]
    os.kill(gone, number)
    wait_for(lambda: has_started_again(stage, gone), within_s=60, what="another worker")
    assert stage.product.manage("sync_triton", check=False).returncode == 0
    assert (stage.is_ready(MODEL), stage.api.model(MODEL)["status"]) == (True, "in_use")

    closing = datetime.now(UTC) + timedelta(seconds=2)
    next_opening = open_between(stage, datetime.now(UTC) - timedelta(seconds=60), closing)
    drains_and_is_unloaded(stage, lease, closing, next_opening)
    assert stage.loads(MODEL) == before + 1


def has_started_again(stage: Stage, gone: int) -> bool:
    workers = stage.product.run["pids"]["worker"]
    return bool(workers) and gone not in workers
