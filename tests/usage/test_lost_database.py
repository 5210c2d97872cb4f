"""The database is away while somebody asks: a refusal that says so, and no word of where it is."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client as Browser

from usage.services.clients import create_client, issue_key

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_lost_database_is_a_503_problem(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    key, _row = issue_key(create_client("chatbot", actor="user:kim"), scopes=["manage"], actor="user:kim")

    def lost(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError(2002, "Can't connect to server on 'db.internal'")

    monkeypatch.setattr("usage.api.leases.acquire", lost)
    monkeypatch.setattr("usage.api.leases.Lease.objects.select_related", lost)
    answer = getattr(Browser(), method)(
        "/api/v1/leases/",
        {"model": "m"} if method == "post" else None,
        headers={"authorization": f"Bearer {key}"},
        **({"content_type": "application/json"} if method == "post" else {}),
    )
    assert answer.status_code == 503
    assert answer["Content-Type"].startswith("application/problem+json")
    body = answer.json()
    assert body["code"] == "database_unavailable"
    assert answer["Retry-After"] == str(body["retry_after_s"])
    assert "db.internal" not in answer.content.decode()
