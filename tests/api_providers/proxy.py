"""A proxy as companies have one between themselves and the world."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Proxy:
    """A proxy for http: and, by CONNECT, for https:; `seen` are the first lines of its requests."""

    def __init__(self, *, refuse: int = 0) -> None:
        self.seen: list[str] = []
        handler = type("Handler", (_ProxyHandler,), {"seen": self.seen, "refuse": refuse})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _ProxyHandler(BaseHTTPRequestHandler):
    seen: list[str]
    refuse: int

    def do_GET(self) -> None:
        import urllib.request

        self.seen.append(self.requestline)
        request = urllib.request.Request(self.path, headers=dict(self.headers))
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
            body = answer.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.seen.append(self.requestline)
        if self.refuse:
            self.send_error(self.refuse)
            return
        host, _colon, port = self.path.partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as onward:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_pump, args=(onward, self.connection), daemon=True)
            back.start()
            _pump(self.connection, onward)
        self.close_connection = True

    def log_message(self, *_arguments: Any) -> None:
        """Nothing."""


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        return
