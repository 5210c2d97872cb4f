"""What a page about use shows: sums of a stretch of time, drawn, in tables, and as files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from modelmanager.console.actions import Text
from modelmanager.console.downloads import csv_file, workbook_file
from modelmanager.console.usage.charts import Chart, charts
from modelmanager.console.usage.span import Span, SpanForm, Stretch
from modelmanager.console.usage.tables import PERIOD, SUMS, Column, Table
from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid
from usage.models import UsageDay
from usage.rules.periods import Interval, Period
from usage.statistics.question import Question
from usage.statistics.report import Row, report

PERIODS_ON_PAGE = 800  # a month of hours
FIELDS = {"from": "since", "to": "until"}  # of a question, as the form calls them


@dataclass(frozen=True)
class Grouping:
    """A table of the whole stretch by one or more groups of the statistics."""

    name: str
    title: Text
    groups: tuple[str, ...]
    columns: tuple[Column, ...]


@dataclass
class Use:
    """The sums of one stretch of time; without any while the form has errors."""

    form: SpanForm
    name: str
    at: datetime
    span: Span | None = None
    total: Row | None = None
    periods: Sequence[Period] = ()
    rows: Sequence[Row] = ()
    tables: list[Table] = field(default_factory=list)
    unreported: Table | None = None
    ever_used: bool = True

    @property
    def charts(self) -> list[Chart]:
        """Drawn when there is something to draw."""
        return charts(self.periods, self.rows, self.span.interval) if self.span and self.rows else []

    @property
    def days_filter(self) -> str:
        """The same days in the address of a list, where the installation's are shown."""
        if self.span is None or self.span.zone.key != settings.TIME_ZONE:
            return ""
        return f"&occurred_at_from={self.span.first}&occurred_at_to={self.span.last}"

    @property
    def all_tables(self) -> list[Table]:
        """What goes into a workbook."""
        return [*self.tables, *([self.unreported] if self.unreported and self.unreported.rows else [])]

    def file(self, request: HttpRequest) -> HttpResponse | None:
        """The file that the address asks for: `?file=xlsx`, or `?file=csv&table=clients`."""
        wish = request.GET.get("file")
        if wish is None or self.span is None:
            return None
        name = f"{self.name}_{self.span.first}_{self.span.last}"
        if wish == "xlsx":
            return workbook_file([table.sheet for table in self.all_tables], name)
        chosen = {table.name: table for table in self.all_tables}.get(request.GET.get("table", ""))
        if wish != "csv" or chosen is None:
            raise Http404
        return csv_file(chosen.sheet, f"{name}_{chosen.name}")


def use(request: HttpRequest, name: str, groupings: Sequence[Grouping], *, usual: Stretch, **narrowed: Any) -> Use:
    """The use that the address asks about; `narrowed` as in a Question. A fixed number of statements."""
    found = Use(SpanForm(request.GET, usual=usual), name, now())
    if not found.form.is_valid():
        return found
    span = found.form.span(found.at)
    try:
        _fill(found, span, groupings, narrowed)
    except Invalid as refusal:
        for error in refusal.extra["errors"]:
            found.form.add_error(FIELDS.get(error["field"], error["field"]), error["detail"])
    return found


def _fill(found: Use, span: Span, groupings: Sequence[Grouping], narrowed: dict[str, Any]) -> None:
    def asked(interval: Interval, groups: tuple[str, ...] = ()) -> Question:
        return Question(span.since, span.until, interval, span.zone, groups, **narrowed)

    by_period = asked(span.interval)
    found.periods, found.rows = by_period.periods(), report(by_period)
    found.total = next(iter(report(asked(Interval.NONE))), None)
    for grouping in groupings:
        rows = _most_first(asked(Interval.NONE, grouping.groups))
        found.tables.append(Table(grouping.name, grouping.title, (*grouping.columns, *SUMS), rows))
    found.tables.append(Table("periods", _("By period"), (PERIOD, *SUMS), found.rows, most=PERIODS_ON_PAGE))
    found.ever_used = bool(found.rows) or UsageDay.objects.filter(**narrowed).exists()
    found.span = span


def _most_first(question: Question) -> list[Row]:
    return sorted(report(question), key=lambda row: row["calls"], reverse=True)
