"""Models on demand over HTTP, on a real Triton that holds one of them at a time."""

import os
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.caller import Answer, Caller
from tests.e2e.own_triton import Stage, product_on_own_triton
from tests.embedded.waiting import wait_for
from tests.triton import direct
from tests.triton.real import slow_model

pytestmark = [pytest.mark.triton, pytest.mark.embedded_only, pytest.mark.slow, pytest.mark.soak]

QUICK, SLOW = "quick", "slow"
WEB_THREADS = 6
MAY_WAIT = WEB_THREADS // 2
ROUNDS = 40 if os.environ.get("SOAK") else 8
LEARNS_WITHIN_S, AT_ONCE_S = 0.5, 2.0  # the second: far from any wait, with room for a busy machine
LAPSES_AFTER_S = 10  # twice the Retry-After that a refusal tells


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    models = [slow_model(QUICK, load_s=0.5, size_mb=1000), slow_model(SLOW, load_s=4, size_mb=1000)]
    env = {"WEB_THREADS": str(WEB_THREADS)}
    with product_on_own_triton(tmp_path_factory.mktemp("on-demand"), models, budget_mb=1500, env=env) as stage:
        for model in models:
            stage.set_up(model.name, activation_policy="on_demand")
        yield stage


@pytest.fixture(autouse=True)
def nothing_loaded(stage: Stage) -> None:
    stage.api.clear()
    for name in (QUICK, SLOW):
        stage.set_up(name, switch={"state": "auto"}, idle_ttl_s=300)


def another(stage: Stage) -> Caller:
    return Caller(stage.product.url, stage.product.client_key)


def wait_among_others(stage: Stage, name: str) -> Answer:
    """A request that waits, asked again at once for as long as there are too many who do."""
    api = another(stage)
    while (answer := api.acquire(name, wait_s=60)).code == "too_many_waiters":
        time.sleep(0.05)
    return answer


def test_a_request_starts_the_load_and_whoever_comes_back_is_served(stage: Stage) -> None:
    before = stage.loads(QUICK)
    refused = stage.api.acquire(QUICK)
    assert (refused.status, refused.code) == (503, "model_activating")
    assert refused.retry_after == str(refused.body["retry_after_s"])

    stage.api.wait_for(QUICK, "active")
    lease = stage.api.lease(QUICK)
    assert stage.is_ready(QUICK)
    assert stage.loads(QUICK) == before + 1
    stage.api.release(lease)


def test_half_of_the_threads_wait_for_one_load_and_the_others_answer_meanwhile(stage: Stage) -> None:
    before = stage.loads(SLOW)
    asking = WEB_THREADS + 2
    with ThreadPoolExecutor(asking) as systems:
        asked = [systems.submit(lambda: another(stage).acquire(SLOW, wait_s=60)) for _system in range(asking)]
        wait_for(lambda: sum(one.done() for one in asked) >= asking - MAY_WAIT, what="those too many are refused")
        told = stage.api.call("GET", f"/models/{SLOW}/")
        answers = [one.result(timeout=90) for one in asked]

    served = [answer for answer in answers if answer.status == 201]
    refused = [answer for answer in answers if answer.status != 201]
    assert len(served) == MAY_WAIT
    assert Counter((answer.status, answer.code) for answer in refused) == {(503, "too_many_waiters"): asking - MAY_WAIT}
    assert all(answer.retry_after and answer.took_s < AT_ONCE_S for answer in refused)
    assert (told.status, told.took_s < AT_ONCE_S) == (200, True), "there are threads for whoever does not wait"
    assert stage.loads(SLOW) == before + 1, "many requests, one load"
    for answer in served:
        stage.api.release(answer.body)


def test_a_release_gets_through_while_as_many_wait_as_may(stage: Stage) -> None:
    held = stage.api.lease(QUICK, wait_s=60)
    with ThreadPoolExecutor(MAY_WAIT) as systems:
        asked = [systems.submit(wait_among_others, stage, SLOW) for _system in range(MAY_WAIT)]
        wait_for(lambda: another(stage).acquire(SLOW, wait_s=0.1).code == "too_many_waiters", within_s=30, every_s=0.2)
        assert not any(one.done() for one in asked)

        released = stage.api.call("POST", f"/leases/{held['id']}/release/")

        assert (released.status, released.took_s < AT_ONCE_S) == (200, True)
        answers = [one.result(timeout=90) for one in asked]
    assert [answer.status for answer in answers] == [201] * MAY_WAIT
    assert not stage.is_ready(QUICK), "it gave way"
    for answer in answers:
        stage.api.release(answer.body)


@pytest.mark.timeout(60 + 15 * ROUNDS)
def test_whoever_waits_has_the_lease_soon_after_the_model_is_ready(stage: Stage) -> None:
    late_s = sorted(how_late(stage) for _round in range(ROUNDS))
    print(
        f"\nfrom Triton's ready to the answered lease, {ROUNDS} rounds: median {statistics.median(late_s):.3f} s, "
        f"p95 {statistics.quantiles(late_s, n=20)[-1]:.3f} s, worst {late_s[-1]:.3f} s; "
        f"load average {os.getloadavg()[0]:.1f}"
    )
    assert late_s[-2] <= LEARNS_WITHIN_S, "all but one, which a busy machine may have held up"


def how_late(stage: Stage) -> float:
    """Seconds between Triton's own ready and the lease of a request that waits for it."""
    stage.api.clear()
    stage.set_up(QUICK, switch={"state": "auto"})

    def acquire() -> tuple[Answer, float]:
        return another(stage).acquire(QUICK, wait_s=60), time.monotonic()

    with ThreadPoolExecutor(1) as system:
        asked = system.submit(acquire)
        wait_for(lambda: stage.is_ready(QUICK), within_s=60, every_s=0.005)
        ready_at = time.monotonic()
        answer, answered_at = asked.result(timeout=60)
    assert answer.status == 201, answer
    stage.api.release(answer.body)
    return answered_at - ready_at


def test_a_model_that_nobody_uses_is_unloaded_after_its_idle_time(stage: Stage) -> None:
    idle_ttl_s = 3
    stage.set_up(QUICK, idle_ttl_s=idle_ttl_s)
    lease = stage.api.lease(QUICK, wait_s=10)  # whoever asks keeps the demand up until its wait would have ended
    time.sleep(idle_ttl_s + 1)
    assert stage.is_ready(QUICK), "in use, however long"

    stage.api.release(lease)
    released = time.monotonic()
    wait_for(lambda: not stage.is_ready(QUICK), within_s=60)

    assert time.monotonic() - released >= idle_ttl_s - 0.5
    model = stage.api.wait_for(QUICK, "registered")
    assert (model["wanted"], model["status_detail"]["code"]) == (False, "")


def test_demand_that_nobody_renews_lapses_and_loads_nothing(stage: Stage) -> None:
    before = stage.loads(SLOW)
    held = stage.api.lease(QUICK, wait_s=60)
    busy = stage.api.acquire(SLOW)
    assert (busy.status, busy.code in ("gpu_busy", "model_activating")) == (503, True)
    assert stage.api.model(SLOW)["status"] == "activating"
    assert int(busy.retry_after or 0) < LAPSES_AFTER_S, "whoever comes back in time keeps it up"

    model = stage.api.wait_for(SLOW, "registered", within_s=LAPSES_AFTER_S + 20)

    assert (model["wanted"], model["waiting"]) == (False, None)
    stage.api.release(held)
    assert direct.states(stage.triton.url).get(QUICK) == "READY", "nobody needs its room"
    assert stage.loads(SLOW) == before
