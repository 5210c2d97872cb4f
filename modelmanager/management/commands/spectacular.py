"""`manage.py spectacular`, whose output is committed."""

from typing import Any

from django.core.management.base import no_translations
from drf_spectacular.management.commands import spectacular


class Command(spectacular.Command):
    """Writes English, whatever the installation speaks: labels and descriptions would follow it otherwise."""

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
