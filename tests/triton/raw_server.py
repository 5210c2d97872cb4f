"""A server that answers byte by byte what a test wants: for answers no real server gives."""

import contextlib
import itertools
import socket
import struct
import threading
from collections.abc import Callable
from typing import Self

Script = Callable[["Exchange"], None]


class Exchange:
    """One request that arrived, the `number`th on its connection, and what is done about it."""

    def __init__(self, connection: socket.socket, request: str, number: int, stopping: threading.Event) -> None:
        self.request = request
        self.number = number
        self._connection = connection
        self._stopping = stopping

    @property
    def is_post(self) -> bool:
        """Whether it is a load or an unload."""
        return self.request.startswith("POST") and "/v2/repository/models/" in self.request

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def answer(self, status: int = 200, body: bytes = b"", *, kind: str = "application/json") -> None:
        head = f"HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.send(head.encode() + body)

    def close(self) -> None:
        self._connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()

    def hang(self) -> None:
        self._stopping.wait(30)

    def trickle(self, data: bytes, *, every_s: float) -> None:
        """Send byte by byte: no single read ever times out."""
        for byte in data:
            if self._stopping.wait(every_s):
                return
            self.send(bytes([byte]))


class RawServer:
    """Runs `script` for every request; `requests` are their first lines, in order of arrival."""

    def __init__(self, script: Script) -> None:
        self.requests: list[str] = []
        self._script = script
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def posts(self) -> list[str]:
        """Loads and unloads among the requests."""
        return [line for line in self.requests if line.startswith("POST /v2/repository/models/")]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # closing alone leaves a thread in accept() listening
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            for number in itertools.count(1):
                if not (request := _read_request(connection)):
                    return
                self.requests.append(request.splitlines()[0])
                self._script(Exchange(connection, request, number, self._stopping))


def _read_request(connection: socket.socket) -> str:
    data = b""
    while not _is_complete(data):
        piece = connection.recv(65536)
        if not piece:
            return ""
        data += piece
    return data.decode()


def _is_complete(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end) and len(body) >= sum(lengths)
