"""GPU memory is read from the metrics page, and its silence is no failure."""

import time

import pytest

from models_registry.providers.metrics import parse_gpu_memory
from models_registry.providers.observation import GpuMemory
from models_registry.providers.triton import HttpTritonGateway
from tests.triton.raw_server import Exchange, RawServer, Script

PAGE = """\
# HELP nv_gpu_memory_total_bytes GPU total memory, in bytes
# TYPE nv_gpu_memory_total_bytes gauge
nv_gpu_memory_total_bytes{gpu_uuid="GPU-1"} 8589934592.000000
# TYPE nv_gpu_memory_used_bytes gauge
nv_gpu_memory_used_bytes{gpu_uuid="GPU-1"} 1.073741824e+09
nv_inference_count{model="m",version="1"} 3
"""


def read(script: Script) -> GpuMemory | None:
    with RawServer(script) as server:
        return HttpTritonGateway(server.url, metrics_url=server.url + "/metrics", timeout_s=0.3).gpu_memory()


def test_total_and_used_are_told_in_mb() -> None:
    assert read(lambda exchange: exchange.answer(200, PAGE.encode())) == GpuMemory(total_mb=8192, used_mb=1024)


def test_several_gpus_are_summed() -> None:
    assert parse_gpu_memory(PAGE + PAGE.replace("GPU-1", "GPU-2")) == GpuMemory(total_mb=16384, used_mb=2048)


@pytest.mark.parametrize("page", ["", "nv_gpu_memory_total_bytes 5\n", PAGE.replace("1.073741824e+09", "e+-")])
def test_a_page_that_does_not_tell_it_all_tells_nothing(page: str) -> None:
    assert parse_gpu_memory(page) is None


@pytest.mark.parametrize(
    "script",
    [
        Exchange.hang,
        Exchange.reset,
        lambda exchange: exchange.answer(404),
        lambda exchange: exchange.answer(302),
        lambda exchange: exchange.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"x" * 500, every_s=0.05),
    ],
    ids=["hangs", "resets", "404", "redirect", "trickles"],
)
def test_a_page_that_does_not_answer_tells_nothing_and_holds_nobody_up(script: Script) -> None:
    began = time.monotonic()
    assert read(script) is None
    assert time.monotonic() - began < 3


def test_without_a_metrics_address_nobody_is_asked() -> None:
    assert HttpTritonGateway("http://127.0.0.1:9").gpu_memory() is None
