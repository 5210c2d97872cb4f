"""Numbers as people read them, and the days that a choice stands for."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils import translation

from modelmanager.console import amounts
from modelmanager.console.usage.span import Span, SpanForm, Stretch

NEW_YEAR_IN_SEOUL = datetime(2025, 12, 31, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("millionths", "shown"),
    [(0, "0.0000"), (7, "0.000007"), (10_000, "0.0100"), (1_234_560, "1.2346"), (9_876_543_210_000, "9,876,543.2100")],
)
def test_a_cost_has_four_digits_and_more_where_they_would_tell_nothing(millionths: int, shown: str) -> None:
    assert amounts.cost(millionths) == shown


@pytest.mark.parametrize(
    ("price", "shown"),
    [(None, "–"), (Decimal("0.5"), "0.50"), (Decimal("0.000125"), "0.000125"), (Decimal(1200), "1,200.00")],
)
def test_a_price_is_exact(price: Decimal | None, shown: str) -> None:
    assert amounts.price(price) == shown


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(None, "–"), (0.04, "0.04 ms"), (12.34, "12.3 ms"), (99.96, "100 ms"), (250.4, "250 ms"), (1250.0, "1.25 s")],
)
def test_a_latency_has_the_digits_that_matter(milliseconds: float | None, shown: str) -> None:
    assert amounts.latency(milliseconds) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 0, "–"),
        (0, 9, "0.0 %"),
        (1, 90_000, "< 0.1 %"),
        (1, 8, "12.5 %"),
        (99_999, 100_000, "> 99.9 %"),
        (8, 8, "100 %"),
    ],
)
def test_a_share_says_all_and_nothing_only_where_it_is(part: int, whole: int, shown: str) -> None:
    assert amounts.share(part, whole) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "–"), (0.25, "0.2 s"), (59.9, "59.9 s"), (61, "1 min 1 s"), (3661, "1 h 1 min"), (90_000, "1 d 1 h")],
)
def test_a_span_is_told_by_its_two_largest_units(seconds: float | None, shown: str) -> None:
    with translation.override("en"):
        assert amounts.span(seconds) == shown


def span(query: str, *, at: datetime = NEW_YEAR_IN_SEOUL) -> Span:
    form = SpanForm(QueryDict(query), usual=Stretch.MONTH)
    assert form.is_valid(), form.errors
    return form.span(at)


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", "2025-12-03", "2026-01-01"),
        ("period=today", "2026-01-01", "2026-01-01"),
        ("period=7d", "2025-12-26", "2026-01-01"),
        ("period=month", "2026-01-01", "2026-01-01"),
        ("period=last_month", "2025-12-01", "2025-12-31"),
        ("period=last_month&tz=UTC", "2025-11-01", "2025-11-30"),
        ("since=2025-03-01&until=2025-03-09", "2025-03-01", "2025-03-09"),
    ],
)
def test_a_choice_stands_for_days_of_the_chosen_place(query: str, first: str, last: str) -> None:
    chosen = span(query)
    assert (chosen.first.isoformat(), chosen.last.isoformat()) == (first, last)


@pytest.mark.parametrize(
    ("query", "interval"),
    [
        ("period=today", "hour"),
        ("period=7d", "day"),
        ("period=90d", "day"),
        ("since=2024-01-01&until=2025-01-01", "month"),
    ],
)
def test_steps_fit_the_length_unless_chosen(query: str, interval: str) -> None:
    assert span(query).interval == interval
    assert span(f"{query}&interval=day").interval == "day"


def test_a_day_on_which_the_clocks_change_is_whole() -> None:
    spring = span("since=2026-03-08&until=2026-03-08&tz=America/New_York")
    assert spring.zone == ZoneInfo("America/New_York")
    assert (spring.until - spring.since).total_seconds() == 23 * 3600
