"""Asking a server on this machine whether it is there, without proxies."""

import json
import urllib.error
import urllib.request

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def status_of(url: str, *, timeout_s: float = 2.0) -> tuple[int, str]:
    """HTTP status and (bounded) body of a GET; (0, "") when nobody answers."""
    try:
        with _OPENER.open(url, timeout=timeout_s) as response:
            return response.status, response.read(4096).decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read(4096).decode(errors="replace")
    except (OSError, ValueError):
        return 0, ""


def what_is_down(body: str) -> str:
    """The names of what a `/readyz` answer reports as not ready, for a person."""
    try:
        content = json.loads(body)
    except ValueError:
        return ""
    checks = content.get("checks", content) if isinstance(content, dict) else {}
    if not isinstance(checks, dict):
        return ""
    return ", ".join(
        name for name, state in checks.items() if isinstance(state, str) and name != "status" and state != "ok"
    )
