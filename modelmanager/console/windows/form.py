"""Creating and editing a window."""

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from modelmanager.console.editing import ServiceForm
from modelmanager.console.windows.fields import ExceptionsField, RulesField
from models_registry.models import Window
from models_registry.services import windows


class WindowForm(ServiceForm):
    """What people say about a window."""

    rules = RulesField(
        label=_("Weekly hours"),
        required=False,
        help_text=_("An end before the start is on the next day; 24:00 ends the day itself. Empty rows are left out."),
    )
    exceptions = ExceptionsField(
        label=_("Exceptions"),
        required=False,
        help_text=_("Open or closed from one time to another, whatever the hours say; the last that holds decides."),
    )

    class Meta:
        model = Window
        fields = ["name", "timezone", "rules", "exceptions", "drain_s"]

    def prepare(self) -> None:
        if "timezone" in self.fields:
            self.fields["timezone"].widget.attrs |= {"list": "timezones", "autocomplete": "off"}
        exceptions = self.fields.get("exceptions")
        if isinstance(exceptions, ExceptionsField):
            exceptions.zone = ZoneInfo(self.instance.timezone)

    def create(self, values: dict[str, Any]) -> Window:
        return windows.create_window(actor=self.actor, **values)

    def update(self, row: Window, changes: dict[str, Any], edition: int | None) -> Window:
        return windows.update_window(row, changes, actor=self.actor, edition=edition)


class UntilForm(forms.Form):
    """Until when the hours do not count, and why."""

    until = forms.DateTimeField(label=_("Until"), widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}))
    note = forms.CharField(label=_("Note"), required=False, max_length=200, widget=UnfoldAdminTextInputWidget)


def timezones() -> list[str]:
    """Names to pick from, by name."""
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")
