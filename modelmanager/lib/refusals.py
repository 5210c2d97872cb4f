"""Refusals: what a service raises when it will not do what was asked."""

from typing import Any

from django.utils.translation import gettext as _


class Refusal(Exception):
    """A typed "no": `code` is stable, `detail` says what happened and what to do next.

    `status` is the HTTP status the API answers with; `extra` are further members of its answer.
    """

    code = "refused"
    status = 409

    def __init__(self, detail: str, *, retry_after_s: int | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.extra = extra


class NotFound(Refusal):
    """Nothing of that name or id that this caller may see."""

    code = "not_found"
    status = 404


class Invalid(Refusal):
    """Input that breaks a rule; `errors` is a list of {field, code, detail}."""

    code = "invalid"
    status = 400

    def __init__(self, *errors: dict[str, str]) -> None:
        super().__init__(_("Some values are not valid."), errors=list(errors))

    @classmethod
    def of(cls, field: str, detail: str, *, code: str = "invalid") -> "Invalid":
        """One error on one field."""
        return cls({"field": field, "code": code, "detail": detail})


class EditConflict(Refusal):
    """Somebody else changed the row since it was read; `current` is its state now."""

    code = "edit_conflict"


class NameTaken(Refusal):
    """A living row has that name already."""

    code = "name_taken"
