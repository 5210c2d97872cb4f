"""Is this installation ready to do its work: its database, its worker, its servers."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from models_registry.models import Provider
from monitoring import duties
from monitoring.readiness import checks
from tests.monitoring.world import World


def test_all_is_well(world: World):
    duties.show_life("worker")
    world.look()
    assert checks() == {"database": "ok", "migrations": "ok", "worker": "ok", "sync": "ok", "checks": "ok"}


def test_no_worker_was_ever_seen(world: World):
    assert checks()["worker"].startswith("no worker has been seen")


def test_a_worker_that_fell_silent(world: World):
    duties.show_life("worker")
    world.advance(59)
    assert checks()["worker"] == "ok"
    world.advance(31)
    assert checks()["worker"] == "last seen 90 s ago"


def age(world: World, minutes: int) -> None:
    Provider.objects.update(created_at=world.at(0) - timedelta(minutes=minutes))


def test_a_server_that_nobody_has_asked_for_five_minutes(world: World):
    age(world, 10)
    assert checks()["sync"] == "not checked for five minutes: gpu"
    world.look()
    assert checks()["sync"] == "ok"
    world.advance(301)
    assert checks()["sync"].endswith("gpu")


def test_one_that_does_not_answer_was_asked(world: World):
    age(world, 10)
    world.fake.down = True
    world.look()
    assert checks()["sync"] == "ok"


def test_a_new_one_and_a_disabled_one_are_not_late(world: World):
    assert checks()["sync"] == "ok"
    age(world, 10)
    Provider.objects.update(enabled=False)
    assert checks()["sync"] == "ok"


def test_a_database_that_is_away(world: World, monkeypatch: pytest.MonkeyPatch):
    def away(*_args: object) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "ensure_connection", away)
        assert checks() == {"database": "does not answer"}


class TestApiProviders:
    @pytest.fixture
    def late(self, world: World) -> World:
        long_ago = world.at(-3600)
        world.look()
        made = Provider.objects.create(name="openai", kind="openai", base_url="https://api.openai.com/v1")
        Provider.objects.filter(pk=made.pk).update(created_at=long_ago)
        return world

    def test_one_that_was_never_checked_is_late(self, late: World):
        assert checks()["checks"] == "not checked for 11 minutes: openai"
        assert checks()["sync"] == "ok"

    def test_one_whose_schedule_is_kept_is_not(self, late: World):
        Provider.objects.filter(name="openai").update(checked_at=late.at(-600))
        assert checks()["checks"] == "ok"
        late.advance(61)
        assert checks()["checks"].endswith("openai")

    def test_one_that_asked_us_to_wait_is_not(self, late: World):
        Provider.objects.filter(name="openai").update(checked_at=late.at(-3000), check_after=late.at(60))
        assert checks()["checks"] == "ok"

    def test_a_disabled_one_is_not(self, late: World):
        Provider.objects.filter(name="openai").update(enabled=False)
        assert checks()["checks"] == "ok"
