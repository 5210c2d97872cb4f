"""A proxy in front of a real Triton that counts the loads and unloads which reach it."""

import http.client
import re
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self, cast
from urllib.parse import unquote, urlsplit

UPSTREAM_TIMEOUT_S = 600.0
_POST = re.compile(r"/v2/repository/models/([^/]+)/(load|unload)$")


@dataclass(frozen=True, slots=True)
class CountedPost:
    """One load or unload as it arrived; `at` by time.time()."""

    kind: Literal["load", "unload"]
    name: str
    at: float


class CountingProxy:
    """`with CountingProxy(triton.url) as proxy`: `proxy.url` for clients, `proxy.posts` for asserts.

    Connections are kept alive. A client that goes away does not end its request upstream, as it does not with
    Triton itself. While nobody listens at the target, the client's connection is cut without an answer.
    """

    def __init__(self, target_url: str, port: int = 0) -> None:
        self.posts: list[CountedPost] = []
        target = urlsplit(target_url)
        handler = type("Handler", (_Handler,), {"posts": self.posts, "target": (target.hostname, target.port)})
        self._server = _Server(("127.0.0.1", port), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def count(self, kind: str, name: str) -> int:
        """How many posts of that kind arrived for the model."""
        return sum(post.kind == kind and post.name == name for post in list(self.posts))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is nothing to print."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    posts: list[CountedPost]
    target: tuple[str, int]
    _upstream: http.client.HTTPConnection | None = None

    def do_GET(self) -> None:
        self._forward(b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if found := _POST.search(unquote(self.path)):
            kind = cast(Literal["load", "unload"], found[2])
            self.posts.append(CountedPost(kind, found[1], time.time()))
            self._hang_up()  # one of its own: a kept-alive one could break and leave it open whether it was sent
        self._forward(body)

    def _forward(self, body: bytes) -> None:
        try:
            status, content_type, content = self._ask(body)
        except (OSError, http.client.HTTPException):
            self._hang_up()
            self.close_connection = True
            return
        head = f"HTTP/1.1 {status} x\r\nContent-Type: {content_type}\r\nContent-Length: {len(content)}\r\n\r\n"
        self.wfile.write(head.encode() + content)

    def _ask(self, body: bytes) -> tuple[int, str, bytes]:
        if self._upstream is None:
            self._upstream = http.client.HTTPConnection(*self.target, timeout=UPSTREAM_TIMEOUT_S)
        # One write for head and body: two of them stall on Nagle and delayed acknowledgement.
        self._upstream.request(self.command, self.path, body=body or None, headers={"Content-Length": str(len(body))})
        answer = self._upstream.getresponse()
        return answer.status, answer.headers.get("Content-Type", "text/plain"), answer.read()

    def _hang_up(self) -> None:
        if self._upstream is not None:
            self._upstream.close()
            self._upstream = None

    def finish(self) -> None:
        self._hang_up()
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        pass
