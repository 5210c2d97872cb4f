"""What somebody wants to know about use."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from modelmanager.lib.refusals import Invalid
from usage.rules.periods import Interval, Period, periods

GROUPS = ("model", "client", "config", "outcome")
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
MOST_PERIODS = 2_500  # a hundred days of hours


@dataclass(frozen=True)
class Question:
    """`[since, until)` by interval of a zone, and by `group_by` of GROUPS; of the rows that the filters name.

    An empty filter names all. Configuration versions are numbered per model, so `config` groups by model, too.
    """

    since: datetime
    until: datetime
    interval: Interval
    zone: ZoneInfo
    group_by: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    model_id: int | None = None
    client_id: int | None = None
    clients: tuple[str, ...] = ()
    configs: tuple[int, ...] = ()
    outcomes: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """What is grouped by, in the order of GROUPS."""
        wished = {*self.group_by, *(["model"] if "config" in self.group_by else [])}
        return tuple(group for group in GROUPS if group in wished)

    def periods(self) -> list[Period]:
        """The periods of the range. Raises Invalid when there are none, or too many."""
        for field, at in (("from", self.since), ("to", self.until)):
            if not EARLIEST <= at <= LATEST:
                raise Invalid.of(field, _("Give a time from 1970 to 2199."))
        if self.since >= self.until:
            raise Invalid.of("from", _("Give a time before the end of the range."))
        found = list(islice(periods(self.since, self.until, self.interval, self.zone), MOST_PERIODS + 1))
        if len(found) > MOST_PERIODS:
            detail = _("That is more than %(n)d periods: choose a shorter range or a longer interval.")
            raise Invalid.of("interval", detail % {"n": MOST_PERIODS})
        return found


def last_days(until: datetime, days: int = 30) -> datetime:
    """Where a range begins that nobody gave a beginning."""
    length = timedelta(days=days)
    return max(until, EARLIEST + length) - length
