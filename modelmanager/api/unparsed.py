"""Answers to what the web server cannot read: given before anything of ours is asked, and problems all the same."""

import json
from typing import Any

from gunicorn import util

MEDIA_TYPE = "application/problem+json"
# By what the server makes of it: our code, and our title.
KNOWN = {
    400: ("malformed", "Bad request"),
    403: ("permission_denied", "Permission denied"),
    414: ("uri_too_long", "Address too long"),
    417: ("expectation_failed", "Expectation failed"),
    431: ("headers_too_large", "Headers too large"),
    501: ("not_implemented", "Not implemented"),
}
OURS = ("internal_error", "Internal error")
LOGGED = "Something went wrong here. It has been logged."


def write_problem(sock: Any, status: int, reason: str, detail: str) -> None:
    """Answer as the server's own `write_error` does, but with a problem document (RFC 9457), in English.

    Nothing is known of the request, its language least of all.
    """
    code, title = KNOWN.get(status, OURS)
    told = {"type": f"urn:modelmanager:problem:{code}", "title": title, "status": status, "detail": detail or LOGGED}
    body = json.dumps({**told, "code": code}).encode()
    lines = [
        f"HTTP/1.1 {status} {reason}",
        "Connection: close",
        f"Content-Type: {MEDIA_TYPE}",
        f"Content-Length: {len(body)}",
    ]
    util.write_nonblock(sock, "\r\n".join([*lines, "", ""]).encode("latin-1") + body)
