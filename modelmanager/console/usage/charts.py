"""Charts of sums of use, for the theme's own Chart.js; the table beside them says the same in words."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from modelmanager.console import amounts
from usage.rules.periods import Interval, Period
from usage.statistics.report import Row

BLUE, RED, AMBER, CYAN, VIOLET, GREEN = "#3b82f6", "#ef4444", "#f59e0b", "#06b6d4", "#8b5cf6", "#10b981"
INK = "#8b95a5"  # legible on white and on the dark ground
MOST_POINTS = 60  # more of them would only blur the line

Series = tuple[str, str, Sequence[Any]]  # its name, colour and values


@dataclass(frozen=True)
class Chart:
    """`kind` is `bar` or `line`; `summary` is read to those who do not see it; `nothing` is shown where all is zero."""

    title: str
    kind: str
    labels: Sequence[str]
    series: Sequence[Series]
    summary: str
    nothing: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to draw, and words to say so."""
        return bool(self.nothing) and not any(value for _name, _colour, values in self.series for value in values)

    @property
    def data(self) -> str:
        """What Chart.js draws."""
        return json.dumps({"labels": self.labels, "datasets": [self._dataset(*one) for one in self.series]})

    def _dataset(self, name: str, colour: str, values: Sequence[Any]) -> dict[str, Any]:
        dataset = {"label": name, "data": values, "backgroundColor": colour}
        if self.kind == "bar":
            return dataset | {"borderRadius": 2, "maxBarThickness": 36}
        radius = 2.5 if len(values) <= MOST_POINTS else 1.2
        return dataset | {"borderColor": colour, "borderWidth": 2, "pointRadius": radius, "tension": 0.25}

    @property
    def options(self) -> str:
        """How Chart.js draws it. The theme colours the grid, in the dark as in the light."""
        stacked = self.kind == "bar"
        ticks = {"color": INK, "font": {"size": 11}}
        key = {"color": INK, "boxWidth": 8, "boxHeight": 8, "usePointStyle": True, "pointStyle": "circle"}
        return json.dumps(
            {
                "animation": False,
                "responsive": True,
                "maintainAspectRatio": False,
                "layout": {"padding": {"right": 8}},
                "interaction": {"mode": "index", "intersect": False},
                "plugins": {"legend": {"display": len(self.series) > 1, "align": "end", "labels": key}},
                "scales": {
                    "x": {
                        "stacked": stacked,
                        "grid": {"display": False},
                        "ticks": ticks | {"maxRotation": 0, "autoSkipPadding": 12},
                    },
                    "y": {
                        "stacked": stacked,
                        "beginAtZero": True,
                        "border": {"display": False},
                        "ticks": ticks | {"maxTicksLimit": 5},
                    },
                },
            }
        )


class Drawn:
    """Rows of statistics along the periods they are of; a period without calls has no row."""

    def __init__(self, periods: Sequence[Period], rows: Sequence[Row], interval: Interval) -> None:
        told = {row["period"]: row for row in rows}
        self.along = [told.get(period.label) for period in periods]
        self.labels = [_short(str(period.label), interval) for period in periods]

    def sums(self, key: str) -> list[Any]:
        """A sum in each period, zero where nothing was called."""
        return [row[key] if row else 0 for row in self.along]

    def latencies(self, key: str) -> list[float | None]:
        """A latency in each period, a gap where nothing was called."""
        return [row["latency_ms"][key] if row else None for row in self.along]

    def calls(self) -> Chart:
        calls, errors = self.sums("calls"), self.sums("errors")
        answered = [all_calls - failed for all_calls, failed in zip(calls, errors, strict=True)]
        told = {"calls": amounts.count(sum(calls)), "errors": amounts.count(sum(errors))}
        summary = _("%(calls)s calls, %(errors)s of them failed.") % told
        return self._chart(_("Calls"), summary, (_("Answered"), BLUE, answered), (_("Errors"), RED, errors))

    def latency(self) -> Chart:
        half, most = self.latencies("p50"), self.latencies("p95")
        highest = max((value for value in most if value is not None), default=None)
        summary = _("Highest p95: %(latency)s.") % {"latency": amounts.latency(highest)}
        return self._chart(_("Latency (ms)"), summary, ("p50", BLUE, half), ("p95", AMBER, most), kind="line")

    def tokens(self) -> Chart:
        into, out = self.sums("input_tokens"), self.sums("output_tokens")
        told = {"input": amounts.count(sum(into)), "output": amounts.count(sum(out))}
        summary = _("%(input)s tokens in, %(output)s out.") % told
        nothing = _("No tokens were reported.")
        return self._chart(_("Tokens"), summary, (_("In"), CYAN, into), (_("Out"), VIOLET, out), nothing=nothing)

    def cost(self) -> Chart:
        costs = self.sums("cost")
        summary = _("%(cost)s altogether.") % {"cost": amounts.cost(sum(costs))}
        nothing = _("Nothing was charged: a model's prices are entered on its page.")
        money = [float(amounts.money(cost)) for cost in costs]
        return self._chart(_("Cost"), summary, (_("Cost"), GREEN, money), nothing=nothing)

    def _chart(self, title: str, summary: str, *series: Series, kind: str = "bar", nothing: str = "") -> Chart:
        return Chart(title, kind, self.labels, series, summary, nothing)


def charts(periods: Sequence[Period], rows: Sequence[Row], interval: Interval) -> list[Chart]:
    """Calls, latency, tokens and cost, period by period."""
    drawn = Drawn(periods, rows, interval)
    return [drawn.calls(), drawn.latency(), drawn.tokens(), drawn.cost()]


def _short(label: str, interval: Interval) -> str:
    """As much of a period's label as fits under a bar."""
    match interval:
        case Interval.HOUR:
            return f"{label[5:10]} {label[11:16]}"
        case Interval.DAY:
            return label[5:]
        case _:
            return label
