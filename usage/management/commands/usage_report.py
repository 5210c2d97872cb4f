"""`manage.py usage_report --month 2026-11`: a month of use, for people who want a file."""

import re
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from modelmanager.lib.local_time import start_of_day, zone_named
from modelmanager.lib.refusals import Invalid
from modelmanager.lib.sheets import as_workbook, csv_text
from usage.rules.periods import Interval
from usage.statistics import exports
from usage.statistics.question import GROUPS, Question
from usage.statistics.report import report

MONTH = re.compile(r"(\d{4})-(\d{2})")
FORMATS = ("table", "csv", "xlsx")


class Command(BaseCommand):
    """Exit codes: 0 written, 2 bad arguments, or a file that cannot be written."""

    help = "Write what was used in a month: calls, errors, tokens, costs (in millionths) and latencies."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", required=True, help="such as 2026-11")
        parser.add_argument("--format", choices=FORMATS, default="table")
        parser.add_argument("--output", type=Path, metavar="FILE", help="where to write; standard output otherwise")
        parser.add_argument("--by", default="model,client", help=f"of {', '.join(GROUPS)}, with commas between")
        parser.add_argument("--tz", default=settings.TIME_ZONE, help="whose month, such as Asia/Seoul")
        parser.add_argument("--daily", action="store_true", help="one row for each day instead of one for the month")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        output, wished = options["output"], options["format"]
        if wished == "xlsx" and output is None:
            raise CommandError("--format xlsx: name a file with --output.", returncode=2)
        question = _question(options)
        try:
            rows = report(question)
        except Invalid as refusal:
            raise CommandError(refusal.extra["errors"][0]["detail"], returncode=2) from refusal
        content = _content(rows, question.groups, wished)
        try:
            _write(content, output)
        except OSError as error:
            raise CommandError(f"--output: {error}", returncode=2) from error
        if output is not None:
            self.stdout.write(f"{len(rows)} rows in {output}")


def _question(options: dict[str, Any]) -> Question:
    """What the arguments ask for. Raises CommandError."""
    zone = zone_named(options["tz"])
    if zone is None:
        raise CommandError("--tz: give the name of a time zone, such as Asia/Seoul.", returncode=2)
    groups = tuple(group for group in options["by"].split(",") if group)
    if not set(groups) <= set(GROUPS):
        raise CommandError(f"--by: choose from {', '.join(GROUPS)}.", returncode=2)
    since, until = _month(options["month"], zone)
    return Question(since, until, Interval.DAY if options["daily"] else Interval.MONTH, zone, groups)


def _month(text: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    try:
        year, month = map(int, MONTH.fullmatch(text).groups())  # type: ignore[union-attr]
        first = date(year, month, 1)
        after = (first + timedelta(days=31)).replace(day=1)
        return start_of_day(first, zone), start_of_day(after, zone)
    except (AttributeError, ValueError, OverflowError):
        raise CommandError("--month: give a month such as 2026-11.", returncode=2) from None


def _content(rows: list[Any], groups: tuple[str, ...], wished: str) -> bytes:
    match wished:
        case "xlsx":
            return as_workbook([exports.sheet(rows, groups)])
        case "csv":
            return csv_text(exports.sheet(rows, groups)).encode()
        case _:
            return exports.table(rows, groups).encode()


def _write(content: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(content.decode())
    else:
        output.write_bytes(content)
