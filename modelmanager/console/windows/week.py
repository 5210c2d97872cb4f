"""A week of a window as bars: one row a day, open stretches as shares of the day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from models_registry.models import RegisteredModel, Window
from models_registry.opening_hours import OpeningHours

DAYS = 7


@dataclass(frozen=True)
class Bar:
    """One open stretch of a day: where it begins and how long it is, in percent, and its times."""

    left: float
    width: float
    title: str


@dataclass(frozen=True)
class Day:
    """One day of the picture."""

    date: date
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Row:
    """A model with the week of its window."""

    model: RegisteredModel
    days: tuple[Day, ...]


def week(hours: OpeningHours, at: datetime) -> tuple[Day, ...]:
    """Today and the six days after it, in the window's zone."""
    today = at.astimezone(hours.zone).date()
    return tuple(_day(hours, today + timedelta(days=offset)) for offset in range(DAYS))


def weeks_of_models(at: datetime) -> list[Row]:
    """The week of every scheduled model, by name; windows are worked out once each."""
    models = RegisteredModel.objects.filter(window__isnull=False, activation_policy="scheduled")
    shown: dict[int, tuple[Day, ...]] = {}
    rows = []
    for model in models.select_related("window").order_by("name"):
        window: Window = model.window
        if window.pk not in shown:
            shown[window.pk] = week(window.hours, at)
        rows.append(Row(model, shown[window.pk]))
    return rows


def _day(hours: OpeningHours, day: date) -> Day:
    start, end = (_midnight(day + timedelta(days=offset), hours.zone) for offset in (0, 1))
    return Day(day, tuple(_bars(hours, start, end)))


def _bars(hours: OpeningHours, start: datetime, end: datetime) -> Iterator[Bar]:
    length = (end - start).total_seconds()
    for opens, closes in hours.spans(start, end):
        left, width = (opens - start).total_seconds(), (closes - opens).total_seconds()
        clocks = [f"{moment.astimezone(hours.zone):%H:%M}" for moment in (opens, closes)]
        last = "24:00" if closes == end else clocks[1]
        yield Bar(round(100 * left / length, 2), round(100 * width / length, 2), f"{clocks[0]}–{last}")


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
