"""The sums of one table of use, grouped in SQL: the same text for both databases.

Counts in buckets are added up as floating-point numbers, which is exact up to 2**53 calls and takes MariaDB half the
time of its decimals; everything else is added up exactly, whatever its size.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from modelmanager.lib.refusals import Invalid
from models_registry.models import ConfigVersion
from usage.histogram import BOUNDS_US, BUCKETS, COLUMNS
from usage.models import Outcome, UsageDay, UsageHour, UsageRecord
from usage.rules.pieces import Piece, ranges

MOST_ROWS = 50_000
CONFIG = ConfigVersion._meta.db_table
COLUMN_OF = {"model": "model_id", "client": "client_id", "config": "config_id", "outcome": "outcome"}
AMOUNTS = ("input_tokens", "output_tokens", "cost")
FAILED = (Outcome.ERROR.value, Outcome.TIMEOUT.value)
# The number of a period's row, and what it is grouped by.
Key = tuple[Any, ...]


@dataclass(slots=True)
class Totals:
    """Sums over some calls, as statistics tell them; `buckets` count latencies as `usage.histogram` says."""

    buckets: list[int]
    calls: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost: int
    latency_sum_us: int
    latency_max_us: int

    def add(self, more: "Totals") -> None:
        """Those calls, too."""
        self.calls += more.calls
        self.errors += more.errors
        self.input_tokens += more.input_tokens
        self.output_tokens += more.output_tokens
        self.cost += more.cost
        self.latency_sum_us += more.latency_sum_us
        self.latency_max_us = max(self.latency_max_us, more.latency_max_us)
        self.buckets = [ours + theirs for ours, theirs in zip(self.buckets, more.buckets, strict=True)]


@dataclass(frozen=True)
class Narrowed:
    """Which rows count, by ids, numbers of configurations and outcomes; None for all."""

    models: Sequence[int] | None = None
    clients: Sequence[int] | None = None
    configs: Sequence[int] | None = None
    outcomes: Sequence[str] | None = None


class Statement:
    """SQL and the values that it binds, put together from left to right."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def bind(self, value: Any) -> str:
        """A placeholder for the value."""
        self.values.append(_stored(value))
        return "%s"

    def one_of(self, column: str, values: Sequence[Any]) -> str:
        return f"{column} IN ({', '.join(self.bind(value) for value in values)})"

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows. Raises Invalid when there are more than anybody may ask for."""
        with connection.cursor() as cursor:
            cursor.execute(f"{sql} LIMIT {MOST_ROWS + 1}", self.values)
            found = list(cursor.fetchall())
        refuse_more(len(found))
        return found


def refuse_more(rows: int) -> None:
    """Raise Invalid for more rows than an answer may have."""
    if rows > MOST_ROWS:
        detail = _("That is more than %(n)d rows: choose a longer interval, fewer groups or a shorter range.")
        raise Invalid.of("interval", detail % {"n": MOST_ROWS})


def totals_of_days(pieces: Sequence[Piece], groups: Sequence[str], rows: Narrowed) -> Iterator[tuple[Key, Totals]]:
    """From the daily rollups."""
    return _of_rollups(UsageDay._meta.db_table, "day", pieces, groups, rows)


def totals_of_hours(pieces: Sequence[Piece], groups: Sequence[str], rows: Narrowed) -> Iterator[tuple[Key, Totals]]:
    """From the hourly rollups."""
    return _of_rollups(UsageHour._meta.db_table, "hour", pieces, groups, rows)


def totals_of_records(pieces: Sequence[Piece], groups: Sequence[str], rows: Narrowed) -> Iterator[tuple[Key, Totals]]:
    """From the single records: first by the bucket of their latency, then as from rollups."""
    statement = Statement()
    period = _number(statement, "occurred_at", [piece.start for piece in pieces], [piece.period for piece in pieces])
    # A latency belongs to the first bucket whose end it does not exceed.
    bucket = _number(statement, "latency_us", [0, *(bound + 1 for bound in BOUNDS_US)], range(BUCKETS))
    columns = [COLUMN_OF[group] for group in groups]
    by_bucket = _select(
        statement,
        UsageRecord._meta.db_table,
        "occurred_at",
        pieces,
        rows,
        keys=[f"{period} AS slot", f"{bucket} AS bucket", *columns],
        sums=[
            "COUNT(*) AS calls",
            f"{_failed('1')} AS errors",
            *(f"{_sum(name)} AS {name}" for name in AMOUNTS),
            f"{_sum('latency_us')} AS latency_sum_us",
            "MAX(latency_us) AS latency_max_us",
        ],
    )
    counts = [f"CASE WHEN bucket = {number} THEN calls ELSE 0 END" for number in range(BUCKETS)]
    sums = [_sum("calls"), _sum("errors"), *_sums(counts)]
    names = ", ".join(["slot", *columns])
    sql = f"SELECT {names}, {', '.join(sums)} FROM ({by_bucket}) AS counted GROUP BY {names}"  # noqa: S608  ours
    return _told(statement.run(sql), groups)


def _of_rollups(
    table: str, at: str, pieces: Sequence[Piece], groups: Sequence[str], rows: Narrowed
) -> Iterator[tuple[Key, Totals]]:
    statement = Statement()
    period = _number(statement, at, [piece.start for piece in pieces], [piece.period for piece in pieces])
    keys = [f"{period} AS slot", *(COLUMN_OF[group] for group in groups)]
    sums = [_sum("calls"), _failed("calls"), *_sums(COLUMNS)]
    sql = _select(statement, table, at, pieces, rows, keys=keys, sums=sums)
    return _told(statement.run(sql), groups)


def _sums(counts: Sequence[str]) -> list[str]:
    """Sums of amounts and latencies, and of what each of `counts` counts in its bucket."""
    latencies = [_sum("latency_sum_us"), "MAX(latency_max_us)"]
    return [*map(_sum, AMOUNTS), *latencies, *(_sum(f"{count} * 1e0") for count in counts)]


def _told(found: Iterable[Sequence[Any]], groups: Sequence[str]) -> Iterator[tuple[Key, Totals]]:
    """Keys and totals of rows with calls, errors and `_sums` behind the key."""
    width = 1 + len(groups)
    for row in found:
        yield tuple(row[:width]), Totals(list(row[width + 7 :]), *row[width : width + 7])


def _select(
    statement: Statement,
    table: str,
    at: str,
    pieces: Sequence[Piece],
    rows: Narrowed,
    *,
    keys: Sequence[str],
    sums: Sequence[str],
) -> str:
    within = " OR ".join(
        f"({at} >= {statement.bind(start)} AND {at} < {statement.bind(end)})" for start, end in ranges(pieces)
    )
    conditions = [f"({within})", *_conditions(statement, rows)]
    names = ", ".join(key.rpartition(" AS ")[2] for key in keys)
    return f"SELECT {', '.join([*keys, *sums])} FROM {table} WHERE {' AND '.join(conditions)} GROUP BY {names}"  # noqa: S608


def _conditions(statement: Statement, rows: Narrowed) -> Iterator[str]:
    if rows.models is not None:
        yield statement.one_of("model_id", rows.models)
    if rows.clients is not None:
        yield statement.one_of("client_id", rows.clients)
    if rows.outcomes is not None:
        yield statement.one_of("outcome", rows.outcomes)
    if rows.configs is not None:
        yield f"config_id IN (SELECT id FROM {CONFIG} WHERE {statement.one_of('number', rows.configs)})"  # noqa: S608


def _number(statement: Statement, column: str, starts: Sequence[Any], numbers: Sequence[int]) -> str:
    """The number of the last start that the column reaches, found by halving: ten comparisons among a thousand."""
    if len(starts) == 1:
        return str(numbers[0])
    middle = len(starts) // 2
    border = statement.bind(starts[middle])
    low = _number(statement, column, starts[:middle], numbers[:middle])
    high = _number(statement, column, starts[middle:], numbers[middle:])
    return f"CASE WHEN {column} < {border} THEN {low} ELSE {high} END"


def _sum(what: str) -> str:
    return f"CAST(SUM({what}) AS SIGNED INTEGER)"


def _failed(calls: str) -> str:
    outcomes = ", ".join(f"'{outcome}'" for outcome in FAILED)
    return _sum(f"CASE WHEN outcome IN ({outcomes}) THEN {calls} ELSE 0 END")


def _stored(value: Any) -> Any:
    """As both databases store it."""
    match value:
        case datetime():
            return connection.ops.adapt_datetimefield_value(value.astimezone(UTC))
        case date():
            return connection.ops.adapt_datefield_value(value)
        case _:
            return value
