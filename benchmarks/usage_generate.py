"""Generate usage records on MariaDB by bulk SQL, and sum them by the rebuild: ten millions in minutes.

Busy by day, quiet by night and at weekends; some models and clients are used more than others. Event ids are in
the order of time, since random ones would take long to index.
"""

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks import command, report
from benchmarks.stage import stage
from benchmarks.usage import CLIENTS, LATENCY_MS, MODELS, SPREAD, arrange, bytes_per_record

RECORDS, DAYS = 10_000_000, 90
AT_A_TIME = 50_000
# Box and Muller's normal distribution, of two equal ones.
NORMAL = "SQRT(-2 * LN(1 - r1)) * COS(6.283185307 * r2)"
# Models, clients and configurations have ids that follow each other, as `arrange` makes them.
INSERT = f"""
    INSERT INTO usage_usagerecord
      (client_id, event_id, model_id, config_id, occurred_at, received_at, latency_us, outcome, error_code,
       input_tokens, output_tokens, cost)
    SELECT {{client}} + FLOOR({CLIENTS} * r5 * r5),
      CONCAT(LPAD({{slice}}, 8, '0'), '-', LPAD(seq, 8, '0'), '-', LPAD(FLOOR(1e17 * r4), 17, '0')),
      {{model}} + FLOOR({MODELS} * r3 * r3), {{config}} + FLOOR({MODELS} * r3 * r3), at, at,
      FLOOR(1000 * {LATENCY_MS} * EXP({SPREAD} * {NORMAL})),
      CASE WHEN r6 < 0.94 THEN 'ok' WHEN r6 < 0.97 THEN 'error' WHEN r6 < 0.99 THEN 'timeout' ELSE 'cancelled' END,
      IF(r6 < 0.94, '', 'upstream'), FLOOR(2000 * r1), FLOOR(500 * r2), FLOOR(600 * r1)
    FROM (
      SELECT seq, TIMESTAMP'{{start}}' + INTERVAL ROUND({{seconds}} * 1e6 * seq / {{count}}) MICROSECOND AS at,
        RAND() AS r1, RAND() AS r2, RAND() AS r3, RAND() AS r4, RAND() AS r5, RAND() AS r6
      FROM seq_0_to_{{last}}
    ) AS rolled
"""


def generate(records: int = RECORDS, days: int = DAYS, until: datetime | None = None) -> dict[str, float]:
    """Store so many records of the days before `until` (now) and sum them; what it took, in seconds.

    Works on the MariaDB of this process, on which `arrange` has made models and clients, and nobody else any.
    """
    from usage.services.rebuilding import rebuild_days, rebuild_hours

    began, end = time.monotonic(), until or datetime.now(UTC)
    store(records, end - timedelta(days=days), end)
    stored = time.monotonic()
    hours, in_days = sum(1 for _hour in rebuild_hours()), sum(1 for _day in rebuild_days())
    return {"store_s": stored - began, "sum_s": time.monotonic() - stored, "hours": hours, "days": in_days}


def store(records: int, start: datetime, end: datetime) -> None:
    """Store so many records between two times, in the order of time; nothing is summed."""
    from django.db import connection

    ids = first_ids()
    for number, (at, seconds, count) in enumerate(_slices(records, start, end)):
        place = {"start": at.replace(tzinfo=None), "seconds": seconds, "count": count, "last": count - 1}
        with connection.cursor() as cursor:
            cursor.execute(INSERT.format(slice=number, **place, **ids))


def _slices(records: int, start: datetime, end: datetime) -> Iterator[tuple[datetime, float, int]]:
    """(from, seconds, records) of pieces of time, none with more than a statement takes."""
    hours = [start + timedelta(hours=1) * number for number in range(round((end - start) / timedelta(hours=1)))]
    weights = [_busy(hour) for hour in hours]
    done, weight = 0, 0.0
    for hour, one in zip(hours, weights, strict=True):
        weight += one
        count = round(records * weight / sum(weights)) - done
        done += count
        pieces = -(-count // AT_A_TIME)
        for piece in range(pieces):
            yield (
                hour + timedelta(hours=1) * piece / pieces,
                3600 / pieces,
                count * (piece + 1) // pieces - count * piece // pieces,
            )


def _busy(at: datetime) -> float:
    """How busy an hour is, in Seoul."""
    local = at + timedelta(hours=9)
    return (3.0 if 9 <= local.hour < 19 else 0.6) * (1.0 if local.weekday() < 5 else 0.4)


def first_ids() -> dict[str, int]:
    """The smallest ids of models, clients and configurations."""
    from django.db.models import Min

    from models_registry.models import ConfigVersion, RegisteredModel
    from usage.models import Client

    tables: dict[str, Any] = {"model": RegisteredModel, "client": Client, "config": ConfigVersion}
    return {name: table.objects.aggregate(first=Min("pk"))["first"] for name, table in tables.items()}


def main(asked: argparse.Namespace) -> None:
    if not command.is_mariadb_asked(asked):
        return
    with stage("mariadb", mariadb=asked.mariadb) as made:
        made.run(arrange)
        took = made.run(generate, asked.records, asked.days)
        count, size = made.run(bytes_per_record)
    summed = f"{took['hours']:.0f} hours and {took['days']:.0f} days"
    rows = [
        ("stored by bulk SQL", took["store_s"], asked.records / took["store_s"], f"{size:.0f} bytes each on disk"),
        ("summed by the rebuild", took["sum_s"], asked.records / took["sum_s"], summed),
    ]
    title = f"{count:,} records of {asked.days} days, {MODELS} models and {CLIENTS} clients, generated on {made.name}"
    report.table(title, ["", "s", "records/s", ""], rows)


if __name__ == "__main__":
    arguments = command.parser(__doc__)
    arguments.add_argument("--records", type=int, default=RECORDS, help="how many")
    arguments.add_argument("--days", type=int, default=DAYS, help="over how many days before now")
    command.run(main, arguments)
