"""Whatever a server does, a question ends in time and in one of two failures."""

import time
from collections.abc import Callable

import pytest

from models_registry.providers.errors import MESSAGE_LIMIT, ProviderRefused, ProviderUnavailable
from models_registry.providers.triton import HttpTritonGateway
from tests.triton.fake import FakeModel, FakeTriton
from tests.triton.fake_server import FakeTritonServer
from tests.triton.raw_server import Exchange, RawServer, Script

TIMEOUT_S = 0.4
HTML = b"<html><body>Bad Gateway</body></html>"


def gateway_to(url: str) -> HttpTritonGateway:
    return HttpTritonGateway(url, timeout_s=TIMEOUT_S, post_timeout_s=TIMEOUT_S)


def with_body(body: bytes, status: int = 200, kind: str = "application/json") -> Script:
    return lambda exchange: exchange.answer(status, body, kind=kind)


NO_ANSWERS: dict[str, Script] = {
    "hangs": Exchange.hang,
    "closes at once": Exchange.close,
    "resets": Exchange.reset,
    "garbage": lambda exchange: exchange.send(b"\x00\x01 what is this\r\n\r\n"),
    "half a head": lambda exchange: (exchange.send(b"HTTP/1.1 200 OK\r\nContent-Le"), exchange.close())[0],
    "trickles": lambda exchange: exchange.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", every_s=0.1),
    "a proxy's 502": with_body(HTML, 502, "text/html"),
    "a proxy's 503": with_body(b"", 503),
    "a proxy's 504 in JSON": with_body(b'{"error": "upstream timed out"}', 504),
    "an empty 500": with_body(b"", 500),
    "a redirect": with_body(HTML, 302, "text/html"),
    "a login page": with_body(HTML, 401, "text/html"),
}
NO_INDEX: dict[str, Script] = {
    "half a body": lambda exchange: (
        exchange.send(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[{"name"'),
        exchange.close(),
    )[0],
    "no JSON": with_body(HTML),
    "no list": with_body(b'{"models": []}'),
    "rows without names": with_body(b'[{"state": "READY"}]'),
    "not UTF-8": with_body(b'[{"name": "\xff\xfe"}]'),
    "nothing": with_body(b""),
}


@pytest.mark.parametrize("script", [*NO_ANSWERS.values(), *NO_INDEX.values()], ids=[*NO_ANSWERS, *NO_INDEX])
def test_an_index_that_cannot_be_used_is_unavailable(script: Script) -> None:
    with RawServer(script) as server:
        gateway = gateway_to(server.url)
        began = time.monotonic()
        with pytest.raises(ProviderUnavailable) as failure:
            gateway.observe()
        assert time.monotonic() - began < TIMEOUT_S + 0.5
    assert failure.value.message
    assert len(failure.value.message) <= MESSAGE_LIMIT


@pytest.mark.parametrize("script", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_no_answer_is_no_word_about_the_model(script: Script) -> None:
    with RawServer(script) as server, pytest.raises(ProviderUnavailable):
        gateway_to(server.url).is_ready("m")


def test_the_host_that_does_not_exist_is_unavailable() -> None:
    with pytest.raises(ProviderUnavailable):
        gateway_to("http://triton.invalid:8000").observe()


def test_a_refused_connection_is_unavailable_and_says_so() -> None:
    with RawServer(Exchange.hang) as server:
        url = server.url
    with pytest.raises(ProviderUnavailable, match="connection refused"):
        gateway_to(url).post_load("m")


def test_a_server_without_tls_asked_by_https_is_unavailable() -> None:
    with FakeTritonServer(FakeTriton()) as server, pytest.raises(ProviderUnavailable, match="TLS failed"):
        gateway_to(server.url.replace("http:", "https:")).observe()


def test_the_gateway_works_again_after_every_failure() -> None:
    script: list[Script] = []
    with RawServer(lambda exchange: script[-1](exchange)) as server:
        gateway = gateway_to(server.url)
        for failing in NO_ANSWERS.values():
            script.append(failing)
            with pytest.raises(ProviderUnavailable):
                gateway.observe()
            script.append(with_body(b'[{"name": "m", "version": "1", "state": "READY"}]'))
            assert gateway.observe().resident() == ["m"]


def live_but(post: Script) -> Script:
    """Answers everything, but does `post` with a load or unload."""
    return lambda exchange: post(exchange) if exchange.is_post else exchange.answer()


@pytest.mark.parametrize("after_sending", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_a_post_reaches_the_server_once_however_it_ends(after_sending: Script, request: pytest.FixtureRequest) -> None:
    with RawServer(live_but(after_sending)) as server:
        gateway = gateway_to(server.url)
        refused = "login page" in request.node.callspec.id
        if refused:
            with pytest.raises(ProviderRefused):
                gateway.post_load("m")
        else:
            assert gateway.post_load("m") is False
        time.sleep(0.1)
        assert server.posts == ["POST /v2/repository/models/m/load HTTP/1.1"]


@pytest.mark.parametrize("after_sending", [Exchange.hang, Exchange.close, Exchange.reset])
def test_an_unload_without_an_answer_counts_as_sent(after_sending: Script) -> None:
    with RawServer(live_but(after_sending)) as server:
        gateway_to(server.url).post_unload("m")
        assert server.posts == ["POST /v2/repository/models/m/unload HTTP/1.1"]


def test_a_connection_the_server_closed_meanwhile_loses_no_post_and_sends_none_twice() -> None:
    def answer_then_close(exchange: Exchange) -> None:
        exchange.answer()
        exchange.close()

    with RawServer(answer_then_close) as server:
        gateway = gateway_to(server.url)
        for number in range(20):
            gateway.post_load(f"m{number}")
        assert len(server.posts) == len(set(server.posts))


@pytest.mark.parametrize("script", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_nothing_is_posted_to_a_server_that_does_not_answer(script: Script) -> None:
    with RawServer(script) as server:
        with pytest.raises(ProviderUnavailable):
            gateway_to(server.url).post_load("m")
        assert server.posts == []


def test_tritons_own_500_is_a_refusal_with_its_words() -> None:
    answer = b'{"error": "failed to load \'m\', failed to poll from model repository"}'
    with RawServer(live_but(with_body(answer, 500))) as server, pytest.raises(ProviderRefused) as refusal:
        gateway_to(server.url).post_load("m")
    assert (refusal.value.status, refusal.value.message[:18]) == (500, "failed to load 'm'")


def test_refusals_are_bounded_and_clean() -> None:
    answer = b'{"error": "no \\u0007file /models/hidden/1/weights.bin ' + b"x" * 100_000 + b'"}'
    with RawServer(live_but(with_body(answer, 400))) as server, pytest.raises(ProviderRefused) as refusal:
        gateway_to(server.url).post_load("m")
    assert refusal.value.message.startswith("no file weights.bin")
    assert len(refusal.value.message) == MESSAGE_LIMIT


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a/../../health", "a\\b"])
def test_a_name_that_would_reach_another_address_is_refused_unasked(name: str) -> None:
    with RawServer(with_body(b"")) as server:
        gateway = gateway_to(server.url)
        asks: list[Callable[[str], object]] = [gateway.is_ready, gateway.post_load, gateway.post_unload]
        for ask in [*asks, gateway.effective_config]:
            with pytest.raises(ProviderRefused, match="cannot be the name"):
                ask(name)
        assert server.requests == []


def test_odd_names_reach_the_server_as_they_are() -> None:
    odd = "모델 %2F?x#y"
    with FakeTritonServer(FakeTriton([FakeModel(odd)])) as server:
        gateway = gateway_to(server.url)
        assert gateway.post_load(odd) is True
        assert gateway.is_ready(odd)


def test_a_server_below_a_path_is_reached() -> None:
    with FakeTritonServer(FakeTriton(["m"]), prefix="/gpu-1/triton") as server:
        for url in (server.url, server.url + "/"):
            gateway = gateway_to(url)
            assert gateway.post_load("m") is True
            assert gateway.is_ready("m")
            assert gateway.observe().resident() == ["m"]
