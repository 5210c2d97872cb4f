"""A Triton's metrics page as it was recorded on a GPU host, over HTTP; what is used follows a fake server."""

from collections.abc import Callable
from typing import Self

from tests.triton.raw_server import Exchange, RawServer

RECORDED = """\
# HELP nv_inference_request_success Number of successful inference requests, all batch sizes
# TYPE nv_inference_request_success counter
nv_inference_request_success{{model="bge-m3",version="1"}} 4193
nv_inference_request_success{{model="rag-chat",version="1"}} 217
# HELP nv_inference_request_failure Number of failed inference requests, all batch sizes
# TYPE nv_inference_request_failure counter
nv_inference_request_failure{{model="bge-m3",reason="OTHER",version="1"}} 0
# HELP nv_gpu_utilization GPU utilization rate [0.0 - 1.0)
# TYPE nv_gpu_utilization gauge
nv_gpu_utilization{{gpu_uuid="GPU-6a6fd4ea-8e2c-2a1d-bb35-5a2f2c0e6a31"}} 0.37
# HELP nv_gpu_memory_total_bytes GPU total memory, in bytes
# TYPE nv_gpu_memory_total_bytes gauge
nv_gpu_memory_total_bytes{{gpu_uuid="GPU-6a6fd4ea-8e2c-2a1d-bb35-5a2f2c0e6a31"}} {total:.6f}
# HELP nv_gpu_memory_used_bytes GPU used memory, in bytes
# TYPE nv_gpu_memory_used_bytes gauge
nv_gpu_memory_used_bytes{{gpu_uuid="GPU-6a6fd4ea-8e2c-2a1d-bb35-5a2f2c0e6a31"}} {used:.6f}
# HELP nv_energy_consumption GPU energy consumption in joules since the Triton Server started
# TYPE nv_energy_consumption counter
nv_energy_consumption{{gpu_uuid="GPU-6a6fd4ea-8e2c-2a1d-bb35-5a2f2c0e6a31"}} 40731.229
"""


class MetricsPage:
    """Serves the page; `used_mb()` is asked at each request. With `silent` it accepts and never answers."""

    def __init__(self, used_mb: Callable[[], int], *, total_mb: int) -> None:
        self._used_mb = used_mb
        self._total_mb = total_mb
        self.silent = False
        self._server = RawServer(self._serve)
        self.url = f"{self._server.url}/metrics"

    @property
    def asked(self) -> int:
        """How often somebody looked."""
        return len(self._server.requests)

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.__exit__(*exc)

    def _serve(self, exchange: Exchange) -> None:
        if self.silent:
            exchange.hang()
            return
        page = RECORDED.format(total=self._total_mb * 2**20, used=self._used_mb() * 2**20)
        exchange.answer(200, page.encode(), kind="text/plain; version=0.0.4")
