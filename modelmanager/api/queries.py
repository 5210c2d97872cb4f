"""What lists understand in their query string: filters, search and ordering, refused when unknown."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from modelmanager.api.fields import UtcDateTimeField
from modelmanager.lib.refusals import Invalid


def ordered(rows: QuerySet[Any], request: Request, *, keys: Mapping[str, str], default: str) -> QuerySet[Any]:
    """Rows by `?ordering=`: keys with commas between, `-` for descending; ties by id as the first key goes.

    Living rows have no ties in a unique column, and MariaDB takes no unique index for an order that goes on.
    """
    wished = [wish.strip() for wish in (request.query_params.get("ordering") or default).split(",")]
    if len(wished) > len(keys) or any(wish.removeprefix("-") not in keys for wish in wished):
        raise Invalid.of("ordering", _("Choose from %(keys)s.") % {"keys": ", ".join(keys)}, code="invalid_choice")
    columns = [f"{_sign(wish)}{keys[wish.removeprefix('-')]}" for wish in wished]
    unique = [constraint.fields for constraint in rows.model._meta.total_unique_constraints]
    if any((column.removeprefix("-"),) in unique for column in columns):
        return rows.order_by(*columns)
    return rows.order_by(*columns, f"{_sign(wished[0])}id")


def _sign(wish: str) -> str:
    return "-" if wish.startswith("-") else ""


def searched(rows: QuerySet[Any], request: Request, *fields: str) -> QuerySet[Any]:
    """Rows in which one of the fields contains `?search=`, whatever the case."""
    text = parameter(request, "search")
    if not text:
        return rows
    # Where texts compare by their bytes (MariaDB), `icontains` minds the case.
    found = Q()
    for field in fields:
        found |= Q(**{f"{field}__icontains": text}) | Q(**{f"lower_{field}__contains": text.lower()})
    return rows.alias(**{f"lower_{field}": Lower(field) for field in fields}).filter(found)


def matching(rows: QuerySet[Any], request: Request, **columns: str) -> QuerySet[Any]:
    """Rows whose columns have the values of the parameters that are given: `model="model__name"`."""
    wished = {column: parameter(request, name) for name, column in columns.items()}
    return rows.filter(**{column: value for column, value in wished.items() if value})


def parameter(request: Request, name: str) -> str:
    """One query parameter, or ""; raises Invalid for what no stored text can hold."""
    return _storable(name, request.query_params.get(name, ""))


def parameters(request: Request, name: str) -> list[str]:
    """The values of a repeatable parameter; raises Invalid for what no stored text can hold."""
    return [_storable(name, value) for value in request.query_params.getlist(name) if value]


def _storable(name: str, value: str) -> str:
    if "\0" in value or len(value) > 200:
        raise Invalid.of(name, _("This is not a value to look for."))
    return value


def choices(request: Request, name: str, allowed: Mapping[str, Any]) -> list[Any]:
    """The values of a repeatable parameter, as what `allowed` maps them to; raises Invalid for others."""
    wished = [value for value in request.query_params.getlist(name) if value]
    for value in wished:
        if value not in allowed:
            detail = _("Choose from %(values)s.") % {"values": ", ".join(allowed)}
            raise Invalid.of(name, detail, code="invalid_choice")
    return [allowed[value] for value in wished]


def truth(request: Request, name: str) -> bool | None:
    """A yes-or-no parameter, None when it is not given."""
    found = choices(request, name, {"true": True, "1": True, "false": False, "0": False})
    return found[-1] if found else None


def moment(request: Request, name: str) -> datetime | None:
    """A parameter that is a time in ISO 8601 with its offset, None when it is not given. Raises Invalid."""
    text = parameter(request, name)
    if not text:
        return None
    try:
        # An offset's plus that nobody escaped arrives as a blank.
        at: datetime = UtcDateTimeField().run_validation(text.replace(" ", "+"))
    except ValidationError as error:
        raise ValidationError({name: error.detail}) from error
    return at
