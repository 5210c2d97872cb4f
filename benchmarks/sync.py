"""One sync of 1,000 models on 20 servers: what the two-minute poll does, timed, its statements counted.

The servers are fakes in another process. Measured when nothing has changed, and when one model in ten has
been unloaded behind our back, which leaves an event each and a load per server.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from benchmarks import command, report
from benchmarks.callers import Caller
from benchmarks.report import Aim
from benchmarks.stage import Stage, StageFailed, wait_for
from benchmarks.triton import fake_servers

AIM = Aim(2, "s")
QUERIES_A_SERVER, WRITES_A_SERVER = 5, 1
UNLOAD_S = 0.1
WRITING = ("UPDATE", "INSERT", "DELETE", "REPLACE")


@dataclass(frozen=True)
class Found:
    """Seconds of each sync, and for one of them the statements and writes of the server that took the most."""

    seconds: list[float]
    statements: int
    writes: int
    events: int


def main(asked: argparse.Namespace) -> None:
    with fake_servers(asked.servers, models=asked.models, load_s=0, unload_s=UNLOAD_S) as urls:
        for stage in command.each_stage(asked):
            for url in urls:
                _load(url, range(asked.models))
            quiet, changed = stage.run(measure, urls, asked.models, asked.rounds)
            _check(quiet)
            _print(stage, quiet, changed, asked)


def _load(url: str, numbers: Sequence[int]) -> None:
    caller = Caller(url)
    for number in numbers:
        caller.call("POST", f"/v2/repository/models/model-{number:03d}/load", {}, expect=200)


def _unload(url: str, numbers: Sequence[int]) -> None:
    caller = Caller(url)
    for number in numbers:
        caller.call("POST", f"/v2/repository/models/model-{number:03d}/unload", {}, expect=200)


def _check(quiet: Found) -> None:
    """Raises StageFailed when a sync that finds nothing changed asks or writes more than it may."""
    if quiet.statements > QUERIES_A_SERVER or quiet.writes > WRITES_A_SERVER or quiet.events:
        raise StageFailed(f"nothing had changed, and yet: {quiet}")


def _print(stage: Stage, quiet: Found, changed: Found, asked: argparse.Namespace) -> None:
    rows = [
        (name, median(f.seconds), max(f.seconds), f.statements, f.writes, f.events, AIM.verdict(median(f.seconds)))
        for name, f in (("nothing changed", quiet), ("one model in ten unloaded", changed))
    ]
    total = f"{asked.servers * asked.models:,} models on {asked.servers} servers"
    title = (
        f"One sync of {total} on {stage.name}, {asked.rounds} rounds; at most so many statements and writes a server"
    )
    report.table(title, ["", "median s", "worst s", "statements", "writes", "events", "aim"], rows)


def measure(urls: Sequence[str], models: int, rounds: int) -> tuple[Found, Found]:
    """Syncs that find nothing changed, and syncs that find a tenth unloaded. For a stage's process."""
    from monitoring.tasks import poll

    _register(urls, models)
    _as_if_two_minutes_had_passed()
    poll()  # makes the connections
    quiet = _measured(rounds, before=lambda number: None)
    every_tenth = [range(number % 10, models, 10) for number in range(rounds + 1)]

    def unload_some(number: int) -> None:
        _settle(urls, models)
        for url in urls:
            _unload(url, every_tenth[number])
        time.sleep(UNLOAD_S + 0.1)

    return quiet, _measured(rounds, before=unload_some)


def _measured(rounds: int, *, before: Callable[[int], None]) -> Found:
    """So many timed syncs, and one more whose statements are counted, which takes time itself."""
    from models_registry.models import StatusEvent
    from monitoring.tasks import poll

    seconds = []
    for number in range(rounds):
        before(number)
        _as_if_two_minutes_had_passed()
        began = time.monotonic()
        poll()
        seconds.append(time.monotonic() - began)
    before(rounds)
    _as_if_two_minutes_had_passed()
    events = StatusEvent.objects.count()
    statements = _counted(poll)
    writes = [[sql for sql in of_one if sql.startswith(WRITING)] for of_one in statements]
    return Found(seconds, max(map(len, statements)), max(map(len, writes)), StatusEvent.objects.count() - events)


def _counted(poll: Callable[[], None]) -> list[list[str]]:
    """The statements of each look at a server, in the thread in which it happens; BEGIN and COMMIT are none."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from monitoring import tasks

    found: list[list[str]] = []
    reconcile = tasks.reconcile

    def counting(provider_id: int) -> Any:
        with CaptureQueriesContext(connection) as queries:
            result = reconcile(provider_id)
        found.append([q["sql"] for q in queries if q["sql"].startswith(("SELECT", *WRITING))])
        return result

    tasks.reconcile = counting
    try:
        poll()
    finally:
        tasks.reconcile = reconcile
    return found


def _settle(urls: Sequence[str], models: int) -> None:
    """Everything loaded again by hand, and known to be so."""
    from models_registry.models import RegisteredModel
    from monitoring.tasks import poll

    def at_rest() -> bool:
        for url in urls:
            _load(url, range(models))
        poll()
        return not RegisteredModel.objects.exclude(observed="ready", error_code="").exists()

    wait_for(at_rest, what="all models are ready again")


def _as_if_two_minutes_had_passed() -> None:
    """A sync notes once a minute that the server answered; the real one comes every two."""
    from models_registry.models import Provider

    Provider.objects.update(checked_at=datetime.now(UTC) - timedelta(minutes=2))


def _register(urls: Sequence[str], models: int) -> None:
    from django.db.models import OuterRef, Subquery

    from models_registry.models import ConfigVersion, Provider, RegisteredModel

    facts: dict[str, Any] = {"switch_state": "on", "wanted": True, "observed": "ready", "on_gpu": True}
    for place, url in enumerate(urls):
        provider = Provider.objects.create(
            name=f"gpu-{place:02d}",
            kind="triton",
            base_url=url,
            server_key=url,
            allow_private_network=True,
            max_loaded_models=None,
        )
        names = [f"model-{number:03d}" for number in range(models)]
        RegisteredModel.objects.bulk_create(
            RegisteredModel(name=f"{provider.name}-{name}", remote_name=name, provider=provider, **facts)
            for name in names
        )
    ids = RegisteredModel.objects.values_list("pk", flat=True)
    ConfigVersion.objects.bulk_create(ConfigVersion(model_id=pk, number=1) for pk in ids)
    first = ConfigVersion.objects.filter(model=OuterRef("pk")).values("pk")[:1]
    RegisteredModel.objects.update(config=Subquery(first))


if __name__ == "__main__":
    arguments = command.parser(__doc__)
    arguments.add_argument("--servers", type=int, default=20, help="fake Triton servers")
    arguments.add_argument("--models", type=int, default=50, help="on each server")
    arguments.add_argument("--rounds", type=int, default=5, help="syncs of each kind that are timed")
    command.run(main, arguments)
