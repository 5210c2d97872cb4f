"""No address, spelling, name, redirect or variable of the environment leads a key to another place."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from models_registry.addresses import problem_with
from models_registry.providers.api import ApiSettings, AzureGateway, OpenAIGateway
from models_registry.providers.errors import ProviderError, ProviderRefused, ProviderUnavailable
from models_registry.providers.reach import Reach, reach_of
from models_registry.providers.triton import HttpTritonGateway
from tests.secrets.echoing import Echo, echoing_server
from tests.triton.raw_server import RawServer

KEY = "sk-canary-0123456789-abcd"

CARRIED = {
    "::ffff:169.254.169.254": Reach.FORBIDDEN,
    "::ffff:0:a9fe:a9fe": Reach.FORBIDDEN,  # translated by SIIT
    "64:ff9b::a9fe:a9fe": Reach.FORBIDDEN,
    "64:ff9b:1::a9fe:a9fe": Reach.FORBIDDEN,  # by a network's own NAT64
    "2002:a9fe:a9fe::": Reach.FORBIDDEN,
    "fe80::a9fe:a9fe%eth0": Reach.FORBIDDEN,
    "::ffff:100.100.100.200": Reach.FORBIDDEN,
    "64:ff9b:1::a00:1": Reach.PRIVATE,
    "::ffff:0:7f00:1": Reach.PRIVATE,
    "fec0::1": Reach.PRIVATE,  # site-local, of old
    "2001:0:a9fe:a9fe::1": Reach.PRIVATE,  # Teredo
    "100.64.0.1": Reach.PRIVATE,
    "198.18.0.1": Reach.PRIVATE,
    "255.255.255.255": Reach.PRIVATE,
    "64:ff9b::808:808": Reach.PUBLIC,
    "2606:4700::1111": Reach.PUBLIC,
}


@pytest.mark.parametrize(("address", "reach"), list(CARRIED.items()))
def test_an_address_is_where_it_leads(address: str, reach: Reach) -> None:
    assert reach_of(address) is reach


SPELLINGS = [
    "169.254.169.254.",
    "2852039166",
    "0xa9fea9fe",
    "0xA9.0xFE.0xA9.0xFE",
    "0251.0376.0251.0376",
    "169.254.43518",
    "169.16689662",
    "[::ffff:a9fe:a9fe]",
    "[0:0:0:0:0:ffff:169.254.169.254]",
    "[fd00:ec2::254]",
    "①⑥⑨.②⑤④.①⑥⑨.②⑤④",
    "169。254。169。254",
    "metadata.google.internal",
    "METADATA.google.internal.",
    "instance-data",
]


# It is refused, no name at all, or one that the client library takes for none.
NOT_CALLED = r"must not be called|not found|\((ValueError|InvalidCodepoint)\)"


@pytest.mark.parametrize("host", SPELLINGS)
def test_the_metadata_of_a_cloud_is_not_called_however_it_is_spelled(host: str) -> None:
    gateway = OpenAIGateway(_settings(f"http://{host}/v1"))
    with pytest.raises(ProviderUnavailable, match=NOT_CALLED):
        gateway.offers()
    triton = HttpTritonGateway(f"http://{host}", metrics_url=f"http://{host}/metrics")
    with pytest.raises(ProviderUnavailable):
        triton.observe()
    assert triton.gpu_memory() is None


@pytest.mark.parametrize("host", [host for host in SPELLINGS if host.isascii()])
def test_nor_is_a_provider_saved_with_it(host: str) -> None:
    assert problem_with(f"http://{host}/v1", allow_private_network=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://8.8.8.8\\@169.254.169.254/",
        "http://8.8.8.8@169.254.169.254/",
        "http://8.8.8.8%40169.254.169.254/",
        "http://169.254.169.254%00.example/",
        "http://[::ffff:169.254.169.254%25eth0]/",
        "ht\ttp://169.254.169.254/",
        "http:///169.254.169.254/",
        "http://169.254.169.254:80:80/",
    ],
)
def test_parsers_that_disagree_reach_nothing(url: str) -> None:
    if not problem_with(url, allow_private_network=True):  # saved, since it names nobody that is known
        with pytest.raises(ProviderError):
            OpenAIGateway(_settings(url)).offers()


def _settings(base_url: str, **more: Any) -> ApiSettings:
    told = {"kind": "openai_compatible", "keys": (KEY, ""), "timeout_s": 3.0, "allow_private_network": True}
    return ApiSettings(base_url=base_url, **told | more)


@pytest.fixture
def echo() -> Iterator[Echo]:
    with echoing_server() as echo:
        yield echo


@pytest.fixture
def elsewhere() -> Iterator[Echo]:
    with echoing_server() as echo:
        yield echo


@pytest.mark.parametrize("gateway", [OpenAIGateway, AzureGateway])
def test_a_redirect_is_not_followed(echo: Echo, gateway: type[OpenAIGateway]) -> None:
    echo.way = "in a redirect"
    kind = "azure_openai" if gateway is AzureGateway else "openai_compatible"
    with pytest.raises(ProviderRefused, match="redirect") as refused:
        gateway(_settings(f"{echo.origin}/openai/v1", kind=kind)).offers()
    assert echo.asked
    assert echo.stolen == []
    assert KEY not in refused.value.message


def test_tritons_answers_do_not_lead_elsewhere_either(elsewhere: Echo) -> None:
    moved = f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere.origin}/v2\r\nContent-Length: 0\r\n\r\n".encode()
    with RawServer(lambda exchange: exchange.send(moved)) as server:
        gateway = HttpTritonGateway(server.url, metrics_url=f"{server.url}/metrics")
        for ask in (gateway.observe, gateway.server_info, lambda: gateway.post_load("chat")):
            with pytest.raises(ProviderError):
                ask()
        assert gateway.gpu_memory() is None
    assert elsewhere.asked == []


def test_the_environment_of_the_process_changes_nothing(
    echo: Echo, elsewhere: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, elsewhere.origin)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{elsewhere.origin}/v1")
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "AZURE_OPENAI_API_KEY"):
        monkeypatch.setenv(name, "of-another-account")
    assert OpenAIGateway(_settings(f"{echo.origin}/v1")).offers()
    assert {key for _path, key in echo.asked} == {KEY}
    assert elsewhere.asked == []


def test_a_proxy_is_not_asked_for_the_metadata_that_only_it_knows() -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(500)

        def log_message(self, *_args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        thread = Thread(target=proxy.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            proxy_url = f"http://127.0.0.1:{proxy.server_address[1]}"
            for host in ("metadata.google.internal", "169.254.169.254"):
                with pytest.raises(ProviderError, match="must not be called"):
                    OpenAIGateway(_settings(f"http://{host}/v1", proxy_url=proxy_url)).offers()
        finally:
            proxy.shutdown()
            thread.join(5)
    assert asked == []
