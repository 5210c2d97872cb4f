"""Calls as the services take them, and what is stored of them."""

import itertools
from datetime import datetime
from typing import Any

from modelmanager.lib.clock import now
from usage.models import UsageDay, UsageHour, UsageRecord
from usage.reports import Batch, Report
from usage.services.recording import Recorded, record_usage
from usage.sums import by_day, by_hour

_numbers = itertools.count(1)


def call(at: datetime | None = None, **fields: Any) -> Report:
    """A call of `embedder`, with an event id of its own."""
    made = {"event_id": f"call-{next(_numbers)}", "model": "embedder", "latency_us": 12_500, "outcome": "ok"}
    return Report(**{**made, "occurred_at": at or now(), **fields})


def record(client_id: int, *calls: Report) -> Recorded:
    return record_usage(Batch(calls), client_id=client_id)


def told(table: Any, period: str) -> dict[Any, tuple[int, ...]]:
    """What the rollups say: by period, model, client, configuration and outcome."""
    keys = (period, "model_id", "client_id", "config_id", "outcome")
    columns = ("calls", "input_tokens", "output_tokens", "cost", "latency_sum_us", "latency_max_us")
    names = (*keys, *columns, *(f"b{number:02}" for number in range(62)))
    return {row[:5]: row[5:] for row in table.objects.values_list(*names)}


def assert_sums_are_those_of_the_records(zone: Any) -> None:
    """Hours and days of the zone, summed of every stored record by plain Python."""
    records = list(UsageRecord.objects.all())
    assert told(UsageHour, "hour") == {key: sums.values() for key, sums in by_hour(records).items()}
    assert told(UsageDay, "day") == {key: sums.values() for key, sums in by_day(records, zone).items()}
