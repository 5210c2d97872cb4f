"""The main job over HTTP: the running product and its own real Triton, from registering to recovering."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modelmanager.embedded.environment import ROOT
from tests.e2e.caller import Caller
from tests.e2e.product import RunningProduct
from tests.embedded.waiting import wait_for
from tests.triton import direct

pytestmark = [pytest.mark.triton, pytest.mark.embedded_only, pytest.mark.slow]

PROVIDER = "demo-gpu"
A, B = "knowledge-embedding", "chatbot-answers"  # 2200 and 4000 MB of 6144: they do not fit together
OURS = {A: ("bge-m3", 2200), B: ("rag-chat", 4000)}
BROKEN = "broken-summarizer"


@pytest.fixture(scope="module")
def api(running_product: RunningProduct) -> Caller:
    """The demo client on a product whose two largest models we have registered ourselves."""
    api = Caller(running_product.url, running_product.client_key)
    for name, (remote_name, size_mb) in OURS.items():
        api.must("DELETE", f"/models/{remote_name}/")
        api.must("POST", "/models/", wish(name, remote_name, size_mb))
    return api


@pytest.fixture(autouse=True)
def nothing_loaded(api: Caller) -> None:
    api.clear()


def wish(name: str, remote_name: str, size_mb: int | None) -> dict[str, Any]:
    return {"name": name, "provider": PROVIDER, "remote_name": remote_name, "gpu_memory_mb": size_mb}


def active(api: Caller, name: str) -> None:
    api.activate(name)
    api.wait_for(name, "active")


def residents(api: Caller) -> dict[str, str]:
    return {one["registered_as"]: one["state"] for one in api.get(f"/providers/{PROVIDER}/residents/")["residents"]}


def test_what_triton_lists_is_registered_switched_off(api: Caller) -> None:
    for name, (remote_name, size_mb) in OURS.items():
        model = api.model(name)
        assert (model["remote_name"], model["gpu_memory_mb"]) == (remote_name, size_mb)
        assert (model["status"], model["wanted"], model["observed"]["state"]) == ("registered", False, "unloaded")
        assert "registered" in api.events(name)


@pytest.mark.parametrize(
    ("wished", "field"),
    [
        (wish("ghost", "no-such-model", 100), "remote_name"),
        (wish(A, "bge-reranker", 1900), "name"),
        (wish("second-name", "bge-m3", 2200), "remote_name"),
        (wish("too-large", "bge-reranker", 6145), "gpu_memory_mb"),
        (wish("unmeasured", "bge-reranker", None), "gpu_memory_mb"),
    ],
    ids=["unknown at the server", "name taken", "registered already", "larger than the GPU", "size not told"],
)
def test_what_cannot_be_registered_is_refused_by_its_field(api: Caller, wished: dict[str, Any], field: str) -> None:
    before = [model["name"] for model in api.models()]
    answer = api.call("POST", "/models/", wished)
    assert (answer.status, answer.code) == (400, "invalid")
    assert field in [error["field"] for error in answer.body["errors"]]
    assert [model["name"] for model in api.models()] == before


def test_a_lease_is_verified_at_that_moment_and_its_connection_does_real_work(api: Caller) -> None:
    refused = api.acquire(A)
    assert (refused.status, refused.code) == (409, "model_inactive")
    active(api, A)
    began = datetime.now(UTC)
    lease = api.lease(A)
    assert began - timedelta(seconds=1) <= datetime.fromisoformat(lease["verified_at"]) <= datetime.now(UTC)
    assert 0 < lease["verify_ms"] < 3000
    assert (lease["client"], lease["config"]) == ("demo", {"number": 1, "values": {}})
    assert api.model(A)["status"] == "in_use"

    to = lease["connection"]
    assert to["kind"] == "triton"
    outputs = direct.infer(to["url"], to["model_name"], version=to["model_version"], TEXT=["모델 관리", "안녕하세요"])
    assert outputs["EMBEDDING"]["shape"] == [2, 256]

    api.release(lease)
    assert api.model(A)["status"] == "active"
    api.release(lease)
    assert api.model(A)["open_leases"] == 0


def test_a_model_waits_for_the_one_in_use_and_takes_the_gpu_as_soon_as_it_is_released(
    api: Caller, running_product: RunningProduct
) -> None:
    active(api, A)
    held = api.lease(A)
    api.activate(B)

    waiting = wait_for(lambda: api.model(B)["waiting"], what="why B waits")
    assert (waiting["for"], waiting["queue_position"]) == ([A], 1)
    busy = api.acquire(B)
    assert (busy.status, busy.code) == (503, "gpu_busy")
    assert (busy.body["held_by"], busy.body["queue_position"]) == ([A], 1)
    assert busy.retry_after == str(busy.body["retry_after_s"])
    assert residents(api) == {A: "ready"}
    assert (api.model(A)["status"], api.model(B)["status"]) == ("in_use", "activating")

    with ThreadPoolExecutor(1) as other_system:
        asked = other_system.submit(api.acquire, B, wait_s=60)
        time.sleep(1)  # it is refused nothing and given nothing while A is leased
        assert not asked.done()
        Caller(running_product.url, running_product.client_key).release(held)
        lease = asked.result(timeout=90)
    assert lease.status == 201, lease
    to = lease.body["connection"]
    said = direct.infer(
        to["url"], to["model_name"], QUESTION=["GPU는 몇 개인가?"], CONTEXT=["GPU는 한 개이다. 점심은 김밥이다."]
    )
    assert said["ANSWER"]["data"] == ["문서에 따르면: GPU는 한 개이다."]

    assert [one["kind"] for one in api.operations(A)][:1] == ["unload"]
    assert "evicted" in api.events(A)
    stays_off(api, running_product, A)
    api.release(lease.body)
    stays_off(api, running_product, A)
    assert residents(api) == {B: "ready"}


def stays_off(api: Caller, product: RunningProduct, name: str) -> None:
    """Also a look by hand loads nothing that gave way."""
    assert product.manage("sync_triton", check=False).returncode == 0
    model = api.model(name)
    assert (model["status"], model["wanted"], model["switch"]["state"]) == ("registered", False, "auto")


def test_a_killed_triton_is_refused_within_3_s_told_within_30_s_and_recovers_once_it_is_back(
    api: Caller, running_product: RunningProduct, triton_comes_back: None
) -> None:
    active(api, A)
    os.kill(running_product.run["pids"]["triton"][0], signal.SIGKILL)
    killed = time.monotonic()

    refused = api.acquire(A)
    assert (refused.status, refused.code) == (503, "provider_unreachable")
    assert refused.took_s < 3
    assert time.monotonic() - killed < 3
    assert refused.retry_after is not None
    model = api.wait_for(A, "error", within_s=30 - (time.monotonic() - killed))
    assert model["status_detail"]["code"] == "provider_unreachable"
    assert {one["status"] for one in api.models() if not one["wanted"]} == {"registered"}
    assert api.get(f"/providers/{PROVIDER}/")["health"]["state"] == "failing"

    start_triton_again(running_product)
    api.wait_for(A, "recovered")
    assert api.get(f"/providers/{PROVIDER}/")["health"]["state"] == "ok"
    api.release(api.lease(A))
    assert api.model(A)["status"] == "active"


@pytest.fixture
def triton_comes_back(running_product: RunningProduct) -> Iterator[None]:
    yield
    if not running_product.run["pids"]["triton"]:
        start_triton_again(running_product)


def start_triton_again(product: RunningProduct) -> None:
    """What `make triton` does."""
    wait_for(lambda: not product.run["pids"]["triton"], what="the death of Triton noticed")
    argv = [sys.executable, "-m", "modelmanager.embedded", "triton"]
    subprocess.run(argv, cwd=ROOT, env=product.env, check=True, timeout=30)
    wait_for(lambda: product.run["pids"]["triton"], within_s=30, what="Triton started again")


def test_an_unload_behind_our_back_is_found_at_the_next_use_and_repaired(
    api: Caller, running_product: RunningProduct
) -> None:
    active(api, B)
    settled(running_product)
    assert direct.post(running_product.triton_url, "rag-chat", "unload")[0] == 200
    wait_for(lambda: not direct.is_ready(running_product.triton_url, "rag-chat"), every_s=0.01)

    refused = api.acquire(B)
    assert (refused.status, refused.code, refused.body["cause"]) == (409, "model_error", "not_loaded")
    model = api.model(B)  # it takes 6 s to load again
    assert (model["status"], model["status_detail"]["code"]) == ("error", "not_loaded")
    event = next(one for one in api.get(f"/models/{B}/history/")["results"] if one["code"] == "not_loaded")
    assert (event["from"], event["to"]) == ("active", "error")

    api.wait_for(B, "recovered")
    assert direct.is_ready(running_product.triton_url, "rag-chat")
    api.release(api.lease(B))


def settled(product: RunningProduct) -> None:
    """Until no look at the server is due: the one that follows a load would come upon the unload before us."""
    no_alarm = "from models_registry.models import Provider; print(Provider.objects.get().wake_at)"
    wait_for(lambda: product.manage("shell", "-v0", "-c", no_alarm).stdout.strip() == "None", within_s=30)


def test_a_model_that_cannot_be_loaded_ends_in_error_with_tritons_reason(api: Caller) -> None:
    api.activate(BROKEN)
    model = api.wait_for(BROKEN, "error", code="load_failed")
    assert "checksum of model.safetensors does not match" in model["status_detail"]["message"]
    failed = [one for one in api.operations(BROKEN) if one["outcome"] == "failed"]
    assert "checksum of model.safetensors" in failed[0]["error"]
    refused = api.acquire(BROKEN)
    assert (refused.status, refused.code, refused.body["cause"]) == (409, "model_error", "load_failed")
    api.deactivate(BROKEN)
    assert api.model(BROKEN)["status"] == "registered"


def test_a_leased_model_is_not_deleted_and_what_blocks_it_is_told(api: Caller) -> None:
    active(api, A)
    lease = api.lease(A)
    refused = api.call("DELETE", f"/models/{A}/")
    assert (refused.status, refused.code) == (409, "model_in_use")
    impact = refused.body["impact"]
    assert [(one["id"], one["client"]) for one in impact["leases"]] == [(lease["id"], "demo")]
    assert impact["open_leases"] == 1
    assert api.get(f"/models/{A}/impact/")["leases"] == impact["leases"]
    assert api.model(A)["status"] == "in_use"

    api.release(lease)
    refused = api.call("DELETE", f"/models/{A}/")
    assert (refused.code, refused.body["impact"]["observed"]) == ("model_in_use", "ready")
    api.clear()
    api.must("DELETE", f"/models/{A}/")
    assert api.call("GET", f"/models/{A}/").status == 404
    assert api.must("POST", f"/models/{A}/restore/")["status"] == "registered"
