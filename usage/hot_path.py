"""The statements of acquire and release, in plain SQL: they run at every use of a model.

Order of rows: model first, then lease, as everywhere; a lease closed before its model deadlocks on
MariaDB. Assignments read left to right there: a column that is read is set last.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from models_registry.models import RegisteredModel
from models_registry.vocabulary import Policy
from usage.models import CloseReason, Lease

MODEL = RegisteredModel._meta.db_table
LEASE = Lease._meta.db_table

COUNT_UP = f"""
    UPDATE {MODEL} SET open_leases = open_leases + 1, recovered_at = NULL, last_used_at = %s
    WHERE id = %s AND observed = 'ready' AND wanted = %s AND error_code = ''
      AND drain_until IS NULL AND deleted_at IS NULL
"""  # noqa: S608  table names are ours
INSERT = f"""
    INSERT INTO {LEASE}
      (model_id, client_id, config_id, instance, ttl_s, granted_at, expires_at, verified_at, verify_ms, close_reason)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, '')
"""  # noqa: S608
COUNT_DOWN = f"""
    UPDATE {MODEL} SET
      demand_until = CASE WHEN open_leases = 1 AND activation_policy = %s THEN %s ELSE demand_until END,
      last_used_at = %s, open_leases = open_leases - 1
    WHERE id = %s
"""  # noqa: S608
CLOSE = f"""
    UPDATE {LEASE} SET closed_at = %s, close_reason = %s WHERE id = %s AND closed_at IS NULL
"""  # noqa: S608


@dataclass(frozen=True)
class OpenLease:
    """What closing a lease needs to know about it."""

    id: int
    model_id: int
    provider_id: int
    idle_ttl_s: int


def insert_lease(
    model: RegisteredModel,
    *,
    client_id: int,
    instance: str,
    ttl_s: int,
    at: datetime,
    verified_at: datetime,
    verify_ms: float,
) -> int | None:
    """Count one more open lease of a leasable model and store it; its id, or None when it is not leasable."""
    config_id = model.loaded_config_id or model.config_id
    expires_at = at + timedelta(seconds=ttl_s)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(COUNT_UP, _values(at, model.pk, True))
        if cursor.rowcount != 1:
            return None
        values = (model.pk, client_id, config_id, instance, ttl_s, at, expires_at, verified_at, verify_ms)
        cursor.execute(INSERT, _values(*values))
        return int(cursor.lastrowid)


def close_lease(lease: OpenLease, *, reason: CloseReason, at: datetime) -> bool:
    """Close a lease and count it down; False when it was closed already (nothing is written then)."""
    idle_until = at + timedelta(seconds=lease.idle_ttl_s)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(COUNT_DOWN, _values(Policy.ON_DEMAND.value, idle_until, at, lease.model_id))
        cursor.execute(CLOSE, _values(at, reason.value, lease.id))
        if cursor.rowcount == 1:
            return True
        transaction.set_rollback(True)
        return False


def _values(*values: Any) -> list[Any]:
    """Times in the form in which each database stores them."""
    adapt = connection.ops.adapt_datetimefield_value
    return [adapt(value) if isinstance(value, datetime) else value for value in values]
