"""`manage.py prune_usage`: remove usage records after their retention."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from usage.ledger import read_ledger
from usage.services.pruning import AT_A_TIME, prune_usage


class Command(BaseCommand):
    """Exit codes: 0 done, 2 bad arguments."""

    help = "Removes usage records older than USAGE_RETENTION_DAYS; their sums stay. The worker does so every night."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--at-a-time", type=int, default=AT_A_TIME, metavar="N", help="rows in a transaction")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["at_a_time"] <= 20_000:
            raise CommandError("--at-a-time: give a number from 1 to 20000.", returncode=2)
        removed = prune_usage(at_a_time=options["at_a_time"])
        since = read_ledger().pruned_until
        self.stdout.write(f"{removed} records removed: they are kept from {since:%Y-%m-%d %H:%M} UTC on.")
