"""The application's clock; the database's is never asked."""

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """The time, aware, in UTC."""
    return timezone.now()
