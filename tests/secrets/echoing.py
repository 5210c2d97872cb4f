"""A provider that gives away what it is told: the caller's key in errors, pages, headers and redirects."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

Answer = tuple[int, dict[str, str], str]


def _error(status: int) -> Callable[[str, str], Answer]:
    def answer(key: str, _origin: str) -> Answer:
        told = {"error": {"message": f"Incorrect API key provided: {key}", "code": "invalid_api_key", "param": key}}
        return status, {"x-request-id": key, "content-type": "application/json"}, json.dumps(told)

    return answer


def _redirect(key: str, origin: str) -> Answer:
    return 307, {"location": f"{origin}/stolen?key={quote(key, safe='')}"}, ""


def _page(key: str, _origin: str) -> Answer:
    return 200, {"content-type": "text/html"}, f"<h1>Hello {key}</h1>"


def _flat(key: str, _origin: str) -> Answer:
    return 400, {"content-type": "application/json"}, json.dumps({"detail": [{"input": key, "msg": f"bad {key}"}]})


def _list(_key: str, _origin: str) -> Answer:
    return 200, {"content-type": "application/json"}, json.dumps({"data": [{"id": "gpt-x"}]})


WAYS: dict[str, Callable[[str, str], Answer]] = {
    "in a 401": _error(401),
    "in a 403": _error(403),
    "in a 429": _error(429),
    "in a 500": _error(500),
    "in a redirect": _redirect,
    "in a page": _page,
    "in a flat error": _flat,
    "not at all": _list,
}


class Echo:
    """What the server answers with is chosen by `way`; `asked` are (path, key) of all that came."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.way = "not at all"
        self.asked: list[tuple[str, str]] = []

    @property
    def stolen(self) -> list[tuple[str, str]]:
        """Requests that followed a redirect."""
        return [asked for asked in self.asked if asked[0].startswith("/stolen")]


@contextmanager
def echoing_server() -> Iterator[Echo]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            key = self.headers.get("Authorization", "").removeprefix("Bearer ") or self.headers.get("api-key", "")
            echo.asked.append((self.path, key))
            status, headers, body = WAYS[echo.way](key, echo.origin)
            self.send_response(status, f"because of {key}")
            for name, value in (headers | {"content-length": str(len(body.encode()))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET

        def log_message(self, *_args: object) -> None:
            """Nothing: its log is not ours."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        echo = Echo(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield echo
        finally:
            server.shutdown()
            thread.join(5)
