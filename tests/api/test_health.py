"""`/healthz` and `/readyz`: for the machine, without a key."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client as Browser

from modelmanager.lib.clock import now
from models_registry.models import Provider
from monitoring import readiness
from monitoring.models import Duty
from tests.monitoring.world import World


@pytest.fixture
def at_work(world: World) -> World:
    """A worker was seen just now and the server looked at."""
    Duty.objects.update_or_create(name="worker", defaults={"seen_at": now()})
    world.settle()
    return world


def test_it_is_alive_while_it_serves_whatever_the_database_does() -> None:
    response = Browser().get("/healthz")  # no database fixture: asking one would fail
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_it_is_ready_when_everything_is(at_work: World) -> None:
    response = Browser().get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "checks": {"database": "ok", "migrations": "ok", "worker": "ok", "sync": "ok", "checks": "ok"},
    }


def down() -> set[str]:
    """What /readyz says is down; it must say so with 503."""
    response = Browser().get("/readyz")
    assert response.status_code == 503
    told = response.json()
    assert told["status"] == "down"
    return {name for name, state in told["checks"].items() if state != "ok"}


def test_a_worker_never_seen_or_long_gone_is_named(at_work: World) -> None:
    at_work.advance(61)
    assert down() == {"worker"}
    Duty.objects.filter(name="worker").delete()
    assert down() == {"worker"}


def test_a_server_not_looked_at_is_named(at_work: World) -> None:
    at_work.advance(601)
    Duty.objects.filter(name="worker").update(seen_at=now())
    assert down() == {"sync"}
    Provider.objects.update(enabled=False)
    assert Browser().get("/readyz").status_code == 200


def test_missing_migrations_are_named(at_work: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_is_migrated", lambda: False)
    assert down() == {"migrations"}


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, DatabaseError])
def test_a_silent_database_is_named(at_work: World, monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def silent(_connection: object) -> None:
        raise error("gone")

    with monkeypatch.context() as patch:
        patch.setattr(BaseDatabaseWrapper, "ensure_connection", silent)
        assert down() == {"database"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_it_is_asked_by_get_or_head_only(at_work: World, path: str) -> None:
    browser = Browser(enforce_csrf_checks=True)
    assert browser.head(path).status_code == 200
    assert browser.post(path).status_code == 405


def test_a_provider_younger_than_a_sync_is_not_late(at_work: World) -> None:
    Provider.objects.create(name="new", kind="triton", base_url="http://h", server_key="h:80/")
    assert now() - timedelta(minutes=5) < Provider.objects.get(name="new").created_at
    assert Browser().get("/readyz").status_code == 200
