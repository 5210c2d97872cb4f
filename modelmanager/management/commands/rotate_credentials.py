"""`manage.py rotate_credentials`: re-encrypt stored credentials with the first of the installation's keys."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser, no_translations

from modelmanager.lib.rotation import Column, Tally, encrypted_columns, look_through, rotate

TOLD_EVERY = 1000


class Command(BaseCommand):
    """Exit codes: 0 every value is encrypted with the first key, 1 some are not, 2 bad arguments."""

    help = (
        "Re-encrypt every stored credential with the first key of CREDENTIAL_KEYS. May be interrupted at any moment "
        "and started again. Exits with 0 (all done) or 1 (values that no key opens, or with --check need an older key)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only tell which keys are still needed")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        work = look_through if options["check"] else self._rotate
        found = {column: work(column) for column in encrypted_columns()}
        for column, tally in found.items():
            self._tell(column, tally)
        if not self._conclude(list(found.values())):
            raise SystemExit(1)

    def _rotate(self, column: Column) -> Tally:
        total, told = column.values().count(), 0

        def progress(tally: Tally) -> None:
            nonlocal told
            if tally.seen - told >= TOLD_EVERY:
                told = tally.seen
                self.stdout.write(f"{column}: {told} of {total} …")
                self.stdout.flush()

        return rotate(column, after_chunk=progress)

    def _tell(self, column: Column, tally: Tally) -> None:
        self.stdout.write(
            f"{column}: {tally.current + tally.replaced} with the first key ({tally.replaced} re-encrypted now), "
            f"{tally.older} with an older key, {len(tally.lost)} that no key opens"
        )
        for pk, name in tally.lost:
            self.stdout.write(f"  cannot be opened: {name} (id {pk}) – enter its key again")

    def _conclude(self, tallies: list[Tally]) -> bool:
        """Say what follows; whether nothing is left to do."""
        older, lost = sum(tally.older for tally in tallies), sum(len(tally.lost) for tally in tallies)
        if older:
            self.stdout.write("Older keys are still needed: run rotate_credentials before you drop them.")
        elif lost:
            self.stdout.write("Keep every older key you have: a value that none opens may need one that was dropped.")
        elif len(settings.CREDENTIAL_KEYS) > 1:
            self.stdout.write("Only the first key is needed now: the others may be dropped from CREDENTIAL_KEYS.")
        else:
            self.stdout.write("Everything is encrypted with the one key.")
        return not older and not lost
