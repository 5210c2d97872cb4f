"""Calling the API as a client does, and what every refusal must look like."""

import json
from datetime import datetime
from typing import Any

from django.test import Client as Browser

from usage.models import Client
from usage.services.clients import create_client, issue_key

PROBLEM = "application/problem+json"
MEMBERS = {"type", "title", "status", "detail", "code"}


class Caller:
    """One client key. Paths are below /api/v1/; a body is sent as JSON unless it is bytes or `as_` says otherwise."""

    def __init__(self, key: str = "", *, language: str = "en") -> None:
        self.key = key
        headers = {"Accept-Language": language} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._browser = Browser(headers=headers)

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self._browser.get(f"/api/v1/{path}", query, headers=headers or {})

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self.send("post", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Any:
        return self.send("patch", path, body, **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self.send("delete", path, **options)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        as_: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> Any:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self._browser.generic(method.upper(), f"/api/v1/{path}", data, as_, headers=headers or {})


def a_caller(name: str, *scopes: str, expires_at: datetime | None = None, language: str = "en") -> Caller:
    """A caller with a key of these scopes, of the client of that name (made when there is none)."""
    client = Client.objects.filter(name=name).first() or create_client(name, actor="user:kim")
    return Caller(issue_key(client, scopes=scopes, expires_at=expires_at, actor="user:kim")[0], language=language)


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document of a refusal that must have this status and code."""
    assert response.status_code == status, (response.status_code, response.content)
    assert response["Content-Type"] == PROBLEM
    problem: dict[str, Any] = response.json()
    assert set(problem) >= MEMBERS
    assert (problem["status"], problem["code"]) == (status, code), problem
    assert all(isinstance(problem[member], str) and problem[member] for member in MEMBERS - {"status"})
    if "retry_after_s" in problem:
        assert response["Retry-After"] == str(problem["retry_after_s"])
    return problem


def invalid(response: Any, **fields: str) -> list[dict[str, str]]:
    """The errors of a 400 `invalid`; its fields and their codes must be these (dots in names as double underscores)."""
    errors: list[dict[str, str]] = refused(response, 400, "invalid")["errors"]
    for error in errors:
        assert set(error) == {"field", "code", "detail"}
        assert error["detail"]
    told = {error["field"]: error["code"] for error in errors}
    assert told == {field.replace("__", "."): code for field, code in fields.items()}, errors
    return errors


def done(response: Any, status: int = 200) -> Any:
    """The body of an answer that must have this status."""
    assert response.status_code == status, (response.status_code, response.content)
    if status == 204:
        assert response.content == b""
        return None
    assert response["Content-Type"] == "application/json"
    return response.json()


def is_utc(text: str) -> bool:
    """Whether a time is ISO 8601 in UTC."""
    at = datetime.fromisoformat(text)
    offset = at.utcoffset()
    return offset is not None and not offset
