"""JSON from outside: refused is what two readers would read differently, and what databases choke on."""

import json
import re
from typing import Any, NoReturn

from django.utils.translation import gettext as _

LARGEST_INTEGER = 2**63 - 1
DEEPEST = 32
SURROGATE = re.compile("[\ud800-\udfff]")


class NotStrict(ValueError):
    """A text that is not such JSON; its message says why."""


def loads(text: str, *, deepest: int = DEEPEST) -> Any:
    """The value that the text holds.

    Raises NotStrict for broken JSON, NaN and infinities, a name that an object has twice, NUL and unpaired
    surrogates, numbers beyond 2**63, and more than `deepest` levels.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_each_name_once)
    except NotStrict:
        raise
    except (ValueError, RecursionError) as error:
        raise NotStrict(_("This is not valid JSON: %(why)s") % {"why": _why(error)}) from error
    refuse_unstorable(value, deepest=deepest)
    return value


def refuse_unstorable(value: Any, *, deepest: int = DEEPEST) -> None:
    """Raise NotStrict for a JSON value that not every database stores as it is."""
    match value:
        case dict():
            children: list[Any] = [*value.keys(), *value.values()]
        case list():
            children = value
        case str():
            if "\0" in value or (not value.isascii() and SURROGATE.search(value)):
                raise NotStrict(_("Texts must not hold NUL or unpaired surrogates."))
            return
        case int() | float():
            if not abs(value) <= LARGEST_INTEGER:
                raise NotStrict(_("A number is too large."))
            return
        case _:
            return
    if deepest == 0:
        raise NotStrict(_("The JSON is nested too deeply."))
    for child in children:
        refuse_unstorable(child, deepest=deepest - 1)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotStrict(_("“%(name)s” is there twice in one object.") % {"name": twice[:100]})
    return found


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        place = {"line": error.lineno, "column": error.colno, "why": error.msg}
        return _("line %(line)d, column %(column)d: %(why)s") % place
    return _("nested too deeply") if isinstance(error, RecursionError) else str(error)[:100]
