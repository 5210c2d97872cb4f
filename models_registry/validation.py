"""Turning what the database and the fields say into refusals on fields."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.utils.translation import gettext as _

from modelmanager.lib.refusals import EditConflict, Invalid

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
        {"field": _field(row, field, error), "code": error.code or "invalid", "detail": " ".join(error.messages)}
        for field, errors in problem.error_dict.items()
        for error in errors
    ]


def _field(row: models.Model, field: str, error: ValidationError) -> str:
    if field != NON_FIELD_ERRORS:
        return CONSTRAINT_FIELDS.get(field, field)
    text = " ".join(error.messages)
    for constraint in row._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and str(constraint.violation_error_message) == text:
            return CONSTRAINT_FIELDS[constraint.fields[-1]]
    return field


def edit(row: Any, changes: dict[str, Any], *, edition: int | None) -> None:
    """Write a person's `changes` and raise the row's edition.

    With `edition` (what the person saw) a newer row refuses with EditConflict, whose `row` is its
    state now; without, the last writer wins field by field. Call it in a transaction.
    """
    rows = type(row).objects.filter(pk=row.pk)
    if edition is not None:
        rows = rows.filter(edition=edition)
    if not rows.update(**changes, edition=models.F("edition") + 1):
        row.refresh_from_db()
        raise EditConflict(_("Somebody changed this in the meantime: look again, then repeat your change."), row=row)
    row.refresh_from_db()
