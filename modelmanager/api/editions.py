"""ETag and If-Match from a row's edition."""

import re
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.lib.refusals import Invalid

ETAG = re.compile(r'^(?:W/)?"(\d{1,9})"$')


def expected_edition(request: Request) -> int | None:
    """The edition that the caller saw, from If-Match; None without one or for `*`. Raises Invalid."""
    header = request.headers.get("If-Match", "").strip()
    if header in ("", "*"):
        return None
    match = ETAG.match(header)
    if match is None:
        raise Invalid.of("If-Match", _("Send back the ETag of the row as it was read."))
    return int(match.group(1))


def with_etag(row: Any, body: Any, status: int = 200) -> Response:
    """A response that carries the row's edition as its ETag."""
    return Response(body, status=status, headers={"ETag": f'"{row.edition}"'})
