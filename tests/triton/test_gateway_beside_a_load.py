"""While one caller's load runs, others get their answers.

Triton gives connections to few threads, and a load holds its thread until it has ended: whoever keeps a
connection on that thread hears nothing for as long.
"""

import threading
import time
from pathlib import Path

import pytest

from models_registry.providers.errors import ProviderUnavailable
from models_registry.providers.triton import HttpTritonGateway
from tests.triton.raw_server import Exchange, RawServer
from tests.triton.real import RealTriton, slow_model


@pytest.mark.triton
def test_a_load_stalls_no_question_on_a_kept_connection(triton_installation: object, tmp_path: Path):
    with RealTriton(tmp_path, [slow_model("quick"), slow_model("slow", load_s=6)]) as triton:
        asking, loading = HttpTritonGateway(triton.url), HttpTritonGateway(triton.url, post_timeout_s=30)
        asking.post_load("quick")
        load = threading.Thread(target=loading.post_load, args=("slow",))
        load.start()
        time.sleep(1)  # the load is under way; asking the server would open the connection that is to be old

        assert asking.is_ready("quick")
        assert asking.observe().resident() == ["quick", "slow"]
        assert load.is_alive()
        load.join()


def test_a_kept_connection_that_is_stuck_is_given_up_for_a_new_one():
    stuck = threading.Event()

    def script(exchange: Exchange) -> None:
        if stuck.is_set() and exchange.number > 1:
            exchange.hang()
        exchange.answer(200, b"[]")

    with RawServer(script) as server:
        gateway = HttpTritonGateway(server.url, timeout_s=5)
        gateway.observe()
        stuck.set()

        began = time.monotonic()
        gateway.observe()

        assert time.monotonic() - began < 3


def test_a_server_that_hangs_is_unavailable_in_time_also_on_a_kept_connection():
    hangs = threading.Event()

    def script(exchange: Exchange) -> None:
        if hangs.is_set():
            exchange.hang()
        exchange.answer(200, b"[]")

    with RawServer(script) as server:
        gateway = HttpTritonGateway(server.url, timeout_s=1)
        gateway.observe()
        hangs.set()

        began = time.monotonic()
        with pytest.raises(ProviderUnavailable):
            gateway.observe()

        assert time.monotonic() - began < 1.5
