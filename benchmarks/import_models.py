"""The import of 500 models of an API provider over HTTP, looked at first and then done, with its statements counted.

The provider is a server of ours in another process. Beside it, as many models as are asked for one by one.
"""

import argparse
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from statistics import median
from typing import Any

from benchmarks import command, report
from benchmarks.callers import Caller
from benchmarks.report import Aim
from benchmarks.stage import Stage, StageFailed, answers, free_port, wait_for

AIM = Aim(5, "s")
A_FEW = 10


def main(asked: argparse.Namespace) -> None:
    with _provider(asked.models) as url:
        for stage in command.each_stage(asked):
            key = stage.client_key()
            few, many = stage.run(count_statements, url, asked.models)
            if few != many:
                raise StageFailed(f"{A_FEW} models take {few} statements, {asked.models} take {many}")
            with stage.web() as web:
                caller = Caller(web.url, key)
                rounds = [_round(caller, url, number, asked) for number in range(asked.rounds)]
            _print(stage, rounds, many, asked)


def _round(caller: Caller, url: str, number: int, asked: argparse.Namespace) -> tuple[float, float, float]:
    """Seconds of the dry run and of the import, and of one model registered by itself."""
    _register_provider(caller, f"api-{number}", url)
    wish = {"prefix": f"r{number}-"}
    path = f"/api/v1/providers/api-{number}/import/"
    looked = _timed(lambda: caller.call("POST", path, wish | {"dry_run": True}, expect=200))
    done = _timed(lambda: _refuse_less(caller.call("POST", path, wish, expect=201).json(), asked.models))
    _register_provider(caller, f"slow-{number}", url)
    names = [(f"one-{number}-{model}", f"model-{model:04d}") for model in range(asked.one_by_one)]
    alone = _timed(lambda: [_register(caller, f"slow-{number}", name, remote) for name, remote in names])
    return looked, done, alone / max(1, len(names))


def _register_provider(caller: Caller, name: str, url: str) -> None:
    fields = {"name": name, "kind": "openai_compatible", "base_url": url, "allow_private_network": True}
    caller.call("POST", "/api/v1/providers/", fields, expect=201)


def _register(caller: Caller, provider: str, name: str, remote: str) -> None:
    caller.call("POST", "/api/v1/models/", {"name": name, "provider": provider, "remote_name": remote}, expect=201)


def _refuse_less(told: Any, models: int) -> None:
    created = sum(line["outcome"] == "created" for line in told["results"])
    if created != models:
        raise StageFailed(f"{created} of {models} models were created")


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _print(stage: Stage, rounds: list[tuple[float, float, float]], statements: int, asked: argparse.Namespace) -> None:
    looked, done, alone = (list(seconds) for seconds in zip(*rounds, strict=True))
    title = f"{asked.models:,} models of one provider on {stage.name}, {asked.rounds} times, one web process"
    rows = [
        ("looked at (dry run)", median(looked), max(looked), "", ""),
        ("imported", median(done), max(done), statements, AIM.verdict(max(done))),
        ("one model by itself", median(alone), max(alone), "", ""),
    ]
    report.table(title, ["", "median s", "worst s", "statements", "aim"], rows)


def count_statements(url: str, models: int) -> tuple[int, int]:
    """How many statements the import of a few and of all takes. For a stage's process."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from models_registry.services.importing import Wish, import_models
    from models_registry.services.providers import create_provider

    counts = []
    for name, most in (("few", A_FEW), ("many", models)):
        fields = {"kind": "openai_compatible", "base_url": url, "allow_private_network": True}
        provider = create_provider(actor="benchmark", name=name, **fields)
        names = [f"model-{number:04d}" for number in range(most)]
        with CaptureQueriesContext(connection) as queries:
            import_models(provider, Wish(remote_names=names, prefix=f"{name}-"), actor="benchmark")
        counts.append(_statements(queries.captured_queries))
    return counts[0], counts[1]


def _statements(captured: list[dict[str, str]]) -> int:
    """An INSERT of many rows goes as several where one would hold too many values: it counts as one."""
    told = [query["sql"].split("VALUES")[0] for query in captured]
    return sum(before != after for before, after in zip([None, *told], told, strict=False))


@contextlib.contextmanager
def _provider(models: int) -> Iterator[str]:
    """A server that offers so many models, in a process of its own."""
    port = free_port()
    process = get_context("spawn").Process(target=serve, args=(port, models), daemon=True)
    process.start()
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/v1/models"), what="the provider")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.join(10)


def serve(port: int, models: int) -> None:
    """Answer every question with the list of models, until the process is ended."""
    rows = [{"id": f"model-{number:04d}", "object": "model", "owned_by": "us"} for number in range(models)]
    body = json.dumps({"object": "list", "data": rows}).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    arguments = command.parser(__doc__)
    arguments.add_argument("--models", type=int, default=500, help="how many the provider offers, at most 1,000")
    arguments.add_argument("--rounds", type=int, default=3, help="how often all of them are imported")
    arguments.add_argument("--one-by-one", type=int, default=20, help="how many are registered by themselves, a round")
    command.run(main, arguments)
