"""GPU memory from Triton's Prometheus page."""

import re
import time

from models_registry.providers.observation import GpuMemory

PAGE_LIMIT = 4 * 1024 * 1024
_SAMPLE = re.compile(r"^nv_gpu_memory_(total|used)_bytes(?:\{[^}]*\})?\s+([0-9.eE+-]+)", re.MULTILINE)


def read_gpu_memory(metrics_url: str, *, timeout_s: float) -> GpuMemory | None:
    """The sum over all GPUs; None when the page does not answer or tells no GPU memory."""
    page = _fetch(metrics_url, timeout_s=timeout_s)
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


def _fetch(url: str, *, timeout_s: float) -> str | None:
    import requests

    deadline = time.monotonic() + timeout_s
    body = b""
    try:
        with requests.Session() as session:
            session.trust_env = False  # no proxy or netrc of the environment
            with session.get(url, timeout=timeout_s, allow_redirects=False, stream=True) as answer:
                if answer.status_code != 200:
                    return None
                for piece in answer.iter_content(65536):
                    body += piece
                    if len(body) > PAGE_LIMIT or time.monotonic() > deadline:
                        return None
    except (requests.RequestException, ValueError):
        return None
    return body.decode("utf-8", errors="replace")
