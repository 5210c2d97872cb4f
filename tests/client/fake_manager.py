"""A real HTTP server that keeps the contract of leases and usage, and fails when a test wants it to."""

import contextlib
import json
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "mm_the-key"
MODELS = ("bge-reranker", "rag-chat")


@dataclass
class FakeManager:
    """What arrived, what is stored, and what to answer next.

    `faults` are answers for the next posts to a path that ends in the first member, whatever they hold.
    """

    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    leases: dict[int, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    faults: deque[tuple[str, int, dict[str, Any], dict[str, str]]] = field(default_factory=deque)
    names_indexes: bool = True
    answers_usage: bool = True  # False: it stores a report, and breaks the connection instead of answering
    cuts: int = 0  # so many of the next requests find their connection closed
    ttl_s: float = 60.0
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def bodies(self, ending: str) -> list[Any]:
        """What was posted to a path that ends so, in order."""
        return [body for path, body in self.asked if path.endswith(ending)]

    def refuse(
        self, ending: str, status: int, code: str, *, headers: dict[str, str] | None = None, **told: Any
    ) -> None:
        """Answer the next post there with this problem."""
        problem = {"code": code, "detail": f"as the test wants: {code}", "status": status, **told}
        self.faults.append((ending, status, problem, headers or {}))

    @contextlib.contextmanager
    def serving(self) -> Iterator["FakeManager"]:
        """On the same port each time, as a manager that is started again."""
        server = _Server(("127.0.0.1", self.port), _handler(self))
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def answer(self, path: str, body: Any, key: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, body and headers for one post."""
        with self.lock:
            self.asked.append((path, body))
            if key != f"Bearer {KEY}":
                return 401, {"code": "not_authenticated", "detail": "Who are you?"}, {}
            if self.faults and path.endswith(self.faults[0][0]):
                _ending, status, problem, headers = self.faults.popleft()
                return status, problem, headers
            match path.removeprefix("/api/v1/").strip("/").split("/"):
                case ["leases"]:
                    return self._grant(body)
                case ["leases", number, "renew"]:
                    return self._renew(int(number))
                case ["leases", number, "release"]:
                    return self._release(int(number), body)
                case ["usage", "records"]:
                    return self._store(body if isinstance(body, list) else [body], "")
        return 404, {"code": "not_found", "detail": path}, {}

    def _grant(self, body: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
        if body["model"] not in MODELS:
            return 404, {"code": "model_not_found", "detail": "There is no such model."}, {}
        at = datetime.now(UTC)
        lease = {
            "id": len(self.leases) + 1,
            "model": body["model"],
            "client": "chatbot",
            "instance": body["instance"],
            "config": {"number": 1, "values": {"temperature": 0.2}},
            "connection": {"kind": "triton", "url": "http://gpu:8000", "model_name": "reranker", "model_version": ""},
            "granted_at": _text(at),
            "expires_at": _text(at + timedelta(seconds=self.ttl_s)),
            "renew_after_s": self.ttl_s / 2,
            "closed_at": None,
        }
        self.leases[lease["id"]] = lease
        return 201, lease, {}

    def _renew(self, number: int) -> tuple[int, dict[str, Any], dict[str, str]]:
        lease = self.leases[number]
        if lease["closed_at"]:
            return 409, {"code": "lease_closed", "detail": "This lease is closed."}, {}
        lease["expires_at"] = _text(datetime.now(UTC) + timedelta(seconds=self.ttl_s))
        return 200, lease, {}

    def _release(self, number: int, body: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
        status, answer, headers = self._store(body.get("usage", []), "usage.")
        if status != 200:
            return status, answer, headers
        lease = self.leases[number]
        lease["closed_at"] = lease["closed_at"] or _text(datetime.now(UTC))
        return 200, lease, {}

    def _store(self, records: list[dict[str, Any]], prefix: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        bad = [index for index, record in enumerate(records) if record.get("model") not in MODELS]
        if bad:
            errors = [{"field": f"{prefix}{i}.model", "code": "unknown", "detail": "No such model."} for i in bad]
            problem = {"code": "invalid", "detail": "Some values are not valid."}
            return 400, problem | ({"errors": errors} if self.names_indexes else {}), {}
        before = len(self.stored)
        for record in records:
            self.stored.setdefault(record["event_id"], record)
        accepted = len(self.stored) - before
        return 200, {"accepted": accepted, "duplicates": len(records) - accepted}, {}


class _Server(ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        self.open: set[Any] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Kept connections end with the server, as with a process that is killed."""
        for request in list(self.open):
            self.shutdown_request(request)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


def _handler(manager: FakeManager) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if manager.cuts:
                manager.cuts -= 1
                self.close_connection = True
                return
            status, answer, headers = manager.answer(self.path, body, self.headers["Authorization"])
            if self.path.endswith("/usage/records/") and not manager.answers_usage:
                self.close_connection = True
                return
            text = json.dumps(answer).encode()
            self.send_response(status)
            kind = "application/json" if status < 400 else "application/problem+json"
            for name, value in {"Content-Type": kind, "Content-Length": str(len(text)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *arguments: Any) -> None:
            pass

    return Handler


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
