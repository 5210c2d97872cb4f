"""ETag and If-Match from a row's edition."""

import re
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.lib.refusals import Invalid

ETAGS = re.compile(r'^(?:W/)?"[^"]*"(?:\s*,\s*(?:W/)?"[^"]*")*$')
ETAG = re.compile(r'"([^"]*)"')
NONE_OF_OURS = -1


def expected_edition(request: Request, row: Any) -> int | None:
    """The edition of `row` that the caller saw, from If-Match; None without one or for `*`.

    Of several the current one counts; a tag that no edition has is one that nobody can have now. Raises Invalid.
    """
    header = request.headers.get("If-Match", "").strip()
    if header in ("", "*"):
        return None
    if not ETAGS.match(header):
        raise Invalid.of("If-Match", _("Send back the ETag of the row as it was read."))
    return row.edition if str(row.edition) in ETAG.findall(header) else NONE_OF_OURS


def etag(row: Any) -> str:
    """The entity tag of the row's edition."""
    return f'"{row.edition}"'


def with_etag(row: Any, body: Any, status: int = 200) -> Response:
    """A response that carries the row's edition as its ETag."""
    return Response(body, status=status, headers={"ETag": etag(row)})
