"""Acquire and release over HTTP on one web process, beside Triton's bare `ready` and a view that does nothing."""

import argparse
import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks import command, report
from benchmarks.callers import Caller, Get, Timings, Work, measure
from benchmarks.report import Aim
from benchmarks.stage import Stage, Web
from benchmarks.triton import Server, some_triton

MODEL = "model-000"
AIMS = {
    "SQLite": (Aim(4.5, "ms"), Aim(220, "/s", at_least=True)),
    "MariaDB": (Aim(8, "ms"), Aim(140, "/s", at_least=True)),
}


@dataclass(frozen=True)
class Pair:
    """One lease, acquired and released."""

    url: str
    key: str

    def prepare(self) -> Callable[[], None]:
        caller = Caller(self.url, self.key)

        def pair() -> None:
            lease = caller.call("POST", "/api/v1/leases/", {"model": MODEL}, expect=201).json()
            caller.call("POST", f"/api/v1/leases/{lease['id']}/release/", expect=200)

        return pair


@dataclass(frozen=True)
class Ready:
    """Triton's own answer to "is it ready?", by the client library that the product uses."""

    url: str

    def prepare(self) -> Callable[[], None]:
        from tritonclient.http import InferenceServerClient

        client = InferenceServerClient(urlsplit(self.url).netloc)

        def ready() -> None:
            assert client.is_model_ready(MODEL)

        return ready


def main(asked: argparse.Namespace) -> None:
    with some_triton(models=1, fake=asked.fake_triton) as triton:
        triton.load(MODEL)
        for stage in command.each_stage(asked):
            _measure_on(stage, triton, asked)


def _measure_on(stage: Stage, triton: Server, asked: argparse.Namespace) -> None:
    key = stage.client_key()
    with stage.web(WEB_THREADS=str(asked.threads)) as web, _worker(stage, wished=asked.with_worker):
        register(Caller(web.url, key), triton, [MODEL])
        works: list[tuple[str, Work, int]] = [
            ("Triton's ready, bare HTTP", Get(triton.url, f"/v2/models/{MODEL}/ready"), 1),
            ("Triton's ready, tritonclient", Ready(triton.url), 1),
            ("a view that does nothing", Get(web.url, "/healthz"), 1),
            ("acquire + release", Pair(web.url, key), 1),
            ("a view that does nothing", Get(web.url, "/healthz"), 8),
            ("acquire + release", Pair(web.url, key), 8),
        ]
        timings = _in_turns(works, web, rounds=asked.rounds, seconds=asked.seconds)
    _print(stage, triton, works, timings, asked)


def _in_turns(
    works: Sequence[tuple[str, Work, int]], web: Web, *, rounds: int, seconds: float
) -> list[tuple[Timings, float]]:
    """All works, again and again in turns, so that what else the machine does meets all of them alike.

    Each with the processor milliseconds that one call cost the web server (a little too many: those of the
    warm-up are counted, its calls are not).
    """
    found: list[list[Timings]] = [[] for _work in works]
    cpu_s = [0.0 for _work in works]
    for _round in range(rounds):
        for number, (_name, work, callers) in enumerate(works):
            before = web.cpu_s()
            found[number].append(measure(work, callers=callers, seconds=seconds))
            cpu_s[number] += web.cpu_s() - before
    together = [
        Timings([ms for one in timings for ms in one.ms], sum(one.per_s for one in timings) / rounds)
        for timings in found
    ]
    return [(all_of_it, 1000 * cpu / len(all_of_it.ms)) for all_of_it, cpu in zip(together, cpu_s, strict=True)]


def register(caller: Caller, triton: Server, names: Sequence[str]) -> None:
    """Make the server and its models known to the product; what is loaded is switched on by that."""
    provider = {"name": "gpu", "kind": "triton", "base_url": triton.url, "allow_private_network": True}
    caller.call("POST", "/api/v1/providers/", provider, expect=201)
    for name in names:
        model = {"name": name, "provider": "gpu", "remote_name": name}
        caller.call("POST", "/api/v1/models/", model, expect=201)


@contextlib.contextmanager
def _worker(stage: Stage, *, wished: bool) -> Iterator[None]:
    with stage.worker() if wished else contextlib.nullcontext():
        yield


def _print(
    stage: Stage,
    triton: Server,
    works: Sequence[tuple[str, Work, int]],
    timings: Sequence[tuple[Timings, float]],
    asked: argparse.Namespace,
) -> None:
    of_p50, of_rate = AIMS[stage.name]
    rows = []
    for (name, work, callers), (found, cpu_ms) in zip(works, timings, strict=True):
        verdict = ""
        if isinstance(work, Pair):
            verdict = of_p50.verdict(found.p50) if callers == 1 else of_rate.verdict(found.per_s)
        cost = "" if work.url == triton.url else cpu_ms
        rows.append((name, callers, found.p50, found.p99, found.per_s, len(found.ms), cost, verdict))
    beside = ", the product's worker running beside it" if asked.with_worker else ""
    title = f"Acquire + release on {stage.name}, one web process of {asked.threads} threads{beside}; {triton.kind}"
    report.table(title, ["", "callers", "p50 ms", "p99 ms", "per s", "calls", "web CPU ms", "aim"], rows)


if __name__ == "__main__":
    arguments = command.parser(__doc__)
    arguments.add_argument("--seconds", type=float, default=5.0, help="length of one block of calls")
    arguments.add_argument("--rounds", type=int, default=3, help="blocks of each kind, in turns")
    arguments.add_argument("--threads", type=int, default=8, help="threads of the web process")
    arguments.add_argument("--with-worker", action="store_true", help="let the product's worker run beside it")
    arguments.add_argument("--fake-triton", action="store_true", help="do not start a real Triton")
    command.run(main, arguments)
