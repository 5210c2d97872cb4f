"""Which stretch of time a page about use shows, in which steps, and by whose clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import TextChoices
from django.http import QueryDict
from django.utils.timezone import get_default_timezone_name
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from modelmanager.console.windows.form import timezones
from modelmanager.lib.local_time import start_of_day, zone_named
from usage.rules.periods import Interval

DAY = timedelta(days=1)
# So many days are shown by the hour, or by the day, unless somebody chooses.
BY_HOUR, BY_DAY = 2, 100
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(2199, 12, 30)


class Stretch(TextChoices):
    """What is usually asked for, and days of one's own choice."""

    TODAY = "today", gettext_lazy("Today")
    WEEK = "7d", gettext_lazy("7 days")
    MONTH = "30d", gettext_lazy("30 days")
    QUARTER = "90d", gettext_lazy("90 days")
    THIS_MONTH = "month", gettext_lazy("This month so far")
    LAST_MONTH = "last_month", gettext_lazy("Last month")
    OWN = "own", gettext_lazy("From … to …")


INTERVALS = [
    ("", pgettext_lazy("interval", "Automatic")),
    (Interval.HOUR.value, gettext_lazy("By hour")),
    (Interval.DAY.value, gettext_lazy("By day")),
    (Interval.MONTH.value, gettext_lazy("By month")),
]


def _first_of_month(day: date) -> date:
    return day.replace(day=1)


# The first and the last day, from what day it is.
DAYS: dict[str, Callable[[date], tuple[date, date]]] = {
    Stretch.TODAY: lambda today: (today, today),
    Stretch.WEEK: lambda today: (today - 6 * DAY, today),
    Stretch.MONTH: lambda today: (today - 29 * DAY, today),
    Stretch.QUARTER: lambda today: (today - 89 * DAY, today),
    Stretch.THIS_MONTH: lambda today: (_first_of_month(today), today),
    Stretch.LAST_MONTH: lambda today: (
        _first_of_month(_first_of_month(today) - DAY),
        _first_of_month(today) - DAY,
    ),
}


@dataclass(frozen=True)
class Span:
    """Whole days of a time zone, both included."""

    first: date
    last: date
    interval: Interval
    zone: ZoneInfo

    @property
    def since(self) -> datetime:
        """When the first day begins."""
        return start_of_day(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """When the day after the last begins."""
        return start_of_day(self.last + DAY, self.zone)


def day_field(label: Any) -> forms.DateField:
    """A day that there can be calls of."""
    return forms.DateField(
        label=label,
        required=False,
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )


class SpanForm(forms.Form):
    """The choice, as it stands in the address of a page."""

    period = forms.ChoiceField(label=gettext_lazy("Period"), choices=Stretch, required=False)
    since = day_field(gettext_lazy("From"))
    until = day_field(gettext_lazy("To"))
    interval = forms.ChoiceField(label=gettext_lazy("Steps"), choices=INTERVALS, required=False)
    tz = forms.CharField(
        label=gettext_lazy("Time zone"),
        required=False,
        widget=forms.TextInput({"list": "timezones", "autocomplete": "off", "size": 16}),
    )

    def __init__(self, query: QueryDict, *, usual: Stretch) -> None:
        given = {name: query.get(name, "") for name in self.base_fields}
        given["period"] = given["period"] or (Stretch.OWN if given["since"] or given["until"] else usual)
        given["tz"] = given["tz"] or get_default_timezone_name()
        super().__init__(given)
        for field in self.fields.values():
            field.widget.attrs["class"] = "mm-input"
        for name in ("since", "until"):
            self.fields[name].widget.attrs["data-shown-when"] = f"id_period={Stretch.OWN.value}"

    @property
    def timezones(self) -> list[str]:
        """Names to pick from."""
        return timezones()

    def clean_tz(self) -> ZoneInfo:
        zone = zone_named(self.cleaned_data["tz"])
        if zone is None:
            raise forms.ValidationError(_("There is no such time zone: give a name such as Asia/Seoul."))
        return zone

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if self.cleaned_data.get("period") == Stretch.OWN and not {"since", "until"} & set(self.errors):
            if first is None or last is None:
                self.add_error("since" if first is None else "until", _("Choose a day."))
            elif first > last:
                self.add_error("until", _("Choose a day that is not before the first."))
        return self.cleaned_data

    def span(self, at: datetime) -> Span:
        """What a valid form asks for."""
        chosen = self.cleaned_data
        zone = chosen["tz"]
        if chosen["period"] == Stretch.OWN:
            first, last = chosen["since"], chosen["until"]
        else:
            first, last = DAYS[chosen["period"]](at.astimezone(zone).date())
        interval = Interval(chosen["interval"]) if chosen["interval"] else _usual_interval(first, last)
        return Span(first, last, interval, zone)


def _usual_interval(first: date, last: date) -> Interval:
    days = (last - first).days + 1
    if days <= BY_HOUR:
        return Interval.HOUR
    return Interval.DAY if days <= BY_DAY else Interval.MONTH
