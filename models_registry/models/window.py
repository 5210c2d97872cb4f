"""Windows: when scheduled models are to be on."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from modelmanager.lib.named import Named
from models_registry.opening_hours import Dated, OpeningHours, Rule


class Window(Named):
    """Weekly opening hours in one time zone, with dated exceptions.

    `rules`: `[{"weekdays": [0–6, Monday 0], "start": "17:00", "end": "09:00"}]`; `exceptions`:
    `[{"from": time, "to": time, "open": bool, "note": text}]`, times ISO 8601 in UTC, the last that holds decides.
    """

    timezone = models.CharField(_("time zone"), max_length=60, default="Asia/Seoul")
    rules = models.JSONField(_("weekly hours"), default=list, blank=True)
    exceptions = models.JSONField(_("exceptions"), default=list, blank=True)
    drain_s = models.PositiveIntegerField(
        _("drain time (s)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(86400)],
        help_text=_("How long open leases may go on after the closing. Empty: as the provider says."),
    )

    class Meta(Named.Meta):
        verbose_name = _("window")
        verbose_name_plural = _("windows")
        constraints = [
            models.UniqueConstraint(
                fields=["live_name"],
                name="window_live_name",
                violation_error_message=_("A window of this name exists already."),
            )
        ]

    @property
    def hours(self) -> OpeningHours:
        """The rules and exceptions as values."""
        return OpeningHours(
            ZoneInfo(self.timezone),
            tuple(_rule(stored) for stored in self.rules),
            tuple(_dated(stored) for stored in self.exceptions),
        )


def minutes(clock: str) -> int:
    """Minutes since midnight of "HH:MM"; "24:00" is 1440."""
    hour, _colon, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


def _rule(stored: dict[str, Any]) -> Rule:
    return Rule(frozenset(stored["weekdays"]), minutes(stored["start"]), minutes(stored["end"]))


def _dated(stored: dict[str, Any]) -> Dated:
    start, end = (datetime.fromisoformat(stored[side]).astimezone(UTC) for side in ("from", "to"))
    return Dated(start, end, stored["open"])
