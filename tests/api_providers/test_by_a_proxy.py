"""By the provider's proxy where it has one, and by that, too, only where we may go."""

from collections.abc import Iterator

import pytest
import trustme

from models_registry.providers.errors import Outcome
from tests.api_providers.gateways import MUST_NOT, failure_of, gateway_to
from tests.api_providers.proxy import Proxy
from tests.api_providers.servers import KEY, ApiServer, Compatible
from tests.api_providers.tls import pem, tls_of


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as proxy:
        yield proxy


def test_the_proxy_of_the_provider_is_used(proxy: Proxy, ca: trustme.CA) -> None:
    with ApiServer(tls=tls_of(ca, "localhost")) as server:
        gateway = gateway_to(server.settings(proxy_url=proxy.url, ca_certificates=pem(ca)))
        assert gateway.offered("chat-large")
        gateway.close()
    assert [line.split()[0] for line in proxy.seen] == ["CONNECT"]
    assert not any(KEY in line for line in proxy.seen)


def test_plain_http_goes_by_the_proxy_too(proxy: Proxy) -> None:
    with Compatible() as server:
        assert gateway_to(server.settings(proxy_url=proxy.url)).offers()
    assert proxy.seen == [f"GET {server.base_url}/models HTTP/1.1"]


def test_a_proxy_that_refuses() -> None:
    with Proxy(refuse=407) as proxy:
        settings = ApiServer().settings(base_url="https://llm.example/v1", proxy_url=proxy.url)
        failure = failure_of(gateway_to(settings).offers)
    assert failure.outcome == Outcome.UNREACHABLE
    assert "407" in failure.message


def test_a_proxy_on_a_private_address_is_called_only_where_that_is_allowed(proxy: Proxy) -> None:
    settings = ApiServer().settings(base_url="https://8.8.8.8/v1", proxy_url=proxy.url, allow_private_network=False)
    assert MUST_NOT in failure_of(gateway_to(settings).offers).message
    assert proxy.seen == []


def test_a_proxy_is_not_sent_where_we_may_not_go(proxy: Proxy) -> None:
    settings = ApiServer().settings(base_url="http://169.254.169.254/v1", proxy_url=proxy.url)
    assert MUST_NOT in failure_of(gateway_to(settings).offers).message
    assert proxy.seen == []
