"""`manage.py partition_usage`: a partition for each month of usage records, on MySQL and MariaDB."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from usage.refusals import NoPartitions
from usage.services.partitioning import partition_records, partitions


class Command(BaseCommand):
    """Exit codes: 0 done, 2 the database knows no partitions."""

    help = (
        "Gives each month of usage records a partition (MySQL and MariaDB). The first time copies the table; nothing "
        "can be reported meanwhile. From then on the worker adds the coming months, and old ones are dropped whole."
    )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            added = partition_records()
        except NoPartitions as refusal:
            raise CommandError(refusal.detail, returncode=2) from refusal
        names = [name for name, _until in partitions()]
        self.stdout.write(f"{added} partitions were made; there are {len(names)}, from {names[0]} on.")
