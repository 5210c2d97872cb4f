"""kill -9 of the worker while a load or an unload runs, on a real Triton behind a proxy that counts posts."""

import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import pytest

from tests.e2e.caller import Caller
from tests.e2e.product import RunningProduct, started_product
from tests.embedded.waiting import wait_for
from tests.triton import direct
from tests.triton.proxy import CountedPost, CountingProxy
from tests.triton.real import RealTriton, slow_model

pytestmark = [pytest.mark.triton, pytest.mark.embedded_only, pytest.mark.slow, pytest.mark.soak]

MODEL = "subject"
LOAD_S = 1.5
LATEST_S = 2.0  # after the request; a load takes 1.6 s, an unload 1.2 s
POLL_S = 120.0
CLUSTER = 7  # the main process, its guard, and what that keeps running
SEED = int(os.environ.get("KILL_SEED") or time.time_ns() % 10**6)
SHORT = {"LOST_AFTER_S": "2", "TICK_S": "0.1"}


class Stage(NamedTuple):
    product: RunningProduct
    api: Caller
    triton: RealTriton
    proxy: CountingProxy


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("killed-worker")
    with (
        RealTriton(folder / "triton", [slow_model(MODEL, load_s=LOAD_S)]) as triton,
        CountingProxy(triton.url) as proxy,
        started_product(folder / "data", SHORT | {"TRITON_URL": proxy.url}) as product,
    ):
        yield Stage(product, Caller(product.url, product.client_key), triton, proxy)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("victim", "number"),
    [("main process", number) for number in range(1, 6)]
    + [("any process", number) for number in range(1, 11 if os.environ.get("SOAK") else 3)],
)
def test_a_killed_worker_repeats_no_load_and_leaves_nothing_stuck(stage: Stage, victim: str, number: int) -> None:
    dice = random.Random(f"{SEED} {victim} {number}")
    print(f"KILL_SEED={SEED}")
    began = datetime.now().astimezone()
    seen = len(stage.proxy.posts)

    stage.api.activate(MODEL)
    kill_at_random(stage, victim, dice)
    stage.api.wait_for(MODEL, ("active", "recovered"), within_s=POLL_S)
    loads = posted(stage, seen, "load")
    assert len(loads) == 1, "one request to load it, one load"
    assert direct.is_ready(stage.triton.url, MODEL)
    assert_nothing_runs(stage)

    stage.api.deactivate(MODEL)
    kill_at_random(stage, victim, dice)
    stage.api.wait_for(MODEL, "registered", within_s=POLL_S)
    wait_for(lambda: stage.api.model(MODEL)["observed"]["state"] == "unloaded", within_s=POLL_S)
    assert not direct.is_ready(stage.triton.url, MODEL)
    assert posted(stage, seen, "unload")
    assert posted(stage, seen, "load") == loads
    assert_nothing_runs(stage)
    for operation in operations_since(stage, began):
        assert_posted_at_most_once(operation, loads)


def kill_at_random(stage: Stage, victim: str, dice: random.Random) -> None:
    """At a moment between the request and a while after its usual end."""
    moment = dice.uniform(0, LATEST_S)
    time.sleep(moment)
    members = stage.product.run["pids"]["worker"]
    pid = members[0] if victim == "main process" else dice.choice(members)
    print(f"after {moment:.3f} s: kill -9 of process {members.index(pid)} of {len(members)}")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: is_complete_again(stage, pid), within_s=60, what="a complete cluster again")


def is_complete_again(stage: Stage, killed: int) -> bool:
    members = stage.product.run["pids"]["worker"]
    return killed not in members and len(members) == CLUSTER


def posted(stage: Stage, seen: int, kind: str) -> list[CountedPost]:
    return [post for post in stage.proxy.posts[seen:] if post.kind == kind]


def assert_nothing_runs(stage: Stage) -> None:
    wait_for(lambda: all(one["outcome"] != "running" for one in stage.api.operations()), within_s=POLL_S)


def operations_since(stage: Stage, began: datetime) -> list[dict[str, Any]]:
    return [one for one in stage.api.operations(MODEL) if datetime.fromisoformat(one["started_at"]) >= began]


def assert_posted_at_most_once(operation: dict[str, Any], loads: list[CountedPost]) -> None:
    if operation["kind"] != "load" or operation["posted_at"] is None:
        return
    first, last = (datetime.fromisoformat(operation[field]).timestamp() for field in ("posted_at", "finished_at"))
    assert sum(first <= post.at <= last for post in loads) <= 1
