"""The statements that sum stored records, or hours of them, into rollups: the same sums as `usage.sums` makes."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from itertools import pairwise
from typing import Any

from django.db import connection

from usage.histogram import BOUNDS_US, COLUMNS
from usage.models import Rollup, UsageHour
from usage.record_sql import ADDED, KEYS, LONGEST, PERIODS, RECORDS, SUMS, stored

GROUPS = ", ".join(KEYS)
HOURS = UsageHour._meta.db_table
# Sums are decimals on MySQL, also of whole numbers.
OF_RECORDS = (
    "COUNT(*)",
    *(f"SUM({name})" for name in ("input_tokens", "output_tokens", "cost", "latency_us")),
    "MAX(latency_us)",
    f"SUM(latency_us <= {BOUNDS_US[0]})",
    *(f"SUM(latency_us > {low} AND latency_us <= {high})" for low, high in pairwise(BOUNDS_US)),
    f"SUM(latency_us > {BOUNDS_US[-1]})",
)
OF_HOURS = (*(f"SUM({name})" for name in ADDED), f"MAX({LONGEST})", *(f"SUM({name})" for name in COLUMNS))

Told = dict[tuple[Any, ...], tuple[int, ...]]


def sum_records(table: type[Rollup], period: date | datetime, since: datetime, until: datetime) -> None:
    """Replace a period's rollups by the sums of the records from `since` to `until`."""
    _replace(table, period, _sums(OF_RECORDS, RECORDS, "occurred_at"), [stored(since), stored(until)])


def sum_hours(table: type[Rollup], period: date, since: datetime, until: datetime) -> None:
    """Replace a period's rollups by the sums of the hours from `since` to `until`."""
    _replace(table, period, _sums(OF_HOURS, HOURS, "hour"), [stored(since), stored(until)])


def _replace(table: type[Rollup], period: date | datetime, sums: str, bounds: list[str]) -> None:
    name, column = table._meta.db_table, PERIODS[table]
    head = f"INSERT INTO {name} ({', '.join((*KEYS, *SUMS, column))})"
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {name} WHERE {column} = %s", [stored(period)])  # noqa: S608  names are ours
        cursor.execute(f"{head} SELECT found.*, %s FROM ({sums}) AS found", [stored(period), *bounds])  # noqa: S608


def told_by_records(since: datetime, until: datetime) -> Told:
    """What the rollups of a period should say, by the records."""
    return _read(_sums(OF_RECORDS, RECORDS, "occurred_at"), [stored(since), stored(until)])


def told_by_hours(since: datetime, until: datetime) -> Told:
    """What the rollups of a period should say, by the hours."""
    return _read(_sums(OF_HOURS, HOURS, "hour"), [stored(since), stored(until)])


def told_by_rollups(table: type[Rollup], period: date | datetime) -> Told:
    """What the rollups of a period say."""
    columns = ", ".join((*KEYS, *SUMS))
    statement = f"SELECT {columns} FROM {table._meta.db_table} WHERE {PERIODS[table]} = %s"  # noqa: S608
    return _read(statement, [stored(period)])


@cache
def _sums(sums: Sequence[str], source: str, time: str) -> str:
    named = ", ".join(f"{sum_} AS {name}" for sum_, name in zip(sums, SUMS, strict=True))
    return (
        f"SELECT {GROUPS}, {named} FROM {source} "  # noqa: S608
        f"WHERE {time} >= %s AND {time} < %s GROUP BY {GROUPS}"
    )


def _read(statement: str, values: Sequence[str]) -> Told:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {row[: len(KEYS)]: tuple(map(int, row[len(KEYS) :])) for row in cursor.fetchall()}
