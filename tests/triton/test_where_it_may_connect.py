"""A name may stand for another address than when its provider was saved: each new connection is checked."""

import socket
from collections.abc import Iterator
from typing import Any

import gevent.socket
import pytest

from models_registry import gateways
from models_registry.models import Provider
from models_registry.providers.errors import ProviderUnavailable
from models_registry.providers.triton import HttpTritonGateway
from tests.triton.raw_server import RawServer

REFUSED = "must not be called"
LAST_ANSWER = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(lambda exchange: exchange.answer(200, b"[]")) as server:
        yield server


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What every name stands for, one address for each time it is looked up."""
    told: list[str] = []

    def look_up(host: str, port: int, *_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (told.pop(0), port))]

    monkeypatch.setattr(gevent.socket, "getaddrinfo", look_up)
    return told


def test_a_private_address_is_not_called_where_that_is_not_allowed(server: RawServer) -> None:
    gateway = HttpTritonGateway(server.url, metrics_url=f"{server.url}/metrics", allow_private_network=False)
    with pytest.raises(ProviderUnavailable, match=REFUSED):
        gateway.observe()
    with pytest.raises(ProviderUnavailable, match=REFUSED):
        gateway.post_load("chat")
    assert gateway.gpu_memory() is None
    assert server.requests == []


def test_a_name_that_has_moved_to_a_clouds_metadata_is_not_called(server: RawServer, names: list[str]) -> None:
    gateway = HttpTritonGateway(server.url.replace("127.0.0.1", "gpu.example"))
    names += ["127.0.0.1", "169.254.169.254"]
    gateway.observe()
    gateway.close()
    with pytest.raises(ProviderUnavailable, match=REFUSED):
        gateway.observe()


def test_a_connection_that_is_kept_is_not_checked_again(server: RawServer, names: list[str]) -> None:
    gateway = HttpTritonGateway(server.url.replace("127.0.0.1", "gpu.example"))
    names.append("127.0.0.1")
    for _question in range(3):
        gateway.observe()
    assert names == []


def test_nothing_counts_as_sent_when_the_name_moves_before_a_load(names: list[str]) -> None:
    names += ["127.0.0.1", "169.254.169.254"]
    with RawServer(lambda exchange: exchange.send(LAST_ANSWER)) as server:
        gateway = HttpTritonGateway(server.url.replace("127.0.0.1", "gpu.example"))
        with pytest.raises(ProviderUnavailable, match=REFUSED):
            gateway.post_load("chat")
    assert (server.posts, names) == ([], [])


def test_the_provider_says_whether_a_private_network_is_allowed(server: RawServer) -> None:
    allowed = Provider(base_url=server.url, allow_private_network=True)
    assert gateways.triton(allowed).observe().models == {}
    allowed.allow_private_network = False
    with pytest.raises(ProviderUnavailable, match=REFUSED):
        gateways.triton(allowed).observe()
