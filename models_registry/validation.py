"""Writing what people name and edit: what fields and database say becomes refusals, and the audit trail is told."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import EditConflict, Invalid, NameTaken
from modelmanager.lib.retry import retrying_transaction
from models_registry.auditing import differences, first_values, record
from models_registry.vocabulary import AuditAction

# A broken unique constraint belongs on the field that a person typed.
CONSTRAINT_FIELDS = {"live_name": "name", "live_remote": "remote_name", "live_url": "base_url"}


def refuse_invalid(row: models.Model, *extra: tuple[str, str, str], exclude: Iterable[str] = ()) -> None:
    """Raise Invalid with every error of the row's fields and constraints, and `extra` (field, code, detail)."""
    errors = [{"field": field, "code": code, "detail": detail} for field, code, detail in extra]
    try:
        row.full_clean(exclude=set(exclude))
    except ValidationError as problem:
        errors += _as_errors(row, problem)
    if errors:
        raise Invalid(*errors)


def _as_errors(row: models.Model, problem: ValidationError) -> list[dict[str, str]]:
    return [
        {"field": _field(row, field, error), "code": _code(field, error), "detail": " ".join(error.messages)}
        for field, errors in problem.error_dict.items()
        for error in errors
    ]


def _code(field: str, error: ValidationError) -> str:
    return error.code or ("unique" if field == NON_FIELD_ERRORS else "invalid")


def _field(row: models.Model, field: str, error: ValidationError) -> str:
    if field != NON_FIELD_ERRORS:
        return CONSTRAINT_FIELDS.get(field, field)
    text = " ".join(error.messages)
    for constraint in row._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and str(constraint.violation_error_message) == text:
            return CONSTRAINT_FIELDS[constraint.fields[-1]]
    return field


@retrying_transaction
def insert(row: Any, *, actor: str) -> None:
    """Store a new row with its entry in the audit trail. Raises IntegrityError."""
    row.pk = None  # this may be the second try of the transaction
    row.save(force_insert=True)
    record(row, AuditAction.CREATED, actor=actor, changes=first_values(row))


def edit(
    row: Any,
    changes: dict[str, Any],
    *,
    actor: str,
    edition: int | None,
    action: AuditAction = AuditAction.CHANGED,
) -> None:
    """Write a person's `changes` with their entry in the audit trail, and raise the row's edition.

    With `edition` (what the person saw) a newer row refuses with EditConflict, whose `row` is its
    state now; without, the last writer wins field by field. Call it in a transaction.
    """
    rows = type(row).objects.filter(pk=row.pk)
    # Held from here on: what the trail tells of the values before is what this edit replaces.
    before = rows.select_for_update().order_by().first()
    rows = rows if edition is None else rows.filter(edition=edition)
    if not rows.update(**changes, edition=models.F("edition") + 1, updated_at=now()):
        raise edit_conflict(row)
    if changed := differences(before, changes):
        record(row, action, actor=actor, changes=changed)
    row.refresh_from_db()


def bring_back(row: Any, *, actor: str, taken: str, **changes: Any) -> None:
    """Let a deleted row live again, with `changes` and an entry in the audit trail; call it in a transaction.

    Raises NameTaken, which says `taken`, when another row took its place just now.
    """
    try:
        type(row).all_objects.filter(pk=row.pk).update(deleted_at=None, **changes)
    except IntegrityError as error:
        raise NameTaken(taken) from error
    record(row, AuditAction.RESTORED, actor=actor)
    row.refresh_from_db()


def refuse_stale(row: Any, *, edition: int | None) -> None:
    """Raise EditConflict when the row, as it was just read, is not the `edition` that a person saw."""
    if edition is not None and row.edition != edition:
        raise edit_conflict(row)


def edit_conflict(row: Any) -> EditConflict:
    """The refusal for a row that moved on; it carries the row's state now."""
    row.refresh_from_db()
    return EditConflict(_("Somebody changed this in the meantime: look again, then repeat your change."), row=row)
