"""The statements that store usage records and raise their rollups: one a table, on each database.

Django has no upsert that adds to a column. An upsert that reads nothing first deadlocks nobody as long as all
name their rows in one order (measured on MariaDB: insert-ignore, then update, deadlocked in four of five
transactions, this in none).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from django.db import connection

from usage.histogram import COLUMNS
from usage.models import Rollup, UsageDay, UsageHour, UsageRecord
from usage.services.resolving import Row
from usage.sums import Key, Sums

RECORDS = UsageRecord._meta.db_table
PERIODS = {UsageHour: "hour", UsageDay: "day"}
KEYS = ("model_id", "client_id", "config_id", "outcome")
ADDED = ("calls", "input_tokens", "output_tokens", "cost", "latency_sum_us")
LONGEST = "latency_max_us"
SUMS = (*ADDED, LONGEST, *COLUMNS)

KNOWN = f"SELECT event_id FROM {RECORDS} WHERE client_id = %s AND event_id IN ({{}})"  # noqa: S608  names are ours
INSERT = f"INSERT INTO {RECORDS} ({', '.join((*Row._fields, 'received_at'))}) VALUES "  # noqa: S608
PLACES = f"({', '.join(['%s'] * (len(Row._fields) + 1))})"


def known_events(client_id: int, event_ids: Collection[str]) -> set[str]:
    """Which of these event ids the client's records have already."""
    if not event_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(KNOWN.format(", ".join(["%s"] * len(event_ids))), [client_id, *event_ids])
        return {event_id for (event_id,) in cursor.fetchall()}


def insert_records(rows: Sequence[Row], *, received_at: datetime) -> None:
    """Store records. Raises IntegrityError when an event id of its client is stored already."""
    received = stored(received_at)
    values: list[Any] = []
    for row in rows:
        values += (*row[:-1], stored(row.occurred_at), received)
    with connection.cursor() as cursor:
        cursor.execute(INSERT + ", ".join([PLACES] * len(rows)), values)


def raise_rollups(table: type[Rollup], sums: Mapping[Key, Sums]) -> None:
    """Add sums to the rollups of their keys, in the order of the keys."""
    if not sums:
        return
    keys = sorted(sums)
    rows = ", ".join([_row(key, sums[key]) for key in keys])
    head, tail = upsert(table, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(f"{head}{rows}{tail}", [text for key in keys for text in (stored(key[0]), key[-1])])


def _row(key: Key, sums: Sums) -> str:
    """Whole numbers stand in the statement itself: a hundred to a row are too many to bind."""
    _period, model_id, client_id, config_id, _outcome = key
    return f"(%s, {model_id:d}, {client_id:d}, {config_id:d}, %s, {', '.join(map(str, sums.values()))})"


@cache
def upsert(table: type[Rollup], vendor: str) -> tuple[str, str]:
    """What stands before and behind the rows of an insert that adds to rows that are there."""
    key = (PERIODS[table], *KEYS)
    if vendor == "mysql":
        conflict, given, largest = "DUPLICATE KEY UPDATE", "VALUES({})", "GREATEST"
    else:
        conflict, given, largest = f"CONFLICT ({', '.join(key)}) DO UPDATE SET", "excluded.{}", "MAX"
    changes = [f"{name} = {name} + {given.format(name)}" for name in (*ADDED, *COLUMNS)]
    changes.append(f"{LONGEST} = {largest}({LONGEST}, {given.format(LONGEST)})")
    head = f"INSERT INTO {table._meta.db_table} ({', '.join((*key, *SUMS))}) VALUES "  # noqa: S608
    return head, f" ON {conflict} {', '.join(changes)}"


def stored(period: date | datetime) -> str:
    """A time (in UTC) or a day as both databases store it."""
    if isinstance(period, datetime):
        period = period.astimezone(UTC).replace(tzinfo=None)
    return str(period)
