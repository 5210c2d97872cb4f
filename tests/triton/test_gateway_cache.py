"""Gateways are kept per thread and per process, and tests can put fakes in their place."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from models_registry.providers.triton import gateway_for, use_gateways
from tests.triton.fake import FakeTriton
from tests.triton.fake_server import FakeTritonServer


def test_a_thread_gets_the_same_gateway_again_and_another_thread_another() -> None:
    with FakeTritonServer(FakeTriton(["m"])) as server, ThreadPoolExecutor(1) as other:
        ours = gateway_for(server.url)
        assert gateway_for(server.url) is ours
        assert gateway_for(server.url, timeout_s=0.3) is not ours
        assert other.submit(gateway_for, server.url).result() is not ours


def test_threads_ask_side_by_side() -> None:
    with FakeTritonServer(FakeTriton(["m"])) as server, ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: gateway_for(server.url).observe().of("m").state, range(200))
        assert set(answers) == {"unloaded"}


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork")
def test_a_forked_process_talks_over_a_connection_of_its_own() -> None:
    with FakeTritonServer(FakeTriton(["m"])) as server:
        ours = gateway_for(server.url)
        assert not ours.is_ready("m")
        child = os.fork()
        if child == 0:
            works = False
            try:
                theirs = gateway_for(server.url)
                works = theirs is not ours and all(theirs.observe().of("m").state == "unloaded" for _ in range(20))
            finally:
                os._exit(0 if works else 1)
        for _ in range(20):
            assert not ours.is_ready("m")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_fakes_stand_in_for_every_url_in_every_thread() -> None:
    fakes = {"http://a": FakeTriton(["m"]), "http://b": FakeTriton()}
    with use_gateways(fakes.__getitem__), ThreadPoolExecutor(1) as other:
        assert gateway_for("http://a", metrics_url="http://a/metrics") is fakes["http://a"]
        assert other.submit(gateway_for, "http://b").result() is fakes["http://b"]
    assert gateway_for("http://a") is not fakes["http://a"]
