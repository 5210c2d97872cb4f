"""Tables as files: CSV, and a workbook for those who open them in a spreadsheet. Pure."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO, StringIO
from typing import Any

import xlsxwriter

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
LONGEST_NAME, FORBIDDEN = 31, str.maketrans("[]:*?/\\'", "        ")


@dataclass(frozen=True)
class Sheet:
    """A table: text, numbers, moments (with the time zone they are to be shown in) and nothing (None)."""

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[Any]]


def csv_text(sheet: Sheet) -> str:
    """Comma-separated values with a line of names.

    Text that a spreadsheet would take for a formula is quoted by an `'`.
    """
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(sheet.header)
    writer.writerows([_inert(value) for value in row] for row in sheet.rows)
    return text.getvalue()


def as_csv(sheet: Sheet) -> bytes:
    """The same in UTF-8, marked as such, since Excel would guess otherwise."""
    return csv_text(sheet).encode("utf-8-sig")


def as_workbook(sheets: Sequence[Sheet]) -> bytes:
    """An XLSX workbook: numbers as numbers, moments as local date and time, text as text and nothing else."""
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"constant_memory": True, "remove_timezone": True}) as book:
        bold, clock = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name.translate(FORBIDDEN)[:LONGEST_NAME].strip())
            page.freeze_panes(1, 0)
            page.set_column(0, len(sheet.header), 16)
            for column, title in enumerate(sheet.header):
                page.write_string(0, column, title, bold)
            for number, row in enumerate(sheet.rows, start=1):
                for column, value in enumerate(row):
                    _write_cell(page, number, column, value, clock)
    return out.getvalue()


def _inert(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _write_cell(page: Any, row: int, column: int, value: Any, at_format: Any = None) -> None:
    """Text as text, whatever it looks like; numbers and moments as such; nothing for None."""
    match value:
        case None:
            return
        case str():
            page.write_string(row, column, value)
        case datetime():
            page.write_datetime(row, column, value, at_format)
        case _:
            page.write_number(row, column, value)
