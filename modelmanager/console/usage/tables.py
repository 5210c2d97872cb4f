"""Sums of use as tables: the same columns on a page and in a file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from modelmanager.console import amounts
from modelmanager.console.actions import Text
from modelmanager.console.badges import badge, call_badge
from modelmanager.lib.sheets import Sheet
from usage.statistics.report import Row

MOST_ON_PAGE = 50


@dataclass(frozen=True)
class Column:
    """`value` goes into a file, `shown` onto a page; a column without it is in files only."""

    title: Text
    value: Callable[[Row], Any]
    shown: Callable[[Row], SafeString | str] | None
    is_number: bool = True


@dataclass(frozen=True)
class Table:
    """Rows of statistics under columns; `name` stands in addresses."""

    name: str
    title: Text
    columns: Sequence[Column]
    rows: Sequence[Row]
    most: int = MOST_ON_PAGE

    @property
    def left_out(self) -> int:
        """How many rows are in the file only."""
        return max(len(self.rows) - self.most, 0)

    @property
    def header(self) -> list[Column]:
        """The columns of the page."""
        return [column for column in self.columns if column.shown is not None]

    @property
    def cells(self) -> Iterator[list[tuple[SafeString | str, bool]]]:
        """What the page shows, row by row, and whether it is a number."""
        for row in self.rows[: self.most]:
            yield [(column.shown(row), column.is_number) for column in self.columns if column.shown is not None]

    @property
    def sheet(self) -> Sheet:
        """The same for a file."""
        rows = ([column.value(row) for column in self.columns] for row in self.rows)
        return Sheet(str(self.title), [str(column.title) for column in self.columns], rows)


def _number(title: Text, key: str) -> Column:
    return Column(title, lambda row: row[key], lambda row: amounts.count(row[key]))


def _latency(title: Text, key: str, *, on_page: bool = True) -> Column:
    shown = (lambda row: amounts.latency(row["latency_ms"][key])) if on_page else None
    return Column(title, lambda row: row["latency_ms"][key], shown)


SUMS = (
    _number(_("Calls"), "calls"),
    _number(_("Errors"), "errors"),
    Column(
        _("Error rate"),
        lambda row: round(row["errors"] / row["calls"], 4),
        lambda row: amounts.share(row["errors"], row["calls"]),
    ),
    _latency(_("Mean latency (ms)"), "mean", on_page=False),
    _latency(_("p50"), "p50"),
    _latency(_("p95"), "p95"),
    _latency(_("p99"), "p99", on_page=False),
    _number(_("Tokens in"), "input_tokens"),
    _number(_("Tokens out"), "output_tokens"),
    Column(_("Cost"), lambda row: amounts.money(row["cost"]), lambda row: amounts.cost(row["cost"])),
)


def _of_row(title: Text, key: str, address: str) -> Column:
    """A model or client: a link to its page about use, marked when it is deleted."""

    def shown(row: Row) -> SafeString:
        url = reverse(address, args=[row[f"{key}_id"], "usage"])
        link = format_html('<a class="mm-link" href="{}">{}</a>', url, row[key])
        return format_html("{} {}", link, badge(_("Deleted"), icon="delete")) if row[f"{key}_deleted"] else link

    return Column(title, lambda row: row[key], shown, is_number=False)


PERIOD = Column(_("Period"), lambda row: row["period"], lambda row: period_text(row["period"]), is_number=False)
MODEL = _of_row(_("Model"), "model", "admin:models_registry_registeredmodel_look")
CLIENT = _of_row(_("Client"), "client", "admin:usage_client_look")
CONFIG = Column(_("Version"), lambda row: row["config"], lambda row: row["config"], is_number=False)
OUTCOME = Column(_("Outcome"), lambda row: row["outcome"], lambda row: call_badge(row["outcome"]), is_number=False)


def period_text(label: str) -> str:
    """A day or month as it is, an hour without its seconds; its offset stays, since autumn has an hour twice."""
    if "T" not in label:
        return label
    day, _t, clock = label.partition("T")
    return f"{day} {clock[:5]} ({clock[8:]})"
