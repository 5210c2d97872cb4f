"""Only where it may, to the address that was checked, by TLS that is trusted, and never past its time."""

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import trustme

from models_registry.providers.errors import Outcome, ProviderUnavailable
from tests.api_providers.gateways import MUST_NOT, failure_of, gateway_to
from tests.api_providers.servers import ApiServer, Compatible, answer
from tests.api_providers.tls import pem, tls_of
from tests.triton.raw_server import Exchange, RawServer

LongAgo = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


# -- TLS


def test_a_private_ca_is_trusted_beside_the_systems(ca: trustme.CA) -> None:
    with ApiServer(tls=tls_of(ca, "localhost")) as server:
        assert gateway_to(server.settings(ca_certificates=pem(ca))).offered("chat-large")
        assert failure_of(gateway_to(server.settings()).offers).outcome == Outcome.TLS_FAILED
    assert len(server.asked) == 1


UNTRUSTED: dict[str, tuple[Callable[[trustme.CA], ssl.SSLContext], str]] = {
    "another CA": (lambda ca: tls_of(trustme.CA(), "localhost"), "unable to get local issuer certificate"),
    "expired": (lambda ca: tls_of(ca, "localhost", not_after=LongAgo), "certificate has expired"),
    "of another host": (lambda ca: tls_of(ca, "elsewhere.example"), "mismatch"),
}


@pytest.mark.parametrize(("context", "why"), list(UNTRUSTED.values()), ids=list(UNTRUSTED))
def test_a_certificate_that_is_not_trusted(
    ca: trustme.CA, context: Callable[[trustme.CA], ssl.SSLContext], why: str
) -> None:
    with ApiServer(tls=context(ca)) as server:
        failure = failure_of(gateway_to(server.settings(ca_certificates=pem(ca))).offers)
    assert (failure.outcome, server.asked) == (Outcome.TLS_FAILED, [])
    assert why in failure.message.lower()


def test_a_server_that_speaks_no_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=greet, args=(listener,), daemon=True)
        thread.start()
        settings = ApiServer().settings(base_url=f"https://127.0.0.1:{listener.getsockname()[1]}/v1")
        assert failure_of(gateway_to(settings).offers).outcome == Outcome.TLS_FAILED
        thread.join(5)


def greet(listener: socket.socket) -> None:
    connection, _peer = listener.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.recv(65536)


# -- no answer


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    failure = failure_of(gateway_to(ApiServer().settings(base_url=f"http://127.0.0.1:{port}/v1")).offers)
    assert (failure.outcome, failure.message) == (Outcome.UNREACHABLE, "connection refused")


def test_a_name_that_nobody_knows() -> None:
    failure = failure_of(gateway_to(ApiServer().settings(base_url="http://nowhere.invalid/v1")).offers)
    assert (failure.outcome, failure.message) == (Outcome.UNREACHABLE, "host name not found")


SILENT: dict[str, Callable[[Exchange], None]] = {
    "accepts and says nothing": lambda exchange: exchange.hang(),
    "answers byte by byte": lambda exchange: exchange.trickle(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100, every_s=0.05),
}


@pytest.mark.parametrize("script", list(SILENT.values()), ids=list(SILENT))
def test_a_question_ends_in_its_time(script: Callable[[Exchange], None]) -> None:
    with RawServer(script) as server:
        gateway = gateway_to(ApiServer().settings(base_url=server.url, timeout_s=0.5))
        failure_of(gateway_to(ApiServer().settings(base_url="http://nowhere.invalid")).offers)  # imports the library
        started = time.monotonic()
        failure = failure_of(gateway.offers)
        took = time.monotonic() - started
    assert (failure.outcome, failure.message) == (Outcome.UNREACHABLE, "no answer in time")
    assert 0.4 < took < 2


