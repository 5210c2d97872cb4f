"""GPU memory from Triton's Prometheus page."""

import re
from typing import Any

from models_registry.providers.deadline import within
from models_registry.providers.observation import GpuMemory
from models_registry.providers.reach import guarded

PAGE_LIMIT = 4 * 1024 * 1024
_SAMPLE = re.compile(r"^nv_gpu_memory_(total|used)_bytes(?:\{[^}]*\})?\s+([0-9.eE+-]+)", re.MULTILINE)


def read_gpu_memory(metrics_url: str, *, timeout_s: float, allow_private_network: bool) -> GpuMemory | None:
    """The sum over all GPUs; None when the page does not answer or tells no GPU memory."""
    page = _fetch(metrics_url, timeout_s=timeout_s, allow_private_network=allow_private_network)
    return None if page is None else parse_gpu_memory(page)


def parse_gpu_memory(page: str) -> GpuMemory | None:
    """The sum of `nv_gpu_memory_total_bytes` and `nv_gpu_memory_used_bytes` over all GPUs, in MB of 2**20 bytes."""
    sums: dict[str, float] = {}
    for kind, value in _SAMPLE.findall(page):
        try:
            sums[kind] = sums.get(kind, 0.0) + float(value)
        except ValueError:
            return None
    if "total" not in sums or "used" not in sums:
        return None
    return GpuMemory(total_mb=round(sums["total"] / 2**20), used_mb=round(sums["used"] / 2**20))


def _fetch(url: str, *, timeout_s: float, allow_private_network: bool) -> str | None:
    from geventhttpclient import URL, HTTPClient

    try:
        address = URL(url)
        client = HTTPClient.from_url(address, connection_timeout=timeout_s, network_timeout=timeout_s)
        guarded(client, allow_private_network=allow_private_network)
        try:
            body = within(timeout_s, lambda: _body(client.get(address.request_uri)))
        finally:
            client.close()
    except Exception:  # whatever it is, the page tells nothing
        return None
    return None if body is None else body.decode("utf-8", errors="replace")


def _body(answer: Any) -> bytes | None:
    """What a page holds; None for an error, a redirect or too much."""
    if answer.status_code != 200:
        return None
    body = bytearray()
    for piece in answer:
        body += piece
        if len(body) > PAGE_LIMIT:
            return None
    return bytes(body)
