"""Real processes with real commits on a database of their own, beside a server that shows what it holds."""

import contextlib
import multiprocessing
import os
import random
import signal
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from typing import Any, Self

import pytest

from benchmarks.stage import Stage, stage, start_django
from tests.triton.fake import FakeModel, FakeTriton
from tests.triton.fake_server import FakeTritonServer

LONG = os.environ.get("SOAK") == "1"
DATABASES = [
    pytest.param("sqlite", marks=pytest.mark.embedded_only),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]
STARTED_WITHIN_S = 120.0
ENDED_WITHIN_S = 120.0
ENOUGH_WITHIN_S = 300.0
ENOUGH = "enough"
QUICK = {"TICK_S": "0.05", "LOG_LEVEL": "ERROR"}

Deed = Callable[[random.Random], str]


@dataclass(frozen=True)
class Act:
    """What one process does: `make(*arguments)` gives a deed, done again and again; each tells what came of it.

    It ends after `times` deeds, or goes on to the end. `until` names what must come of its deeds, and how often,
    before the end: however slow the machine, what a test is about has happened.
    """

    make: Callable[..., Deed]
    arguments: tuple[Any, ...] = ()
    times: int | None = None
    until: Mapping[str, int] = field(default_factory=dict)
    pause_s: float = 0.0


@dataclass
class Told:
    """What came of the deeds of all processes, and what went wrong in them."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def side_by_side(on: Stage, acts: Sequence[Act], *, seconds: float) -> Told:
    """Let each act run in a process of its own, all from the same moment, for `seconds` and until all had enough."""
    spawn = multiprocessing.get_context("spawn")
    start, stop = spawn.Event(), spawn.Event()
    pipes = [spawn.Pipe(duplex=False) for _act in acts]
    ours, theirs = [pipe[0] for pipe in pipes], [pipe[1] for pipe in pipes]
    troupe = spawn.Process(target=_perform, args=(on.env | QUICK, acts, start, stop, theirs))
    troupe.start()
    for pipe in theirs:
        pipe.close()
    try:
        for pipe in ours:
            assert pipe.poll(STARTED_WITHIN_S) and pipe.recv() == "ready", "a process did not start"
        start.set()
        return _collect(acts, ours, stop, seconds)
    finally:
        stop.set()
        troupe.join(1)
        end_whole(troupe)


def _collect(acts: Sequence[Act], pipes: "list[Connection]", stop: Event, seconds: float) -> Told:
    told, over_at, gives_up_at = Told(), time.monotonic() + seconds, time.monotonic() + seconds + ENOUGH_WITHIN_S
    for act, pipe in zip(acts, pipes, strict=True):
        if act.times is not None or act.until:
            pipe.poll(max(0.0, gives_up_at - time.monotonic()))
    while time.monotonic() < over_at:
        time.sleep(0.02)
    stop.set()
    for pipe in pipes:
        assert pipe.poll(ENDED_WITHIN_S), "a process did not end"
        while (message := pipe.recv()) == ENOUGH:
            assert pipe.poll(ENDED_WITHIN_S), "a process did not end"
        told.counts += message[0]
        told.faults += message[1]
    return told


def end_whole(leader: SpawnProcess) -> None:
    """Kill a process that leads a group of its own, and the group."""
    leader.kill()
    if leader.pid:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader.pid, signal.SIGKILL)
    leader.join()


def _perform(
    environment: Mapping[str, str], acts: Sequence[Act], start: Event, stop: Event, results: "list[Connection]"
) -> None:
    """Make ready once what each process needs, which takes longer than many an act, and part."""
    os.setpgrp()
    start_django(environment)
    fork = multiprocessing.get_context("fork")
    processes = [
        fork.Process(target=_run, args=(act, number, start, stop, result))
        for number, (act, result) in enumerate(zip(acts, results, strict=True))
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def _run(act: Act, number: int, start: Event, stop: Event, result: "Connection") -> None:
    from django.db import connection

    counts: Counter[str] = Counter()
    faults: list[str] = []
    missing = Counter(act.until)
    dice = random.Random(number)
    deed = act.make(*act.arguments)
    result.send("ready")
    start.wait(STARTED_WITHIN_S)
    while not stop.is_set() and (act.times is None or counts.total() < act.times):
        try:
            done = deed(dice)
        except Exception:
            faults.append(traceback.format_exc())
            break
        counts[done] += 1
        if missing and not (missing := missing - Counter([done])):
            result.send(ENOUGH)
        time.sleep(act.pause_s * dice.random())
    connection.close()
    result.send((counts, faults))


@contextlib.contextmanager
def empty_stage(name: str) -> Iterator[Stage]:
    """A migrated database on `sqlite` or `mariadb`, dropped afterwards."""
    server = os.environ.get("DATABASE_URL", "")
    if server.startswith("mysql:"):
        with stage(name, mariadb=server.rpartition("/")[0]) as made:
            yield made
    else:
        with stage(name) as made:
            yield made


class WatchedTriton:
    """A fake server with an address, looked at every 2 ms: `seen` has every set of residents there was."""

    def __init__(self, *models: FakeModel, budget_mb: int | None = None) -> None:
        self.fake = FakeTriton(models, budget_mb=budget_mb, clock=time.monotonic)
        self.names = [model.name for model in models]
        self.seen: Counter[frozenset[str]] = Counter()
        self._server = FakeTritonServer(self.fake)
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    @property
    def url(self) -> str:
        return self._server.url

    def residents(self) -> frozenset[str]:
        """What occupies memory now: loading, ready or unloading."""
        with self.fake.changed:
            return frozenset(name for name in self.names if self.fake.state_of(name) != "unavailable")

    def _watch(self) -> None:
        while not self._over.wait(0.002):
            self.seen[self.residents()] += 1

    def __enter__(self) -> Self:
        self._server.start()
        self._watcher.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._watcher.join(5)
        self._server.stop()
