"""`manage.py rebuild_rollups`: sum usage anew from its records, or only compare."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from modelmanager.lib.local_time import start_of_day
from modelmanager.lib.refusals import Refusal
from usage.ledger import read_ledger
from usage.services import rebuilding
from usage.services.checking import check_rollups
from usage.services.rebuilding import EVER, NEVER


class Command(BaseCommand):
    """Exit codes: 0 done or nothing differs, 1 something differs or cannot be summed, 2 bad arguments."""

    help = (
        "Sums usage by hour and day anew from the records, while more arrive; stopped, start it again. "
        "Brings the days to TIME_ZONE when that was changed. Exits with 0, 1 (something differs), 2 (usage)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="since", metavar="DAY", help="from this day on, such as 2026-11-01")
        parser.add_argument("--to", dest="until", metavar="DAY", help="until before this day")
        parser.add_argument("--check", action="store_true", help="compare only, and change nothing")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        since, until = _time("--from", options["since"], EVER), _time("--to", options["until"], NEVER)
        if since >= until:
            raise CommandError("--to: give a day after that of --from.", returncode=2)
        if options["check"]:
            self._check(since, until)
        else:
            self._rebuild(since, until)

    def _check(self, since: datetime, until: datetime) -> None:
        found = check_rollups(since=since, until=until)
        self.stdout.write(f"{found.differences} differ: {found.detail}" if found.differences else "Nothing differs.")
        if found.differences:
            raise SystemExit(1)

    def _rebuild(self, since: datetime, until: datetime) -> None:
        pruned_until = read_ledger().pruned_until
        if pruned_until is not None and since < pruned_until:
            self.stdout.write(f"Records before {pruned_until:%Y-%m-%d %H:%M} UTC are pruned: their sums stay.")
        hours = self._counted("hours", rebuilding.rebuild_hours(since=since, until=until))
        days = self._counted("days", rebuilding.rebuild_days(since=since, until=until))
        if not read_ledger().has_every_day_of(settings.TIME_ZONE):
            days += self._complete_days()
        rebuilding.note_repaired(since=since, until=until)
        self.stdout.write(f"{hours} hours and {days} days are summed.")

    def _complete_days(self) -> int:
        self.stdout.write(f"Days are brought to {settings.TIME_ZONE}.")
        try:
            return self._counted("days", rebuilding.complete_days())
        except Refusal as refusal:
            raise CommandError(refusal.detail, returncode=1) from refusal

    def _counted(self, what: str, steps: Iterable[date]) -> int:
        number = 0
        for number, step in enumerate(steps, 1):
            if number % 100 == 0:
                self.stdout.write(f"  {number} {what}, at {step}")
        return number


def _time(option: str, text: str | None, otherwise: datetime) -> datetime:
    if text is None:
        return otherwise
    try:
        return start_of_day(date.fromisoformat(text), read_ledger().zone)
    except ValueError as error:
        raise CommandError(f"{option}: give a day, such as 2026-11-01.", returncode=2) from error
