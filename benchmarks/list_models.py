"""Fifty models by status among 100,000 over HTTP, with the number of queries, which must not grow."""

import argparse
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from benchmarks import command, report
from benchmarks.callers import Get, Timings, measure
from benchmarks.report import Aim
from benchmarks.stage import Stage, StageFailed

PROVIDERS = 20
AIMS = {"SQLite": Aim(25, "ms"), "MariaDB": Aim(60, "ms")}
BATCH = 5000


def main(asked: argparse.Namespace) -> None:
    for stage in command.each_stage(asked):
        stage.run(fill, asked.models)
        key = stage.client_key()
        lists = _lists(asked.models)
        queries = stage.run(count_queries, key, [path for _name, path in lists])
        if len(set(queries)) != 1:
            raise StageFailed(f"the number of queries differs: {queries}")
        with stage.web() as web:
            timings = [measure(Get(web.url, path, key), callers=1, seconds=asked.seconds) for _name, path in lists]
        _print(stage, lists, timings, queries, models=asked.models)


def _lists(models: int) -> list[tuple[str, str]]:
    by_status = "/api/v1/models/?ordering=status"
    pages = max(1, models * 98 // 100 // 50)
    return [
        ("by status", by_status),
        ("by status, descending", "/api/v1/models/?ordering=-status"),
        (f"by status, page {pages // 2}", f"{by_status}&page={max(1, pages // 2)}"),
        (f"by status, page {pages}", f"{by_status}&page={pages}"),
        ("by status, only active", f"{by_status}&status=active"),
        ("by status, errors and in use", f"{by_status}&status=error&status=in_use"),
        ("by status, of one provider", f"{by_status}&provider=gpu-07"),
        ("by name", "/api/v1/models/?ordering=name"),
        ("last used first", "/api/v1/models/?ordering=-last_used_at"),
    ]


def _print(
    stage: Stage, lists: Sequence[tuple[str, str]], timings: Sequence[Timings], queries: Sequence[int], *, models: int
) -> None:
    rows = []
    for (name, _path), found, count in zip(lists, timings, queries, strict=True):
        verdict = AIMS[stage.name].verdict(found.p50) if name.startswith("by status") else ""
        rows.append((name, found.p50, found.p99, found.per_s, len(found.ms), count, verdict))
    title = f"A page of 50 among {models:,} models on {stage.name}, one caller, one web process"
    report.table(title, ["", "p50 ms", "p99 ms", "per s", "calls", "queries", "aim"], rows)


def fill(models: int) -> None:
    """Store so many models on 20 servers in every status, one in fifty of them deleted. For a stage's process."""
    from django.db import connection

    from models_registry.models import ConfigVersion, Provider, RegisteredModel

    places = [f"gpu-{number:02d}" for number in range(PROVIDERS)]
    providers = [
        Provider.objects.create(name=name, kind="triton", base_url=f"http://{name}", server_key=name) for name in places
    ]
    rows = [_model(number, providers[number % PROVIDERS]) for number in range(models)]
    RegisteredModel.all_objects.bulk_create(rows, batch_size=BATCH)
    ids = list(RegisteredModel.all_objects.values_list("pk", flat=True))
    ConfigVersion.objects.bulk_create([ConfigVersion(model_id=pk, number=1) for pk in ids], batch_size=BATCH)
    model, config = RegisteredModel._meta.db_table, ConfigVersion._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {model} SET config_id = (SELECT c.id FROM {config} c WHERE c.model_id = {model}.id)")
        cursor.execute(f"ANALYZE {'TABLE ' if connection.vendor == 'mysql' else ''}{model}")


def _model(number: int, provider: Any) -> Any:
    from modelmanager.lib.clock import now
    from models_registry.models import RegisteredModel

    kinds: list[dict[str, Any]] = [
        {},
        {"wanted": True, "observed": "loading", "queued_at": now()},
        {"wanted": True, "observed": "ready"},
        {"wanted": True, "observed": "ready", "recovered_at": now()},
        {"wanted": True, "observed": "ready", "open_leases": 2},
        {"wanted": True, "observed": "unloaded", "error_code": "load_failed", "error_message": "out of memory"},
    ]
    return RegisteredModel(
        name=f"model-{number:06d}",
        display_name=f"Model {number}",
        description="Answers questions about the company's documents. " * 4,
        provider=provider,
        remote_name=f"model-{number:06d}",
        on_gpu=True,
        tags=["rag", f"team-{number % 7}"],
        gpu_memory_mb=1000,
        last_used_at=now() - timedelta(seconds=number),
        deleted_at=now() if number % 50 == 49 else None,
        **kinds[number % len(kinds)],
    )


def count_queries(key: str, paths: Sequence[str]) -> list[int]:
    """How many statements each page takes once the key is known. For a stage's process."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"Authorization": f"Bearer {key}", "Host": "localhost"})
    counts = []
    for path in paths:
        client.get("/api/v1/models/?page_size=1")  # a process remembers a key for some seconds only
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(path)
        if answer.status_code != 200 or not answer.json()["results"]:
            raise StageFailed(f"{path} was answered {answer.status_code} without rows")
        counts.append(len(queries))
    return counts


if __name__ == "__main__":
    arguments = command.parser(__doc__)
    arguments.add_argument("--models", type=int, default=100_000, help="how many models are registered, at least 1,000")
    arguments.add_argument("--seconds", type=float, default=5.0, help="length of each block of calls")
    command.run(main, arguments)
