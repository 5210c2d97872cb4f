"""JSON bodies: objects or lists, bounded, without what databases choke on."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from modelmanager.api.problems import PayloadTooLarge

LARGEST_INTEGER = 2**63 - 1
DEEPEST = 32


class StrictJSONParser(BaseParser):
    """Refuses oversized bodies (413), and broken JSON, NaN, NUL, huge integers and deep nesting (400)."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise PayloadTooLarge(_("The body is too large."))
        try:
            value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError(_("The body is not valid JSON.")) from error
        _refuse_unstorable(value, DEEPEST)
        return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _refuse_unstorable(value: Any, depth: int) -> None:
    match value:
        case dict():
            children: list[Any] = [*value.keys(), *value.values()]
        case list():
            children = value
        case str():
            if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
                raise ParseError(_("Texts must not hold NUL or half characters."))
            return
        case int() | float():
            if abs(value) > LARGEST_INTEGER:
                raise ParseError(_("A number is too large."))
            return
        case _:
            return
    if depth == 0:
        raise ParseError(_("The body is nested too deeply."))
    for child in children:
        _refuse_unstorable(child, depth - 1)
