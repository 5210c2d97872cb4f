"""Connections that go to addresses which were checked, and end in time; for the client in `guarded_http`."""

from typing import Any

import httpcore2

from models_registry.providers.exchange import Exchange, resolve
from models_registry.providers.reach import refuse_forbidden


class TimedStream(httpcore2.NetworkStream):
    """A connection whose every step ends by the deadline of the exchange."""

    def __init__(self, inner: httpcore2.NetworkStream, exchange: Exchange) -> None:
        self._inner = inner
        self._exchange = exchange

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._exchange.count(self._inner.read(max_bytes, self._exchange.left_s()))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._exchange.left_s())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> "TimedStream":
        secured = self._inner.start_tls(ssl_context, server_hostname, self._exchange.left_s())
        return TimedStream(secured, self._exchange)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class GuardedBackend(httpcore2.NetworkBackend):
    """Connects to addresses that were looked up and checked just now, and to no other."""

    def __init__(self, exchange: Exchange, *, allow_private_network: bool) -> None:
        self._exchange = exchange
        self._allow_private_network = allow_private_network
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> TimedStream:
        addresses = resolve(host, port, within_s=self._exchange.left_s())
        refuse_forbidden(addresses, allow_private_network=self._allow_private_network)
        *others, last = addresses
        for tried, address in enumerate(others):
            share_s = self._exchange.left_s() / (len(addresses) - tried)  # a silent one leaves time for the others
            try:
                return self._connected(address, port, share_s, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._connected(last, port, self._exchange.left_s(), socket_options)

    def _connected(self, address: str, port: int, within_s: float, socket_options: Any) -> TimedStream:
        stream = self._inner.connect_tcp(address, port, timeout=within_s, socket_options=socket_options)
        return TimedStream(stream, self._exchange)
