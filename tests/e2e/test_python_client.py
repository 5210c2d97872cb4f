"""The Python client on the real product and its Triton: whatever is killed, no record is lost and none counts twice."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from model_manager_client import LeasedModel, ModelManager

from modelmanager.embedded.environment import ROOT
from modelmanager.embedded.traffic.inference import infer
from tests.e2e.caller import Caller
from tests.e2e.product import RunningProduct
from tests.embedded.waiting import wait_for

pytestmark = [pytest.mark.triton, pytest.mark.embedded_only, pytest.mark.slow]

MODEL = "dict-preprocess"
REPORTER = ROOT / "tests" / "client" / "reporter.py"


@pytest.fixture(scope="module")
def api(running_product: RunningProduct) -> Caller:
    api = Caller(running_product.url, running_product.client_key)
    api.wait_for(MODEL, "active")
    return api


@pytest.fixture
def manager(api: Caller, running_product: RunningProduct, tmp_path: Path) -> Iterator[ModelManager]:
    url, key = running_product.url, running_product.client_key
    with ModelManager(url, key, spool_dir=tmp_path / "spool", send_every_s=0.1) as manager:
        yield manager


def stored_events(api: Caller) -> list[str]:
    """Event ids of all records that the manager has."""
    found: list[str] = []
    path: str | None = "/usage/records/?page_size=500"
    while path is not None:
        page: dict[str, Any] = api.get(path)
        found += [record["event_id"] for record in page["results"]]
        path = page["next"] and page["next"].partition("/api/v1")[2]
    return found


def call(model: LeasedModel) -> str:
    """A real call of the model, reported; its event id."""
    to = model.connection
    infer(to["url"], to["model_name"], chance=random.Random(7))
    return model.report(latency_ms=3.5, input_tokens=10)


def wait_for_records(manager: ModelManager, count: int) -> None:
    """Until so many more have arrived."""
    enough = manager.counts.accepted + count
    wait_for(lambda: manager.counts.accepted >= enough, within_s=60, what="records to arrive")


def kill_web(product: RunningProduct) -> None:
    """SIGKILL every process of the web server, and wait until the supervisor has started it again."""
    before = product.run["pids"]["web"]
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: _is_up(product, before), within_s=60, what="the web server to be back")


def _is_up(product: RunningProduct, before: list[int]) -> bool:
    pids = product.run["pids"]["web"]
    return bool(pids) and not set(pids) & set(before)


def test_a_manager_killed_in_the_middle_loses_no_record_and_counts_none_twice(
    api: Caller, manager: ModelManager, running_product: RunningProduct
) -> None:
    over, told = threading.Event(), []

    with manager.lease(MODEL, wait_s=30, patience_s=60, ttl_s=60) as model:

        def work() -> None:
            while not over.is_set():
                told.append(call(model))

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _kill in range(2):
            wait_for_records(manager, 20)
            kill_web(running_product)
        over.set()
        for thread in threads:
            thread.join()
        assert not model.is_lost
    assert manager.flush(timeout_s=60)

    assert len(told) > 100
    stored = [event for event in stored_events(api) if event in set(told)]
    assert sorted(stored) == sorted(told)
    assert manager.counts.rejected == manager.counts.lost == 0
    wait_for(lambda: api.get(f"/leases/{model.id}/")["close_reason"] == "released", within_s=30)


def test_what_a_lease_reported_is_there_once_it_is_released(api: Caller, manager: ModelManager) -> None:
    with manager.lease(MODEL, wait_s=30, patience_s=60) as model:
        with model.call() as timed:
            to = model.connection
            timed.input_tokens, timed.output_tokens = infer(to["url"], to["model_name"], chance=random.Random(1))
        told = timed.input_tokens, timed.output_tokens
        quick = model.report(latency_ms=0.25)
    records = {record["event_id"]: record for record in api.get("/usage/records/?page_size=2")["results"]}
    record = records.pop(quick)
    assert (record["latency_ms"], record["lease"], record["config"]) == (0.25, model.id, 1)
    (timed_record,) = records.values()
    assert (timed_record["input_tokens"], timed_record["output_tokens"]) == told


def test_a_killed_client_loses_no_record_it_had_reported(
    api: Caller, manager: ModelManager, running_product: RunningProduct, tmp_path: Path
) -> None:
    before = len(stored_events(api))
    argv = [sys.executable, str(REPORTER), running_product.url, running_product.client_key, str(tmp_path / "spool")]
    options = ["--send-every-s", "0.05", "--model", MODEL]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([*argv, *options], stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _line in range(2000)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().split("\n")[:-1]
    assert manager.flush(timeout_s=60)
    stored = stored_events(api)
    assert set(told) <= set(stored)
    assert len(stored) - before <= len(told) + 1
    assert len(stored) == len(set(stored))


def test_the_demo_traffic_runs_a_day_and_leaves_history(api: Caller, running_product: RunningProduct) -> None:
    argv = [sys.executable, "-m", "modelmanager.embedded.traffic"]
    env = running_product.env | {"PYTHONPATH": "clients/python/src", "SECONDS": "12", "HISTORY_DAYS": "1"}
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "0 refused" in done.stdout
    records = api.get("/usage/records/?page_size=500&client=chatbot")["results"]
    assert [one for one in records if one["event_id"].startswith("past-chatbot-")]
    assert [one for one in records if one["lease"] is not None], done.stdout
    again = subprocess.run(
        argv, cwd=ROOT, env=env | {"SECONDS": "0"}, capture_output=True, text=True, timeout=120, check=False
    )
    assert "chatbot: 0 reported" in again.stdout, again.stdout


def test_the_demo_traffic_ends_at_once(api: Caller, running_product: RunningProduct) -> None:
    argv = [sys.executable, "-m", "modelmanager.embedded.traffic"]
    env = running_product.env | {"PYTHONPATH": "clients/python/src", "SECONDS": "600", "HISTORY_DAYS": "0"}
    with subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "o'clock" in line)
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=15)[0]
    assert process.returncode == 0
    assert "calls" in line
    assert "In all:" in rest
