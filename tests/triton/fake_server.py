"""A FakeTriton behind Triton's HTTP endpoints.

In a test: `with FakeTritonServer(fake) as server: server.url`. As a process of its own:
`python -m tests.triton.fake_server --port 9000 --models 50`.
"""

import argparse
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote

from models_registry.providers.errors import ProviderRefused, ProviderUnavailable
from tests.triton.fake import FakeModel, FakeTriton

HANG_LIMIT_S = 60.0
_MODEL = re.compile(r"^/v2/models/([^/]+)(?:/versions/([^/]+))?/(ready|config)$")
_POST = re.compile(r"^/v2/repository/models/([^/]+)/(load|unload)$")


class FakeTritonServer:
    """Serves `fake` on 127.0.0.1; `prefix` puts every endpoint below a path.

    With `fake.hang` requests are accepted and not answered; with `fake.down` the connection is
    cut without an answer, which a client takes for unavailable as it does a refused one.
    """

    def __init__(self, fake: FakeTriton, port: int = 0, *, prefix: str = "") -> None:
        self.fake = fake
        self.stopping = threading.Event()
        handler = type("Handler", (_Handler,), {"fake": fake, "prefix": prefix, "stopping": self.stopping})
        self._server = _Server(("127.0.0.1", port), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{prefix}"

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and cut what is open, as a killed server would."""
        self.stopping.set()
        with self.fake.changed:
            self.fake.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._server.cut_connections()
        self._thread.join(5)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, *args: Any) -> None:
        self._open: set[Any] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is nothing to print."""

    def cut_connections(self) -> None:
        for request in list(self._open):
            super().shutdown_request(request)


class _Hangup(Exception):
    pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake: FakeTriton
    prefix: str
    stopping: threading.Event

    def do_GET(self) -> None:
        self._serve(self._get)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._serve(lambda path: self._post(path, body))

    def _serve(self, answer: Any) -> None:
        try:
            if self.fake.down:
                raise _Hangup
            if self.fake.hang:
                self._hang()
            answer(unquote(self.path).removeprefix(self.prefix))
        except _Hangup:
            self.close_connection = True
        except ProviderRefused as refusal:
            self._send(refusal.status or 400, {"error": refusal.message})
        except ProviderUnavailable:
            self.close_connection = True

    def _get(self, path: str) -> None:
        if path in ("/v2/health/live", "/v2/health/ready"):
            return self._send(200)
        if path == "/v2":
            info = self.fake.server_info()
            told = {"name": info.name, "version": info.version, "extensions": list(info.extensions)}
            return self._send(200, told)
        if path == "/v2/models/stats":
            return self._send(200, self.fake.statistics())
        if found := _MODEL.match(path):
            name, version, what = found.groups()
            return self._send_ready(name, version or "") if what == "ready" else self._send_config(name)
        return self._send(404, {"error": "not found"})

    def _post(self, path: str, body: bytes) -> None:
        if path == "/v2/repository/index":
            return self._send(200, self.fake.index())
        found = _POST.match(path)
        if found is None:
            return self._send(404, {"error": "not found"})
        name, kind = found.groups()
        ticket = self.fake.begin_load(name, config=_config(body)) if kind == "load" else self.fake.begin_unload(name)
        while not self.fake.wait_until(ticket.ends_at, at_most_s=1.0):
            if self.stopping.is_set() or self.fake.down:
                raise _Hangup
        ticket.outcome()
        return self._send(200)

    def _send_ready(self, name: str, version: str) -> None:
        ready = self.fake.is_ready(name, version)
        self._send(200) if ready else self._send(400, {"error": "Model version not ready"})

    def _send_config(self, name: str) -> None:
        config = self.fake.effective_config(name)
        if config is None:
            return self._send(404, {"error": f"Request for unknown model: '{name}' is not found"})
        return self._send(200, config)

    def _hang(self) -> None:
        give_up_at = time.monotonic() + HANG_LIMIT_S
        while self.fake.hang and not self.stopping.wait(0.05) and time.monotonic() < give_up_at:
            pass
        raise _Hangup

    def _send(self, status: int, told: Any = None) -> None:
        body = b"" if told is None else json.dumps(told).encode()
        head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _config(body: bytes) -> dict[str, Any] | None:
    text = (json.loads(body or b"{}").get("parameters") or {}).get("config")
    return None if text is None else json.loads(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--models", type=int, default=50, help="model-000, model-001, …")
    parser.add_argument("--load-s", type=float, default=0.2)
    parser.add_argument("--unload-s", type=float, default=0.1)
    parser.add_argument("--size-mb", type=int, default=1000)
    parser.add_argument("--budget-mb", type=int, default=None)
    asked = parser.parse_args()
    models = [
        FakeModel(f"model-{i:03d}", load_s=asked.load_s, unload_s=asked.unload_s, size_mb=asked.size_mb)
        for i in range(asked.models)
    ]
    fake = FakeTriton(models, budget_mb=asked.budget_mb, clock=time.monotonic)
    server = FakeTritonServer(fake, asked.port).start()
    print(server.url, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
