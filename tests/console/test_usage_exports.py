"""What a page or list about use shows can be taken along: CSV, and a workbook."""

import csv
from io import BytesIO, StringIO
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from django.test import Client as Browser

from modelmanager.lib.clock import now
from modelmanager.lib.sheets import Sheet, as_csv, as_workbook
from tests.console.calls import called, priced
from tests.console.conftest import signed_in, staff
from tests.console.pages import page
from tests.monitoring.world import World

MODEL, RECORDS, LEASES = "models_registry.registeredmodel", "usage.usagerecord", "usage.lease"
NAMES = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def lines(content: bytes) -> list[list[str]]:
    """The cells of a CSV file that is marked as UTF-8."""
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(StringIO(content.decode("utf-8-sig"))))


def sheets(content: bytes) -> dict[str, list[list[str]]]:
    """The cells of a workbook by the names of its sheets, text and numbers as they are stored."""
    with ZipFile(BytesIO(content)) as book:
        names = [sheet.attrib["name"] for sheet in _tree(book, "workbook").iterfind(".//s:sheet", NAMES)]
        pages = [_tree(book, f"worksheets/sheet{number}") for number in range(1, len(names) + 1)]
    rows = [
        [["".join(cell.itertext()) for cell in row] for row in found.iterfind(".//s:row", NAMES)] for found in pages
    ]
    return dict(zip(names, rows, strict=True))


def _tree(book: ZipFile, part: str) -> Any:
    return ElementTree.fromstring(book.read(f"xl/{part}.xml"))  # noqa: S314 - our own file


@pytest.fixture
def used(world: World) -> World:
    world.add("bge")
    priced(world, "bge", "0.5", "1.5")
    called(world, "bge", input_tokens=1_000_000, event_id="=1+1")
    called(world, "bge", outcome="timeout", event_id="plain", latency_us=1500)
    return world


def usage_page(world: World) -> str:
    return page(MODEL, "look", world.model("bge").pk, "usage")


def test_a_table_of_a_page_is_a_file_with_exact_values(browser: Browser, used: World) -> None:
    answer = browser.get(usage_page(used), {"file": "csv", "table": "clients"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="bge_2026-10-26_2026-11-24_clients.csv"'
    header, row = lines(answer.content)
    told = dict(zip(header, row, strict=True))
    assert told | {"Client": "chatbot", "Calls": "2", "Errors": "1", "Error rate": "0.5", "Cost": "0.500000"} == told
    assert float(told["Mean latency (ms)"]) == 125.75


def test_a_page_is_a_workbook_with_a_sheet_for_each_table(browser: Browser, used: World) -> None:
    found = sheets(browser.get(usage_page(used), {"file": "xlsx"}).content)
    assert list(found) == ["By client", "By configuration version", "By period"]
    assert found["By period"][1][:3] == ["2026-11-24", "2", "1"]


def test_the_period_of_the_page_is_that_of_the_file(browser: Browser, used: World) -> None:
    told = browser.get(usage_page(used), {"file": "csv", "table": "periods", "period": "last_month"})
    assert len(lines(told.content)) == 1
    assert "2026-10-01_2026-10-31" in told.headers["Content-Disposition"]


@pytest.mark.parametrize("query", [{"file": "csv"}, {"file": "csv", "table": "secrets"}, {"file": "pdf"}])
def test_another_file_there_is_not(browser: Browser, used: World, query: dict[str, str]) -> None:
    assert browser.get(usage_page(used), query).status_code == 404


def test_a_list_of_calls_is_a_file_as_it_is_filtered(browser: Browser, used: World) -> None:
    header, *rows = lines(browser.get(page(RECORDS, "export", "csv"), {"outcome__exact": "timeout"}).content)
    assert [dict(zip(header, row, strict=True)) for row in rows] == [
        {
            "Occurred at": "2026-11-24T18:00:00.000+09:00",
            "Model": "bge",
            "Client": "chatbot",
            "Outcome": "timeout",
            "Error code": "",
            "Latency (ms)": "1.5",
            "Tokens in": "0",
            "Tokens out": "0",
            "Cost": "0.000000",
            "Configuration": "1",
            "Lease": "",
            "Event id": "plain",
        }
    ]


def test_text_that_a_spreadsheet_would_run_is_only_text(browser: Browser, used: World) -> None:
    _header, *rows = lines(browser.get(page(RECORDS, "export", "csv")).content)
    assert {row[-1] for row in rows} == {"plain", "'=1+1"}
    content = browser.get(page(RECORDS, "export", "xlsx")).content
    assert {row[-1] for row in sheets(content)["usage records"][1:]} == {"plain", "=1+1"}
    with ZipFile(BytesIO(content)) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


def test_leases_are_a_file_too(browser: Browser, used: World) -> None:
    used.make_ready("bge")
    used.use("bge", instance="pod-7")
    header, row = lines(browser.get(page(LEASES, "export", "csv"), {"open": "yes"}).content)
    assert dict(zip(header, row, strict=True))["Instance"] == "pod-7"
    assert lines(browser.get(page(LEASES, "export", "csv"), {"open": "no"}).content) == [header]


def test_a_list_without_end_is_cut(browser: Browser, used: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from modelmanager.console import exporting

    monkeypatch.setitem(exporting.MOST_EXPORTED, "csv", 1)
    assert len(lines(browser.get(page(RECORDS, "export", "csv")).content)) == 2


def test_a_file_needs_the_permission_of_its_list(used: World) -> None:
    nora = signed_in(staff("nora", "view_lease"))
    assert nora.get(page(LEASES, "export", "csv")).status_code == 200
    assert nora.get(page(RECORDS, "export", "csv")).status_code == 403
    assert nora.get(usage_page(used), {"file": "xlsx"}).status_code == 403


def test_another_kind_of_file_there_is_not(browser: Browser, used: World) -> None:
    assert browser.get(page(RECORDS, "export", "pdf")).status_code == 404


def test_a_workbook_takes_any_name_of_a_sheet_and_moments_as_local_time() -> None:
    sheet = Sheet(
        "[a/b]: a name that is much too long for a sheet",
        ["at", "n"],
        [[now().replace(2026, 11, 24, 9, 0, 0, 0), None]],
    )
    ((name, told),) = sheets(as_workbook([sheet])).items()
    assert name == "a b   a name that is much too"
    assert float(told[1][0]) == 46350.375
    assert as_csv(sheet).endswith(b"2026-11-24T09:00:00.000+00:00,\r\n")
