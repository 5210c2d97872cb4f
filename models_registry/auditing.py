"""Writing the audit trail: one entry a deed, in the transaction that does it, and never a secret's value."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models, transaction

from modelmanager.lib.clock import now
from modelmanager.lib.encrypted_field import EncryptedTextField, Unreadable
from models_registry.models import AuditEntry
from models_registry.vocabulary import AuditAction, AuditKind

logger = logging.getLogger("modelmanager.audit")

KINDS = {"registeredmodel": AuditKind.MODEL}
REASON_LIMIT = 500


def record(
    row: models.Model, action: AuditAction, *, actor: str, changes: dict[str, Any] | None = None, reason: str = ""
) -> None:
    """Note what `actor` did to a row; call it in the transaction that does it."""
    entry = _entry(row, action, actor=actor, changes=changes, reason=reason)
    entry.save(force_insert=True)
    transaction.on_commit(lambda: _log(entry))


def record_created(rows: Iterable[models.Model], *, actor: str) -> None:
    """Note that `actor` created these rows, by one statement; call it in the transaction that does it."""
    entries = [_entry(row, AuditAction.CREATED, actor=actor, changes=first_values(row)) for row in rows]
    AuditEntry.objects.bulk_create(entries)
    transaction.on_commit(lambda: _log(*entries))


def _entry(
    row: models.Model, action: AuditAction, *, actor: str, changes: dict[str, Any] | None = None, reason: str = ""
) -> AuditEntry:
    return AuditEntry(
        at=now(),
        actor=actor[:150],
        action=action,
        kind=kind_of(row),
        object_id=row.pk,
        name=str(row),
        changes=changes or {},
        reason=reason[:REASON_LIMIT],
    )


def _log(*entries: AuditEntry) -> None:
    for entry in entries:
        told = f" ({', '.join(entry.changes)})" if entry.changes else ""
        logger.info("%s %s: %s%s by %s", entry.kind, entry.name, entry.action, told, entry.actor)


def kind_of(row: models.Model | type[models.Model]) -> AuditKind:
    """How the trail calls rows of this table."""
    name = row._meta.model_name or ""
    return KINDS.get(name) or AuditKind(name)


def first_values(row: models.Model) -> dict[str, Any]:
    """What a new row was created with, beside its name and what it would have by itself."""
    names = [field.name for field in row._meta.concrete_fields if field.editable and not field.primary_key]
    return differences(type(row)(), {name: getattr(row, name) for name in names if name != "name"})


def differences(before: models.Model, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What `changes` change about a row as it was before; of secrets only that they do, of our own columns nothing."""
    found = {}
    for name, value in changes.items():
        field: Any = before._meta.get_field(name)
        if field.editable and (difference := _difference(field, getattr(before, name, None), value)):
            found[name] = difference
    return found


def secret_fields(table: type[models.Model]) -> list[str]:
    """Columns whose values are nobody's business."""
    return [field.name for field in table._meta.concrete_fields if isinstance(field, EncryptedTextField)]


def _difference(field: "models.Field[Any, Any]", before: Any, after: Any) -> dict[str, Any]:
    if isinstance(field, EncryptedTextField):
        return _secret_difference(before, after)
    before, after = _plain(before), _plain(after)
    return {} if before == after else {"from": before, "to": after}


def _secret_difference(before: Any, after: Any) -> dict[str, Any]:
    had, has = _is_there(before), _is_there(after)
    if before == after and had == has:
        return {}
    return {"secret": "changed" if had and has else "set" if has else "removed"}


def _is_there(secret: Any) -> bool:
    """One that no key opens reads as empty, and is there all the same."""
    return bool(secret) or isinstance(secret, Unreadable)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, models.Model) else value
