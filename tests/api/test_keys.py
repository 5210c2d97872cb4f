"""Who may call at all: `Authorization: Bearer <client key>` on everything below /api/v1/."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from time_machine import Traveller

from modelmanager.lib.clock import now
from tests.api.calls import Caller, a_caller, done, refused
from tests.api.endpoints import ENDPOINTS, Endpoint
from tests.monitoring.world import World
from usage import authentication
from usage.models import Client, ClientKey
from usage.services.clients import create_client, delete_client, issue_key, revoke_key


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_every_endpoint_asks_for_a_key(db: None, endpoint: Endpoint) -> None:
    response = Caller().send(endpoint.method, endpoint.path())
    refused(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer nonsense", "Basic dXNlcjpwYXNz", "nonsense", "Bearer \xe9\xff", "Token x y"]
)
def test_a_header_without_a_working_key_is_refused(db: None, header: str) -> None:
    response = Caller().get("models/", headers={"Authorization": header})
    refused(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"


def test_the_scheme_is_read_whatever_its_case(chatbot: Caller) -> None:
    done(Caller().get("models/", headers={"Authorization": f"bearer {chatbot.key}"}))


def test_a_key_works_until_it_expires(db: None, clock: Traveller) -> None:
    caller = a_caller("chatbot", "read", expires_at=now() + timedelta(hours=1))
    done(caller.get("models/"))
    clock.shift(timedelta(hours=1))
    refused(caller.get("models/"), 401, "not_authenticated")


def test_a_revoked_key_is_refused_once_it_is_looked_up_again(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert authentication.REMEMBERED_S <= 5
    key, row = issue_key(create_client("chatbot", actor="user:kim"), scopes=["read"], actor="user:kim")
    done(Caller(key).get("models/"))
    revoke_key(row, actor="user:kim")
    monkeypatch.setattr(authentication, "REMEMBERED_S", 0.0)
    refused(Caller(key).get("models/"), 401, "not_authenticated")


def test_the_keys_of_a_deleted_client_are_refused(db: None) -> None:
    key, _row = issue_key(create_client("chatbot", actor="user:kim"), scopes=["read"], actor="user:kim")
    delete_client(Client.objects.get(), actor="user:kim")
    refused(Caller(key).get("models/"), 401, "not_authenticated")


def test_only_the_digest_of_a_key_is_stored(db: None) -> None:
    key, row = issue_key(create_client("chatbot", actor="user:kim"), scopes=["read"], actor="user:kim")
    stored = ClientKey.objects.filter(pk=row.pk).values().get()
    assert key not in str(stored)
    assert key[8:-4] not in str(stored)


def test_signed_in_staff_reads_and_a_superuser_manages(world: World) -> None:
    world.add("embedder")
    User.objects.create_user("reader", password="x", is_staff=True)
    User.objects.create_superuser("boss", password="x")
    reader, boss = Browser(), Browser()
    reader.force_login(User.objects.get(username="reader"), backend="django.contrib.auth.backends.ModelBackend")
    boss.force_login(User.objects.get(username="boss"), backend="django.contrib.auth.backends.ModelBackend")
    assert reader.get("/api/v1/models/").status_code == 200
    refused(reader.post("/api/v1/models/embedder/activate/", content_type="application/json"), 403, "permission_denied")
    assert boss.post("/api/v1/models/embedder/activate/", content_type="application/json").status_code == 202
    refused(boss.post("/api/v1/leases/", {"model": "embedder"}, "application/json"), 403, "permission_denied")


def test_a_session_that_changes_something_needs_its_csrf_token(world: World) -> None:
    world.add("embedder")
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(
        User.objects.create_superuser("boss", password="x"), backend="django.contrib.auth.backends.ModelBackend"
    )
    refused(
        browser.post("/api/v1/models/embedder/activate/", content_type="application/json"), 403, "permission_denied"
    )


def test_people_who_are_no_staff_are_nobody(db: None) -> None:
    browser = Browser()
    browser.force_login(
        User.objects.create_user("visitor", password="x"), backend="django.contrib.auth.backends.ModelBackend"
    )
    refused(browser.get("/api/v1/models/"), 401, "not_authenticated")
