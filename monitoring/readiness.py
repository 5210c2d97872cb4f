"""Is this installation ready to do its work? Cheap enough to be asked every second."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q

from modelmanager.lib.clock import now
from models_registry.models import Provider
from models_registry.vocabulary import ProviderKind
from monitoring.models import Duty

WORKER_SEEN_WITHIN = timedelta(seconds=60)
SYNCED_WITHIN = timedelta(minutes=5)
_migrated = False


def checks() -> dict[str, str]:
    """`ok`, or what is wrong, for the database, its migrations, the worker, and the ages of the last sync of each
    Triton server and of the last check of each API provider.
    """
    at = now()
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _is_migrated():
            return {"database": "ok", "migrations": "migrations are missing: run manage.py migrate"}
        return {"database": "ok", "migrations": "ok", "worker": _worker(at), "sync": _sync(at), "checks": _checks(at)}
    except Error:
        return {"database": "does not answer"}


def _is_migrated() -> bool:
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


def _worker(at: datetime) -> str:
    seen_at = Duty.objects.filter(name="worker").values_list("seen_at", flat=True).first()
    if seen_at is None:
        return "no worker has been seen: start manage.py worker"
    age = at - seen_at
    return "ok" if age <= WORKER_SEEN_WITHIN else f"last seen {age.total_seconds():.0f} s ago"


def _sync(at: datetime) -> str:
    """A server is checked at least every two minutes, also one that does not answer."""
    servers = Provider.objects.filter(kind=ProviderKind.TRITON, enabled=True, created_at__lt=at - SYNCED_WITHIN)
    late = servers.exclude(checked_at__gte=at - SYNCED_WITHIN).values_list("name", flat=True)[:10]
    return f"not checked for five minutes: {', '.join(late)}" if late else "ok"


def _checks(at: datetime) -> str:
    """An API provider is checked at its time, unless it asked us to wait."""
    since = at - overdue_after()
    rows = Provider.objects.exclude(kind=ProviderKind.TRITON).filter(enabled=True, created_at__lt=since)
    rows = rows.exclude(Q(checked_at__gte=since) | Q(check_after__gt=at))
    late = rows.values_list("name", flat=True)[:10]
    return f"not checked for {overdue_after().total_seconds() / 60:g} minutes: {', '.join(late)}" if late else "ok"


def overdue_after() -> timedelta:
    """How long after a check of an API provider the next one is missed."""
    return timedelta(seconds=2 * settings.API_CHECK_S + 60)
