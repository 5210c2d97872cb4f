"""Callers in processes of their own, each with one kept-alive connection, so that they cost the server nothing."""

import http.client
import json
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any, Protocol
from urllib.parse import urlsplit

from benchmarks.report import percentile
from benchmarks.stage import StageFailed

WARM_UP_S = 0.5
TIMEOUT_S = 90.0
GRACE_S = 60.0


class Answer:
    """Status and body of one answer."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body

    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """A client with a key and one kept-alive connection."""

    def __init__(self, url: str, key: str = "") -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def call(self, method: str, path: str, body: Any = None, *, expect: int) -> Answer:
        """One request and its answer. Raises StageFailed for another status than expected."""
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers if data is None else self._headers | {"Content-Type": "application/json"}
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        found = Answer(answer.status, answer.read())
        if found.status != expect:
            raise StageFailed(f"{method} {path} was answered {found.status}: {found.body[:500].decode()}")
        return found


class Work(Protocol):
    """What a caller does again and again, at one server; sent to its process, so a value that can be pickled."""

    @property
    def url(self) -> str:
        """The server's address."""

    def prepare(self) -> Callable[[], None]:
        """Connect; what is returned is timed."""


@dataclass(frozen=True)
class Get:
    """One GET."""

    url: str
    path: str
    key: str = ""

    def prepare(self) -> Callable[[], None]:
        caller = Caller(self.url, self.key)
        return lambda: _ignore(caller.call("GET", self.path, expect=200))


@dataclass(frozen=True)
class Timings:
    """How long each call took, in milliseconds, and how many there were a second."""

    ms: list[float]
    per_s: float

    @property
    def p50(self) -> float:
        return percentile(self.ms, 0.5)

    @property
    def p99(self) -> float:
        return percentile(self.ms, 0.99)


def measure(work: Work, *, callers: int, seconds: float) -> Timings:
    """Let so many callers do the work side by side for so long. Raises StageFailed when one of them fails."""
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(callers)
    pipes, processes = [], []
    for _caller in range(callers):
        ours, theirs = spawn.Pipe(duplex=False)
        process = spawn.Process(target=_repeat, args=(work, start, seconds, theirs), daemon=True)
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    try:
        found = [_result(pipe, seconds) for pipe in pipes]
    finally:
        for process in processes:
            process.kill()
            process.join()
    took = max(ended for _ms, _began, ended in found) - min(began for _ms, began, _ended in found)
    every = [value for ms, _began, _ended in found for value in ms]
    return Timings(every, len(every) / took)


def _result(pipe: Connection, seconds: float) -> tuple[list[float], float, float]:
    if not pipe.poll(WARM_UP_S + seconds + GRACE_S):
        raise StageFailed("A caller did not end in time.")
    try:
        found = pipe.recv()
    except EOFError:
        raise StageFailed("A caller died.") from None
    if isinstance(found, str):
        raise StageFailed(found)
    result: tuple[list[float], float, float] = found
    return result


def _repeat(work: Work, start: Barrier, seconds: float, result: Connection) -> None:
    try:
        act = work.prepare()
        start.wait(GRACE_S)
        _until(time.monotonic() + WARM_UP_S, act)
        start.wait(GRACE_S)
        began = time.monotonic()
        ms = _until(began + seconds, act)
        result.send((ms, began, time.monotonic()))
    except Exception as error:
        start.abort()
        result.send(f"A caller failed: {type(error).__name__}: {error}")


def _until(end: float, act: Callable[[], None]) -> list[float]:
    ms = []
    while (began := time.perf_counter()) and time.monotonic() < end:
        act()
        ms.append((time.perf_counter() - began) * 1000)
    return ms


def _ignore(_answer: Answer) -> None:
    """An answer whose status was right is all a caller here wants."""
