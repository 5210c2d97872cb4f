"""Weekly hours and exceptions as rows that can be typed without any script; empty rows are left out."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.template.loader import render_to_string
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.safestring import SafeString

SPARE_RULES, SPARE_EXCEPTIONS = 2, 1
MOST_ROWS = 300


class RowsWidget(forms.Widget):
    """Rows of inputs named `<field>-<row>-<part>`, with some spare ones behind them."""

    spare = 1

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        rows = [*(value if isinstance(value, list) else []), *({} for _spare in range(self.spare))]
        return {**super().get_context(name, value, attrs), "rows": list(enumerate(rows)), "name": name}

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[dict[str, Any]]:
        return [row for row in self._rows(data, name) if row is not None]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return f"{name}-rows" not in data

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        """From the project's templates, as all other pages."""
        return render_to_string(template_name, context)

    def id_for_label(self, id_: str) -> str:
        return ""

    def _rows(self, data: Mapping[str, Any], name: str) -> Iterator[dict[str, Any] | None]:
        told = str(data.get(f"{name}-rows", "0"))
        for number in range(min(int(told) if told.isdecimal() else 0, MOST_ROWS)):
            yield self.read_row(data, f"{name}-{number}")

    def read_row(self, data: Mapping[str, Any], prefix: str) -> dict[str, Any] | None:
        """What one row says; None when it is empty."""
        raise NotImplementedError


class RulesWidget(RowsWidget):
    """Weekdays to tick, and the times of day."""

    template_name = "console/windows/rules.html"
    spare = SPARE_RULES

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return {**super().get_context(name, value, attrs), "weekdays": list(WEEKDAYS_ABBR.items())}

    def read_row(self, data: Mapping[str, Any], prefix: str) -> dict[str, Any] | None:
        days = [day for day in range(7) if data.get(f"{prefix}-{day}")]
        start, end = (str(data.get(f"{prefix}-{side}", "")).strip() for side in ("start", "end"))
        return {"weekdays": days, "start": start, "end": end} if days or start or end else None


class ExceptionsWidget(RowsWidget):
    """From, to, open or closed, and a note."""

    template_name = "console/windows/exceptions.html"
    spare = SPARE_EXCEPTIONS

    def read_row(self, data: Mapping[str, Any], prefix: str) -> dict[str, Any] | None:
        start, end, note = (str(data.get(f"{prefix}-{part}", "")).strip() for part in ("from", "to", "note"))
        opens = data.get(f"{prefix}-open") == "yes"
        return {"from": start, "to": end, "open": opens, "note": note} if start or end or note else None


class RulesField(forms.Field):
    """A list of weekly rules; the service says what is wrong with them."""

    widget = RulesWidget


class ExceptionsField(forms.Field):
    """A list of exceptions, shown and typed in the window's own time zone."""

    widget = ExceptionsWidget
    zone = ZoneInfo("UTC")

    def prepare_value(self, value: Any) -> Any:
        return [self._shown(dated) for dated in value] if isinstance(value, list) else value

    def _shown(self, dated: dict[str, Any]) -> dict[str, Any]:
        return {**dated, "from": self._local(dated.get("from", "")), "to": self._local(dated.get("to", ""))}

    def _local(self, text: str) -> str:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
        local = moment.astimezone(self.zone) if moment.tzinfo else moment
        return f"{local:%Y-%m-%dT%H:%M}"
