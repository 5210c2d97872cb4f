"""The ledger's row: the lock between those who add usage records and those who prune them or sum them anew.

Whoever adds records holds it beside others who do, whoever prunes or rebuilds holds it alone; both take it before
they touch records or rollups, and after a model or lease where they touch one. So a rebuild sees every record of
what it sums, and no record is added behind the prune. SQLite has one writer at a time anyway.
"""

from django.conf import settings
from django.db import connection

from usage.models import Ledger

ROW = f"SELECT * FROM {Ledger._meta.db_table} WHERE id = {Ledger.ONLY}"  # noqa: S608  ours
LOCKS = {"mysql": {"shared": " LOCK IN SHARE MODE", "alone": " FOR UPDATE"}}


def hold_shared() -> Ledger:
    """Hold the ledger beside others who add records, until the end of the transaction; the ledger as it is."""
    return _ledger("shared")


def hold_alone() -> Ledger:
    """Hold the ledger alone, until the end of the transaction; the ledger as it is."""
    return _ledger("alone")


def read_ledger() -> Ledger:
    """The ledger as it is now, held by nobody."""
    return _ledger("")


def _ledger(lock: str) -> Ledger:
    statement = ROW + LOCKS.get(connection.vendor, {}).get(lock, "")
    return next(iter(Ledger.objects.raw(statement)), None) or _begun(statement)


def _begun(statement: str) -> Ledger:
    """The first use of the ledger: days are those of the installation's time zone."""
    Ledger.objects.get_or_create(pk=Ledger.ONLY, defaults={"day_zone": settings.TIME_ZONE})
    return next(iter(Ledger.objects.raw(statement)))
