"""What lists understand in their query string: filters, search and ordering, refused when unknown."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request

from modelmanager.lib.refusals import Invalid


def ordered(rows: QuerySet[Any], request: Request, *, keys: Mapping[str, str], default: str) -> QuerySet[Any]:
    """Rows by `?ordering=` (a key, `-` for descending), ties by id in the same direction."""
    wished = request.query_params.get("ordering") or default
    name = wished.removeprefix("-")
    if name not in keys:
        raise Invalid.of("ordering", _("Choose from %(keys)s.") % {"keys": ", ".join(keys)}, code="invalid_choice")
    sign = "-" if wished.startswith("-") else ""
    return rows.order_by(f"{sign}{keys[name]}", f"{sign}id")


def searched(rows: QuerySet[Any], request: Request, *fields: str) -> QuerySet[Any]:
    """Rows in which one of the fields contains `?search=`, whatever the case."""
    text = parameter(request, "search")
    if not text:
        return rows
    found = Q()
    for field in fields:
        found |= Q(**{f"{field}__icontains": text})
    return rows.filter(found)


def parameter(request: Request, name: str) -> str:
    """One query parameter, or ""; raises Invalid for what no stored text can hold."""
    value = request.query_params.get(name, "")
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
