"""`manage.py usage_report`: a month as a table, CSV or a workbook."""

import csv
import io
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from models_registry.models import Provider
from tests.usage.statistics.arranging import Office


@pytest.fixture
def office(db: None) -> Office:
    """Calls on the first and last moments of Seoul's November, and just outside."""
    office = Office(Provider.objects.create(name="gpu", kind="triton", base_url="http://gpu", server_key="gpu:80/"))
    bge, chat = office.model("bge"), office.model("chat")
    bot = office.client("bot")
    office.call(bge, bot, "2026-10-31T23:59:59+09:00")
    office.call(bge, bot, "2026-11-01T00:00:00+09:00")
    office.call(bge, bot, "2026-11-30T23:59:59+09:00", outcome="error")
    office.call(chat, bot, "2026-11-30T23:59:59+09:00")
    office.call(chat, bot, "2026-12-01T00:00:00+09:00")
    office.keep()
    return office


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("usage_report", "--month", "2026-11", *arguments)
    return capsys.readouterr().out


def test_a_table_has_a_line_for_each_model_and_client(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.split() for line in printed(capsys).splitlines()]
    assert lines[0][:5] == ["period", "model", "client", "calls", "errors"]
    assert [line[:5] for line in lines[1:]] == [
        ["2026-11", "bge", "bot", "2", "1"],
        ["2026-11", "chat", "bot", "1", "0"],
    ]


def test_groups_days_and_zones_are_chosen(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    daily = csv.DictReader(io.StringIO(printed(capsys, "--format", "csv", "--by", "model", "--daily")))
    assert [(row["period"], row["model"], row["calls"]) for row in daily] == [
        ("2026-11-01", "bge", "1"),
        ("2026-11-30", "bge", "1"),
        ("2026-11-30", "chat", "1"),
    ]
    elsewhere = csv.DictReader(io.StringIO(printed(capsys, "--format", "csv", "--by", "", "--tz", "America/New_York")))
    assert [(row["period"], row["calls"]) for row in elsewhere] == [("2026-11", "3")]


def test_a_workbook_is_written_to_a_file(office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "november.xlsx"
    assert printed(capsys, "--format", "xlsx", "--output", str(file)) == f"2 rows in {file}\n"
    with zipfile.ZipFile(file) as book:
        assert book.read("xl/worksheets/sheet1.xml").count(b"<row ") == 3


def test_a_file_that_cannot_be_written_is_one_sentence(office: Office, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--output") as refused:
        call_command("usage_report", "--month", "2026-11", "--output", str(tmp_path))
    assert refused.value.returncode == 2