BROKEN: dict[str, Callable[[Exchange], None]] = {
    "closes at once": lambda exchange: exchange.close(),
    "resets": lambda exchange: exchange.reset(),
    "breaks off in the middle": lambda exchange: (
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"),
        exchange.close(),
    )[-1],
    "speaks something else": lambda exchange: (exchange.send(b"220 mail.example\r\n"), exchange.close())[-1],
}


@pytest.mark.parametrize("script", list(BROKEN.values()), ids=list(BROKEN))
def test_a_connection_that_breaks(script: Callable[[Exchange], None]) -> None:
    with RawServer(script) as server:
        failure = failure_of(gateway_to(ApiServer().settings(base_url=server.url)).offers)
    assert (type(failure), failure.outcome) == (ProviderUnavailable, Outcome.UNREACHABLE)


def test_it_answers_again_after_it_did_not() -> None:
    with Compatible() as server:
        gateway = gateway_to(server.settings(timeout_s=0.5))
        server.always = lambda request: time.sleep(1) or answer(200, {})
        failure_of(gateway.offers)
        server.always = None
        assert len(gateway.offers() or ()) == 2


# -- no other place


def test_a_redirect_takes_no_key_along() -> None:
    with Compatible() as elsewhere, Compatible() as server:
        server.always = lambda request: answer(307, "", Location=f"{elsewhere.base_url}/models")
        failure = failure_of(gateway_to(server.settings()).offers)
    assert failure.outcome == Outcome.REFUSED
    assert "redirect" in failure.message
    assert (len(server.asked), elsewhere.asked) == (1, [])


def test_a_private_address_is_called_only_where_that_is_allowed() -> None:
    with Compatible() as server:
        failure = failure_of(gateway_to(server.settings(allow_private_network=False)).offers)
    assert MUST_NOT in failure.message
    assert server.asked == []


@pytest.mark.parametrize("address", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "100.100.100.200"])
def test_metadata_addresses_are_never_called(address: str) -> None:
    failure = failure_of(gateway_to(ApiServer().settings(base_url=f"http://{address}/v1")).offers)
    assert MUST_NOT in failure.message


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """What `*.example` stands for: one list of addresses for each look-up, the last one for ever."""
    told: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if not name.endswith(".example"):
            return real(host, port, *arguments, **options)
        answers = told[name]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return told


def at_example(server: ApiServer) -> str:
    return server.base_url.replace("127.0.0.1", "llm.example")


def test_a_name_is_checked_for_each_new_connection(names: dict[str, list[list[str]]]) -> None:
    names["llm.example"] = [["127.0.0.1"], ["169.254.169.254"]]
    with Compatible() as server:
        gateway = gateway_to(server.settings(base_url=at_example(server)))
        assert gateway.offers()
        gateway.close()
        assert MUST_NOT in failure_of(gateway.offers).message
    assert len(server.asked) == 1


def test_the_connection_goes_to_the_address_that_was_checked(names: dict[str, list[list[str]]]) -> None:
    names["llm.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    with Compatible() as server:
        assert gateway_to(server.settings(base_url=at_example(server))).offers()
    assert names["llm.example"] == [["127.0.0.2"]]  # looked up once, not a second time to connect


def test_one_forbidden_address_among_several_is_enough(names: dict[str, list[list[str]]]) -> None:
    names["llm.example"] = [["127.0.0.1", "169.254.169.254"]]
    with Compatible() as server:
        assert MUST_NOT in failure_of(gateway_to(server.settings(base_url=at_example(server))).offers).message
    assert server.asked == []


def test_the_next_address_is_tried_when_one_does_not_answer(names: dict[str, list[list[str]]]) -> None:
    names["llm.example"] = [["127.0.0.9", "127.0.0.1"]]
    with Compatible() as server:
        assert gateway_to(server.settings(base_url=at_example(server))).offers()


def test_a_look_up_that_hangs_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(20))
    try:
        failure = failure_of(gateway_to(ApiServer().settings(base_url="http://llm.example", timeout_s=0.3)).offers)
    finally:
        over.set()
    assert (failure.outcome, failure.message) == (Outcome.UNREACHABLE, "no answer in time")
