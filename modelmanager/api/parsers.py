"""JSON bodies: objects or lists, bounded, without what databases choke on."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from modelmanager.api.bodies import read_body
from modelmanager.api.problems import PayloadTooLarge
from modelmanager.lib import strict_json


class StrictJSONParser(BaseParser):
    """Refuses oversized bodies (413), and whatever `strict_json` does (400)."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = read_body(stream, at_most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise PayloadTooLarge(_("The body is too large."))
        try:
            return strict_json.loads(body.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise ParseError(_("The body is not valid JSON.")) from error
        except strict_json.NotStrict as error:
            raise ParseError(str(error)) from error
