"""What only the real web server shows: bodies in chunks, kept connections, and what is no HTTP at all."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from benchmarks.stage import Web, stage
from tests.api.calls import MEMBERS, PROBLEM

pytestmark = [pytest.mark.slow, pytest.mark.embedded_only]
TOO_MUCH = b'{"a":"' + b"x" * 5_000_000 + b'"}'


class Server:
    """A running web server and a key for it."""

    def __init__(self, web: Web, key: str) -> None:
        parts = urlsplit(web.url)
        self.place = (parts.hostname or "", parts.port or 0)
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Accept-Language": "en"}

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self.place, timeout=30)

    def says(self, text: bytes) -> tuple[int, str, dict[str, Any]]:
        """Status, media type and JSON of the answer to these very bytes."""
        with closing(socket.create_connection(self.place, timeout=30)) as sock:
            sock.sendall(text)
            answer = http.client.HTTPResponse(sock)
            answer.begin()
            return answer.status, answer.getheader("Content-Type", ""), json.loads(answer.read())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with stage("sqlite") as empty:
        key = empty.client_key()
        with empty.web() as web:
            yield Server(web, key)


def in_chunks(connection: http.client.HTTPConnection, path: str, pieces: list[bytes], headers: dict[str, str]) -> Any:
    connection.request("POST", f"/api/v1/{path}", iter(pieces), headers, encode_chunked=True)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_a_body_in_chunks_counts_as_any_other(server: Server) -> None:
    with closing(server.connect()) as connection:
        status, told = in_chunks(connection, "leases/", [b'{"model": "no', b'thing"}'], server.headers)
        assert (status, told["code"]) == (404, "model_not_found")
        status, told = in_chunks(connection, "leases/", [b'{"model": '], server.headers)
        assert (status, told["code"]) == (400, "malformed")
        status, told = in_chunks(connection, "usage/records/", [b"[", b"]"], server.headers)
        assert (status, told) == (200, {"accepted": 0, "duplicates": 0})


def test_a_connection_outlives_a_body_that_is_too_large(server: Server) -> None:
    pieces = [TOO_MUCH[at : at + 100_000] for at in range(0, len(TOO_MUCH), 100_000)]
    with closing(server.connect()) as connection:
        sock = None
        for body in (TOO_MUCH, pieces) * 3:
            if isinstance(body, bytes):
                connection.request("POST", "/api/v1/leases/", body, server.headers)
                answer = connection.getresponse()
                status, told = answer.status, json.loads(answer.read())
            else:
                status, told = in_chunks(connection, "leases/", body, server.headers)
            assert (status, told["code"]) == (413, "too_large")
            sock = sock or connection.sock
            assert connection.sock is sock is not None
            connection.request("GET", "/api/v1/models/", headers=server.headers)
            assert connection.getresponse().read()


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "malformed"),
        (b"GET /api/v1/models/\xff HTTP/1.1\r\n\r\n", 400, "malformed"),
        (b"GET /api/v1/models/ HTTP/1.1\r\nno colon\r\n\r\n", 400, "malformed"),
        (b"POST /api/v1/leases/ HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400, "malformed"),
        (b"POST /api/v1/leases/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "malformed"),
        (b"POST /api/v1/leases/ HTTP/1.1\r\nContent-Length: 2\r\nExpect: much\r\n\r\n{}", 417, "expectation_failed"),
        (b"GET /api/v1/models/?search=" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", 414, "uri_too_long"),
        (b"GET /api/v1/models/ HTTP/1.1\r\nX-Long: " + b"x" * 9000 + b"\r\n\r\n", 431, "headers_too_large"),
    ],
    ids=["nonsense", "raw byte", "no header", "no length", "no chunk", "expectation", "address", "header"],
)
def test_what_is_no_request_is_answered_with_a_problem(server: Server, text: bytes, status: int, code: str) -> None:
    found, media_type, problem = server.says(text)
    assert (found, media_type, problem["code"], problem["status"]) == (status, PROBLEM, code, status)
    assert set(problem) == MEMBERS
    assert all(problem.values())


def test_a_long_query_is_read(server: Server) -> None:
    with closing(server.connect()) as connection:
        connection.request("GET", "/api/v1/models/?" + "status=active&" * 550, headers=server.headers)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["count"]) == (200, 0)
