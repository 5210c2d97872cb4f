"""Statistics of use as CSV and as a workbook."""

import csv
import io
import zipfile

from tests.api.calls import Caller
from tests.api.statistics import PATH, RANGE, rows
from tests.usage.statistics.arranging import Office
from usage.models import Client


def test_csv_has_a_line_of_names_and_one_for_each_row(office: Office, chatbot: Caller) -> None:
    answer = chatbot.get(PATH, **RANGE, tz="Asia/Seoul", format="csv", group_by="model,client")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="usage_2026-11-18_2026-11-20.csv"'
    found = list(csv.DictReader(io.StringIO(answer.content.decode())))
    told = rows(chatbot, group_by="model,client")
    assert [(row["period"], row["model"], row["client"]) for row in found] == [
        (row["period"], row["model"], row["client"]) for row in told
    ]
    for row, same in zip(found, told, strict=True):
        assert {name: row[name] for name in ("calls", "errors", "cost")} == {
            name: str(same[name]) for name in ("calls", "errors", "cost")
        }
        assert float(row["latency_ms_p95"]) == same["latency_ms"]["p95"]


def test_a_name_that_looks_like_a_formula_is_text(office: Office, chatbot: Caller) -> None:
    office.calls = []
    office.call(office.model("-1.5"), Client.objects.get(name="bot"), "2026-11-18T10:00:00+09:00")
    office.keep()
    answer = chatbot.get(PATH, **RANGE, format="csv", group_by="model", model="-1.5")
    assert [row["model"] for row in csv.DictReader(io.StringIO(answer.content.decode()))] == ["'-1.5"]


def test_a_workbook_holds_the_same_rows(office: Office, chatbot: Caller) -> None:
    answer = chatbot.get(PATH, **RANGE, tz="Asia/Seoul", format="xlsx", group_by="model")
    assert answer["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert answer["Content-Disposition"].endswith('.xlsx"')
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    told = rows(chatbot, group_by="model")
    assert sheet.count("<row ") == 1 + len(told)
    assert all(f"<t>{row['model']}</t>" in sheet for row in told)
    assert f"<v>{told[0]['cost']}</v>" in sheet
