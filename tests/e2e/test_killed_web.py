"""kill -9 of web processes while they serve: what was answered holds, and the rest is served again."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.e2e.caller import Caller
from tests.e2e.callers import Busy, assert_nothing_acknowledged_is_lost
from tests.e2e.product import RunningProduct
from tests.embedded.waiting import wait_for

pytestmark = [pytest.mark.triton, pytest.mark.embedded_only, pytest.mark.slow]

PRODUCT_ENV = {"WEB_PROCESSES": "2"}
MODEL = "dict-preprocess"
MAIN, SERVING = 0, 1


@pytest.fixture(scope="module")
def api(running_product: RunningProduct) -> Iterator[Caller]:
    api = Caller(running_product.url, running_product.client_key)
    api.wait_for(MODEL, "active")
    yield api


@pytest.mark.parametrize("victim", [SERVING, MAIN], ids=["a serving process", "the main process"])
def test_a_web_process_killed_while_serving_loses_nothing_it_answered(
    api: Caller, running_product: RunningProduct, victim: int
) -> None:
    with Busy(running_product, MODEL, threads=4) as busy:
        wait_for(lambda: len(busy.granted) >= 20, within_s=30)
        before = running_product.run["pids"]["web"]
        assert len(before) == 3, "two that serve, and the one that keeps them"
        os.kill(before[victim], signal.SIGKILL)
        wait_for(lambda: is_replaced(running_product, before[victim]), within_s=30)
        so_far = len(busy.granted)
        wait_for(lambda: len(busy.granted) >= so_far + 20, within_s=30, what="callers served again")
    assert not [answer for answer in busy.refused if answer.startswith("500")], busy.refused
    assert_nothing_acknowledged_is_lost(api, MODEL, busy)


def is_replaced(product: RunningProduct, killed: int) -> bool:
    pids = product.run["pids"]["web"]
    return killed not in pids and len(pids) == 3
