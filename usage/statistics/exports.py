"""Statistics as tables: for a file, and for a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from modelmanager.lib.sheets import Sheet
from usage.statistics.report import Row

SUMS = ("calls", "errors", "input_tokens", "output_tokens", "cost")
LATENCIES = ("mean", "p50", "p95", "p99")


def columns(groups: Sequence[str]) -> list[str]:
    """Names of the columns of a report that is grouped so; the API's own, `latency_ms` with a column for each."""
    ids = [f"{group}_id" for group in groups if group in ("model", "client")]
    return ["period", *groups, *SUMS, *(f"latency_ms_{name}" for name in LATENCIES), *ids]


def sheet(rows: Iterable[Row], groups: Sequence[str]) -> Sheet:
    """The report as a table for a file."""
    names = columns(groups)
    return Sheet("usage", names, ([*_flat(row, names)] for row in rows))


def table(rows: Iterable[Row], groups: Sequence[str]) -> str:
    """Columns for a terminal: numbers to the right, the ids left out, since nobody reads them."""
    names = [name for name in columns(groups) if not name.endswith("_id")]
    lines = [names, *(["" if value is None else str(value) for value in _flat(row, names)] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    first_number = 1 + len(groups)
    return "".join(f"{_aligned(line, widths, first_number)}\n" for line in lines)


def _aligned(line: Sequence[str], widths: Sequence[int], first_number: int) -> str:
    cells = [
        text.rjust(width) if column >= first_number else text.ljust(width)
        for column, (text, width) in enumerate(zip(line, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _flat(row: Row, names: Sequence[str]) -> Iterator[Any]:
    """The row's values under these names of columns."""
    for name in names:
        if name.startswith("latency_ms_"):
            yield row["latency_ms"][name.removeprefix("latency_ms_")]
        else:
            yield row[name]
