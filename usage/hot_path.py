"""The statements of acquire and release, in plain SQL or built once: they run at every use of a model.

Order of rows: model first, then lease, as everywhere; a lease closed before its model deadlocks on
MariaDB. Assignments read left to right there: a column that is read is set last.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from modelmanager.lib.prepared import Prepared
from models_registry.models import RegisteredModel
from models_registry.vocabulary import Policy
from usage.models import CloseReason, Lease

# Secrets, and what takes long to read and is not needed at the moment of use; it is read when asked for.
MODEL_DEFERS = ["description", "tags", "input_price", "output_price", "created_at", "updated_at"]
PROVIDER_DEFERS = ["api_key", "api_key_2", "ca_certificates", "wake_at", "created_at", "updated_at"]
CLIENT_DEFERS = ["description", "created_at", "updated_at"]
OTHER_DEFERS = ["config__created_at", "loaded_config__created_at", "window__created_at", "window__updated_at"]


def _of(relation: str, fields: list[str]) -> list[str]:
    return [f"{relation}__{field}" for field in fields]


def model_query() -> Any:
    """A living model by its name, with all that answering needs."""
    rows = RegisteredModel.objects.select_related("provider", "config", "loaded_config", "window")
    return rows.defer(*MODEL_DEFERS, *_of("provider", PROVIDER_DEFERS), *OTHER_DEFERS).filter(live_name="").order_by()


def lease_query() -> Any:
    """A lease by its id, with all that answering needs."""
    defers = [*_of("model", MODEL_DEFERS), *_of("model__provider", PROVIDER_DEFERS), *_of("client", CLIENT_DEFERS)]
    return Lease.objects.select_related("model__provider", "client", "config").defer(*defers).filter(pk=0).order_by()


find_model = Prepared(model_query).first
find_lease = Prepared(lease_query).first

MODEL = RegisteredModel._meta.db_table
LEASE = Lease._meta.db_table

COUNT_UP = f"""
    UPDATE {MODEL} SET open_leases = open_leases + 1, recovered_at = NULL, last_used_at = %s
    WHERE id = %s AND observed = 'ready' AND wanted = %s AND error_code = ''
      AND drain_until IS NULL AND deleted_at IS NULL AND COALESCE(loaded_config_id, config_id, 0) = %s
"""  # noqa: S608  table names are ours
INSERT = f"""
    INSERT INTO {LEASE}
      (model_id, client_id, config_id, instance, ttl_s, granted_at, expires_at, verified_at, verify_ms, key_hint,
       close_reason)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '')
"""  # noqa: S608
COUNT_DOWN = f"""
    UPDATE {MODEL} SET
      demand_until = CASE
        WHEN open_leases = 1 AND wanted AND activation_policy = %s
          AND (demand_until IS NULL OR demand_until < %s) THEN %s
        ELSE demand_until END,
      last_used_at = %s, open_leases = open_leases - 1
    WHERE id = %s AND open_leases > 0
"""  # noqa: S608
CLOSE = f"""
    UPDATE {LEASE} SET closed_at = %s, close_reason = %s WHERE id = %s AND closed_at IS NULL
"""  # noqa: S608
WAITING = f"""
    SELECT 1 FROM {MODEL} WHERE provider_id = %s AND deleted_at IS NULL
      AND (queued_at IS NOT NULL OR drain_until IS NOT NULL) LIMIT 1
"""  # noqa: S608


@dataclass(frozen=True)
class OpenLease:
    """What closing a lease needs to know about it."""

    id: int
    model_id: int
    provider_id: int
    idle_ttl_s: int


def version_of(model: RegisteredModel) -> int:
    """The number of the row of the version that a lease granted now carries; 0 for none."""
    return model.loaded_config_id or model.config_id or 0


def insert_lease(
    model: RegisteredModel,
    *,
    client_id: int,
    instance: str,
    ttl_s: int,
    at: datetime,
    verified_at: datetime,
    verify_ms: float,
    key_hint: str = "",
) -> int | None:
    """Count one more open lease of a leasable model and store it; its id, or None when it is not leasable.

    Nor is it when another version came into force since the model was read: what the lease tells of it is old.
    `key_hint` tells which of the provider's keys goes out with it. One transaction of its own.
    """
    config_id = version_of(model)
    expires_at = at + timedelta(seconds=ttl_s)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(COUNT_UP, _values(at, model.pk, True, config_id))
        if cursor.rowcount != 1:
            return None
        values = (
            model.pk,
            client_id,
            config_id or None,
            instance,
            ttl_s,
            at,
            expires_at,
            verified_at,
            verify_ms,
            key_hint,
        )
        cursor.execute(INSERT, _values(*values))
        return int(cursor.lastrowid)


def close_lease(lease: OpenLease, *, reason: CloseReason, at: datetime) -> bool:
    """Close a lease and count it down; False when it was closed already (nothing is written then)."""
    idle_until = at + timedelta(seconds=lease.idle_ttl_s)
    values = _values(Policy.ON_DEMAND.value, idle_until, idle_until, at, lease.model_id)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(COUNT_DOWN, values)
        cursor.execute(CLOSE, _values(at, reason.value, lease.id))
        if cursor.rowcount == 1:
            return True
        transaction.set_rollback(True)
        return False


def somebody_waits(provider_id: int) -> bool:
    """Whether a model of this server waits for room, or one is loaded that is no longer wanted."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [provider_id])
        return cursor.fetchone() is not None


def _values(*values: Any) -> list[Any]:
    """Times in the form in which each database stores them."""
    adapt = connection.ops.adapt_datetimefield_value
    return [adapt(value) if isinstance(value, datetime) else value for value in values]
