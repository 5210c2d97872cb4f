"""An HTTP client for API providers: goes only where it may, follows nothing, ends in time.

`openai` is built on httpx2, and this is the client it is given. It takes part of a second to import, so it is
imported at the first call.
"""

import socket
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from models_registry.providers.errors import Outcome, ProviderUnavailable
from models_registry.providers.exchange import Exchange, resolve
from models_registry.providers.reach import is_metadata_name, refuse_forbidden

KEPT_S = 5.0  # how long a connection waits for another question


def new_client(exchange: Exchange, *, proxy_url: str, ca_certificates: str, allow_private_network: bool) -> Any:
    """An httpx2.Client that takes nothing from the environment but the system's certificates.

    It follows no redirect, uses only the proxy it is given, trusts `ca_certificates` (PEM) beside the system's,
    and looks up and checks each host it connects to; the connection goes to the address that was checked.
    """
    import httpx2

    trust = httpx2.create_ssl_context()
    if ca_certificates:
        trust.load_verify_locations(cadata=ca_certificates)
    transport = httpx2.HTTPTransport(verify=trust, trust_env=False)
    # It takes certificates and a proxy, but no way to connect.
    transport._pool = _guarded_pool(exchange, trust, proxy_url, allow_private_network)
    return httpx2.Client(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},
        event_hooks={
            "request": [_destination_check(exchange, proxy_url, allow_private_network)],
            "response": [_refuse_compressed],
        },
    )


def _guarded_pool(exchange: Exchange, trust: ssl.SSLContext, proxy_url: str, allow_private_network: bool) -> Any:
    """Connections to the provider, or by its proxy."""
    import httpcore2

    from models_registry.providers.guarded_backend import GuardedBackend

    backend = GuardedBackend(exchange, allow_private_network=allow_private_network)
    if not proxy_url:
        return httpcore2.ConnectionPool(ssl_context=trust, keepalive_expiry=KEPT_S, network_backend=backend)
    return httpcore2.HTTPProxy(
        proxy_url,
        ssl_context=trust,
        proxy_ssl_context=trust if urlsplit(proxy_url).scheme == "https" else None,
        keepalive_expiry=KEPT_S,
        network_backend=backend,
    )


def _refuse_compressed(response: Any) -> None:
    """An answer may not grow beyond its limit while it is unpacked: none was to be packed."""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise ProviderUnavailable("the answer is compressed, unasked", outcome=Outcome.PROVIDER_DOWN)


def _destination_check(exchange: Exchange, proxy_url: str, allow_private_network: bool) -> Callable[[Any], None]:
    """Behind a proxy nobody connects to the provider from here: its name is checked before it is handed on."""

    def check(request: Any) -> None:
        if not proxy_url:
            return
        try:
            found = resolve(request.url.host, request.url.port or 443, within_s=exchange.left_s())
        except socket.gaierror:
            found = []  # a name that only the proxy knows
            if is_metadata_name(request.url.host):
                raise ProviderUnavailable("its name is that of a cloud's metadata, which must not be called") from None
        refuse_forbidden(found, allow_private_network=allow_private_network)

    return check
