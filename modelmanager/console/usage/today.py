"""What was used today, in one line for the first page."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from modelmanager.console.usage.overview import may_see
from modelmanager.console.usage.span import DAYS, Span, Stretch
from modelmanager.lib.clock import now
from usage.rules.periods import Interval
from usage.statistics.question import Question
from usage.statistics.report import report


@dataclass(frozen=True)
class Today:
    """Sums of the installation's day so far, cost in millionths.

    `hours` are (label, calls, percent of the calls of the busiest hour).
    """

    calls: int
    errors: int
    cost: int
    hours: list[tuple[str, int, int]]


def today(request: HttpRequest) -> Today | None:
    """What all models were used today, for those who may see it. Three statements."""
    if not may_see(request):
        return None
    zone = ZoneInfo(settings.TIME_ZONE)
    span = Span(*DAYS[Stretch.TODAY](now().astimezone(zone).date()), Interval.HOUR, zone)
    question = Question(span.since, span.until, span.interval, zone)
    rows = {row["period"]: row for row in report(question)}
    most = max((row["calls"] for row in rows.values()), default=1)
    counted = [(str(one.label), rows[one.label]["calls"] if one.label in rows else 0) for one in question.periods()]
    return Today(
        calls=sum(row["calls"] for row in rows.values()),
        errors=sum(row["errors"] for row in rows.values()),
        cost=sum(row["cost"] for row in rows.values()),
        hours=[(label[11:16], calls, round(100 * calls / most)) for label, calls in counted],
    )


def today_fragment(request: HttpRequest) -> HttpResponse:
    """The line alone, for renewing itself."""
    return render(request, "console/usage/today.html", {"today": today(request)})
