"""Planted secrets, in every spelling in which they could come out, and the places where they are looked for."""

import base64
import html
import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, quote_plus

from django.db import connection


def spellings(secret: str) -> set[str]:
    """The secret as text, in HTML, JSON, URLs and base64."""
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    escaped = {html.escape(secret), json.dumps(secret)[1:-1], secret.replace("/", "\\/"), repr(secret)[1:-1]}
    return {secret, encoded, encoded[:-2], quote(secret, safe=""), quote_plus(secret), quote(secret)} | escaped


class Canaries:
    """The secrets of an installation; `found_in` names those that a text gives away."""

    def __init__(self, **secrets: str) -> None:
        self._spellings = {name: spellings(secret) for name, secret in secrets.items()}

    def found_in(self, text: str) -> list[str]:
        return [name for name, ways in self._spellings.items() if any(way in text for way in ways)]

    def refuse(self, what: str, text: str) -> None:
        """Fail when `what`, which must say something, gives a secret away."""
        assert text, f"{what} is empty: nothing was looked at"
        found = self.found_in(text)
        assert not found, f"{what} gives away {', '.join(found)}"


def everything_stored() -> str:
    """Every column of every row of every table."""
    rows = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += [f"{table}: {row}" for row in cursor.fetchall()]
    return "\n".join(rows)


def everything_told_by(error: BaseException) -> str:
    """All that an exception could be printed as: its text, its attributes, its causes, its traceback."""
    told, seen, left = [], set[int](), [error]
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        told += [repr(one), str(one), repr(vars(one)), *traceback.format_exception(one)]
        left += [other for other in (one.__cause__, one.__context__) if other is not None]
    return "\n".join(told)


@contextmanager
def everything_logged() -> Iterator[list[str]]:
    """What an installation with LOG_LEVEL=DEBUG writes, libraries included, as lines."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(formatter.format(record) + f" {record.args!r} {getattr(record, 'request', '')!r}")

    formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    keeper, root = Keep(level=logging.DEBUG), logging.getLogger()
    before = root.level
    root.addHandler(keeper)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(keeper)
        root.setLevel(before)


def as_text(response: Any) -> str:
    """Status, headers, cookies and body of a response."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return f"{response.status_code} {response.headers!r} {response.cookies!r} {body.decode(errors='replace')}"
