"""From the release of one model to a lease of the one that waits for its room, beside Triton's own unload + load.

The whole product runs: a web process and the worker. A second Triton with the same models is swapped by hand,
in turns with the product's, so that what else the machine does meets both alike.
"""

import argparse
import contextlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import Any

from benchmarks import command, report
from benchmarks.acquire_release import register
from benchmarks.callers import Caller
from benchmarks.report import Aim
from benchmarks.stage import Stage, wait_for
from benchmarks.triton import Server, some_triton

AIM = Aim(0.5, "s")
MODELS = ("model-000", "model-001")
WAIT_S = 60


@dataclass(frozen=True)
class HandOver:
    """One hand-over, in seconds: the same swap by Triton alone, ours as a whole, and its parts."""

    alone: float
    whole: float
    until_unload: float
    unload: float
    until_load: float
    load: float
    until_lease: float

    @property
    def overhead(self) -> float:
        return self.whole - self.alone


def main(asked: argparse.Namespace) -> None:
    with some_triton(models=2, load_s=asked.load_s, fake=asked.fake_triton) as beside:
        for stage in command.each_stage(asked):
            with _product(stage, asked) as (triton, caller, url):
                rounds = _rounds(asked.rounds, triton, beside, caller, url)
            _print(stage, triton, rounds, load_s=asked.load_s)


@contextlib.contextmanager
def _product(stage: Stage, asked: argparse.Namespace) -> Iterator[tuple[Server, Caller, tuple[str, str]]]:
    """The product on a Triton that holds one model, the first of them loaded."""
    with some_triton(models=2, load_s=asked.load_s, fake=asked.fake_triton) as triton:
        triton.load(MODELS[0])
        key = stage.client_key()
        with stage.web() as web, stage.worker():
            caller = Caller(web.url, key)
            register(caller, triton, MODELS)
            wait_for(lambda: _is_ready(caller, MODELS[0]), what="the first model is ready")
            yield triton, caller, (web.url, key)


def _rounds(count: int, triton: Server, beside: Server, caller: Caller, where: tuple[str, str]) -> list[HandOver]:
    """So many hand-overs to and fro; the first, which warms everything up, is not counted."""
    beside.load(MODELS[0])
    found = []
    with ThreadPoolExecutor(1) as waiting:
        for number in range(count + 1):
            holder, newcomer = MODELS[number % 2], MODELS[(number + 1) % 2]
            alone = _swap_alone(beside, holder, newcomer)
            found.append(_hand_over(caller, where, waiting, holder, newcomer, alone))
    return found[1:]


def _swap_alone(server: Server, holder: str, newcomer: str) -> float:
    began = time.monotonic()
    server.unload(holder)
    server.load(newcomer)
    return time.monotonic() - began


def _hand_over(
    caller: Caller, where: tuple[str, str], waiting: ThreadPoolExecutor, holder: str, newcomer: str, alone: float
) -> HandOver:
    held = caller.call("POST", "/api/v1/leases/", {"model": holder}, expect=201).json()
    caller.call("POST", f"/api/v1/models/{newcomer}/activate/", {}, expect=202)
    answer = waiting.submit(_wait_for_lease, where, newcomer)
    wait_for(lambda: answer.done() or _is_held_up(caller, newcomer, holder), what=f"{newcomer} waits for {holder}")
    released_at = datetime.now(UTC)
    caller.call("POST", f"/api/v1/leases/{held['id']}/release/", expect=200)
    lease, granted_at = answer.result()
    caller.call("POST", f"/api/v1/leases/{lease['id']}/release/", expect=200)
    return _parts(_operations(caller), released_at, granted_at, alone)


def _wait_for_lease(where: tuple[str, str], newcomer: str) -> tuple[Any, datetime]:
    wish = {"model": newcomer, "wait_s": WAIT_S}
    return Caller(*where).call("POST", "/api/v1/leases/", wish, expect=201).json(), datetime.now(UTC)


def _operations(caller: Caller) -> tuple[Any, Any]:
    """The last unload and the last load."""
    load, unload = caller.call("GET", "/api/v1/operations/?page_size=2", expect=200).json()["results"]
    assert (unload["kind"], load["kind"]) == ("unload", "load")
    return unload, load


def _parts(operations: tuple[Any, Any], released_at: datetime, granted_at: datetime, alone: float) -> HandOver:
    told = [datetime.fromisoformat(one[when]) for one in operations for when in ("started_at", "finished_at")]
    moments = [released_at, *told, granted_at]
    steps = [(after - before).total_seconds() for before, after in pairwise(moments)]
    return HandOver(alone, (granted_at - released_at).total_seconds(), *steps)


def _is_ready(caller: Caller, name: str) -> bool:
    return bool(caller.call("GET", f"/api/v1/models/{name}/", expect=200).json()["observed"]["state"] == "ready")


def _is_held_up(caller: Caller, name: str, holder: str) -> bool:
    waits = caller.call("GET", f"/api/v1/models/{name}/", expect=200).json()["waiting"]
    return waits is not None and holder in waits["for"]


def _print(stage: Stage, triton: Server, rounds: Sequence[HandOver], *, load_s: float) -> None:
    steps = {
        "release of A to a lease of B": "whole",
        "  until the unload begins": "until_unload",
        "  unload of A": "unload",
        "  until the load begins": "until_load",
        "  load of B": "load",
        "  until the lease is answered": "until_lease",
        "Triton's own unload + load": "alone",
        "overhead": "overhead",
    }
    rows = []
    for name, field in steps.items():
        values = [getattr(one, field) for one in rounds]
        verdict = AIM.verdict(median(values)) if field == "overhead" else ""
        rows.append((name, median(values), max(values), verdict))
    title = f"Hand-over on {stage.name}, {len(rounds)} rounds, loads of {load_s:g} s and more; {triton.kind}"
    report.table(title, ["", "median s", "worst s", "aim"], rows)


if __name__ == "__main__":
    arguments = command.parser(__doc__)
    arguments.add_argument("--rounds", type=int, default=10, help="hand-overs that are counted")
    arguments.add_argument("--load-s", type=float, default=1.5, help="how long the models take to load, at least")
    arguments.add_argument("--fake-triton", action="store_true", help="do not start a real Triton")
    command.run(main, arguments)
