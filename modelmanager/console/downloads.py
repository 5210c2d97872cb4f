"""Answers that are files to keep: CSV and XLSX."""

from collections.abc import Sequence

from django.http import HttpResponse

from modelmanager.lib.sheets import CSV_TYPE, XLSX_TYPE, Sheet, as_csv, as_workbook


def csv_file(sheet: Sheet, name: str) -> HttpResponse:
    """One table; `name` without its suffix."""
    return _download(as_csv(sheet), CSV_TYPE, f"{name}.csv")


def workbook_file(sheets: Sequence[Sheet], name: str) -> HttpResponse:
    """Several tables, a sheet for each."""
    return _download(as_workbook(sheets), XLSX_TYPE, f"{name}.xlsx")


def _download(content: bytes, content_type: str, name: str) -> HttpResponse:
    told = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=content_type, headers=told)
