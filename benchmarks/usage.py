"""Usage as benchmarks report it: models and clients, records that look like a day's, and what they take on disk."""

import random
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.callers import Caller

MODELS, CLIENTS = 20, 5
OUTCOMES = ("ok", "error", "timeout", "cancelled")
OFTEN = (94, 3, 2, 1)
LATENCY_MS = 80.0
SPREAD = 0.9


def model_name(number: int) -> str:
    return f"model-{number:03}"


def arrange(models: int = MODELS, clients: int = CLIENTS) -> None:
    """A provider with models that nobody asks about, and clients."""
    from models_registry.services.providers import create_provider
    from models_registry.services.registration import register_model
    from usage.services.clients import create_client

    place = {"kind": "triton", "base_url": "http://127.0.0.1:9", "allow_private_network": True}
    provider = create_provider(actor="benchmark", name="gpu", **place)
    for number in range(models):
        name = model_name(number)
        prices = {"input_price": "0.150000", "output_price": "0.600000"}
        register_model(actor="benchmark", verify=False, name=name, provider=provider, remote_name=name, **prices)
    for number in range(clients):
        create_client(f"client-{number}", actor="benchmark")


def reports(count: int, *, within_s: float = 600.0) -> list[dict[str, Any]]:
    """Calls of the last minutes, each with an event id of its own."""
    at = datetime.now(UTC)
    return [
        {
            "event_id": str(uuid.uuid4()),
            "model": model_name(random.randrange(MODELS)),
            "occurred_at": (at - timedelta(seconds=random.uniform(0, within_s))).isoformat(),
            "latency_ms": round(LATENCY_MS * random.lognormvariate(0, SPREAD), 3),
            "outcome": random.choices(OUTCOMES, OFTEN)[0],
            "input_tokens": random.randrange(2000),
            "output_tokens": random.randrange(500),
        }
        for _number in range(count)
    ]


@dataclass(frozen=True)
class Report:
    """One batch of reports, which are new each time; made before they are needed, so that only sending is timed."""

    url: str
    key: str
    batch: int
    ready: int = 60

    def prepare(self) -> Callable[[], None]:
        caller = Caller(self.url, self.key)
        batches = self._batches()

        def send() -> None:
            answer = caller.call("POST", "/api/v1/usage/records/", next(batches), expect=200).json()
            assert answer == {"accepted": self.batch, "duplicates": 0}, answer

        return send

    def _batches(self) -> Iterator[list[dict[str, Any]]]:
        made = [reports(self.batch) for _number in range(self.ready)]
        while True:
            for batch in made:
                for report in batch:
                    report["event_id"] = f"{report['event_id'][:20]}{random.getrandbits(64):016x}"
                yield batch


def insert_raw(batches: int, batch: int) -> list[float]:
    """Insert so many batches of the same rows by executemany, a transaction each; milliseconds of each."""
    from django.db import connection, transaction

    from models_registry.models import RegisteredModel
    from usage.models import UsageRecord

    models = dict(RegisteredModel.objects.values_list("name", "pk"))
    columns = [str(field.column) for field in UsageRecord._meta.fields if not field.primary_key]
    statement = f"INSERT INTO {UsageRecord._meta.db_table} ({', '.join(columns)}) VALUES ({_places(len(columns))})"
    received_at = str(datetime.now(UTC).replace(tzinfo=None))
    ms = []
    for _number in range(batches):
        made = [_row(report, models, received_at) for report in reports(batch)]
        rows = [tuple(row[column] for column in columns) for row in made]
        began = time.perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(statement, rows)
        ms.append((time.perf_counter() - began) * 1000)
    return ms


def _places(count: int) -> str:
    return ", ".join(["%s"] * count)


def _row(report: dict[str, Any], models: dict[str, int], received_at: str) -> dict[str, Any]:
    return {
        "client_id": 999_999,
        "event_id": report["event_id"],
        "model_id": models[report["model"]],
        "config_id": models[report["model"]],
        "lease_id": None,
        "occurred_at": report["occurred_at"].replace("T", " ").removesuffix("+00:00"),
        "received_at": received_at,
        "latency_us": round(report["latency_ms"] * 1000),
        "outcome": report["outcome"],
        "error_code": "",
        "input_tokens": report["input_tokens"],
        "output_tokens": report["output_tokens"],
        "cost": 100,
    }


def bytes_per_record() -> tuple[int, float]:
    """How many records there are, and the bytes that one takes on disk with all its indexes."""
    from django.db import connection

    from usage.models import UsageRecord

    table, count = UsageRecord._meta.db_table, UsageRecord.objects.count()
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute(f"ANALYZE TABLE {table}")
            cursor.fetchall()
            cursor.execute(
                "SELECT data_length + index_length FROM information_schema.tables "
                "WHERE table_schema = DATABASE() AND table_name = %s",
                [table],
            )
        else:
            names = "SELECT name FROM sqlite_master WHERE tbl_name = %s"
            cursor.execute(f"SELECT SUM(pgsize) FROM dbstat WHERE name IN ({names})", [table])
        return count, float(cursor.fetchone()[0]) / max(1, count)
