"""Leases on models of API providers: the last free checks are trusted, and nobody is asked while they are fresh."""

import time
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Refusal
from models_registry.models import Provider
from models_registry.refusals import ProviderUnreachable
from tests.checks.world import ApiWorld
from usage.models import Lease
from usage.refusals import ModelActivating, ModelError, ModelInactive, ModelNotFound

STALE_S = 2 * 300 + 1


@pytest.fixture
def up(api: ApiWorld) -> ApiWorld:
    """One model, ready, and its provider checked just now."""
    api.add("gpt-mini")
    api.bring_up("gpt-mini")
    return api


def refused(api: ApiWorld, kind: type[Refusal], name: str = "gpt-mini") -> Refusal:
    with pytest.raises(Refusal) as raised:
        api.use(name)
    assert type(raised.value) is kind
    assert not Lease.objects.exists()
    return raised.value


class TestWhileTheLastCheckIsFresh:
    def test_it_is_granted_and_nobody_is_asked(self, up: ApiWorld):
        asked = len(up.server.asked)
        checked_at = up.health().checked_at
        up.advance(STALE_S - 1)
        grant = up.use("gpt-mini")
        assert len(up.server.asked) == asked
        assert (grant.verified_at, grant.verify_ms) == (checked_at, 0)
        assert up.status("gpt-mini") == "in_use"

    def test_a_pair_takes_as_many_statements_as_on_a_server(self, up: ApiWorld):
        with CaptureQueriesContext(connection) as queries:
            up.done(up.use("gpt-mini"))
        words = [query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]]
        assert words == ["SELECT", "UPDATE", "INSERT", "SELECT", "UPDATE", "UPDATE", "SELECT"]

    def test_one_failed_check_refuses_nobody(self, up: ApiWorld):
        up.server.feel(500)
        up.run_for(301)
        assert up.health().consecutive_failures == 1
        assert up.use("gpt-mini").lease_id

    def test_nor_does_a_provider_that_limits_us(self, up: ApiWorld):
        up.server.feel(429, Retry_After="7200")
        up.run_for(3600)
        asked = len(up.server.asked)
        assert up.use("gpt-mini").lease_id
        assert len(up.server.asked) == asked


class TestWhenItIsOld:
    @pytest.fixture
    def old(self, up: ApiWorld) -> ApiWorld:
        up.advance(STALE_S)
        return up

    def test_one_free_check_is_made_now_and_recorded(self, old: ApiWorld):
        asked = len(old.server.asked)
        grant = old.use("gpt-mini")
        assert len(old.server.asked) == asked + 1
        assert (grant.verified_at, old.health().checked_at) == (now(), now())
        assert grant.verify_ms > 0
        old.use("gpt-mini")
        assert len(old.server.asked) == asked + 1
        assert old.server.billed == []

    def test_a_silent_provider_refuses_this_request_and_no_model_changes(self, old: ApiWorld, tasks: list[str]):
        old.server.feel(503)
        refusal = refused(old, ProviderUnreachable)
        assert (refusal.code, refusal.extra["outcome"]) == ("provider_unreachable", "provider_down")
        assert old.codes("gpt-mini") == ["switched_on", "ready"]
        assert tasks[-1] == "monitoring.tasks.watch"

    def test_after_three_misses_the_breaker_spares_the_provider(self, old: ApiWorld):
        old.server.feel(503)
        asked = len(old.server.asked)
        for _try in range(8):
            Provider.objects.update(checked_at=old.at(-STALE_S))
            old.put("gpt-mini", error_code="", observed="ready")
            refused(old, ProviderUnreachable)
        assert len(old.server.asked) - asked in (3, 4)  # one caller may try it again every two seconds

    @pytest.mark.slow
    def test_one_that_hangs_costs_two_seconds_at_most(self, old: ApiWorld):
        old.server.hang(4)
        started = time.perf_counter()
        refused(old, ProviderUnreachable)
        assert time.perf_counter() - started < 3

    def test_a_key_that_is_refused_now_is_told(self, old: ApiWorld):
        old.server.keys = set()
        refusal = refused(old, ModelError)
        assert refusal.extra == {"cause": "credential_invalid"}

    def test_a_model_that_is_only_missing_from_the_list_is_not_lost(self, old: ApiWorld):
        old.server.models = []
        assert old.use("gpt-mini").lease_id
        assert len(old.server.asked) == 2

    def test_an_alias_that_nobody_has_heard_of_yet_is_looked_up(self, api: ApiWorld):
        api.server.aliases = ["latest"]
        api.add("latest")
        api.advance(1)
        api.switch_on("latest")
        assert api.use("latest").lease_id
        assert api.server.billed == []

    def test_a_provider_that_was_edited_is_checked_first(self, up: ApiWorld):
        Provider.objects.update(checked_at=None)
        asked = len(up.server.asked)
        assert up.use("gpt-mini").lease_id
        assert len(up.server.asked) == asked + 1


# Each makes the lease fail for one reason; earlier ones outrank later ones.


def gone(api: ApiWorld) -> None:
    api.put("gpt-mini", deleted_at=now())


def switched_off(api: ApiWorld) -> None:
    api.put("gpt-mini", switch_state="off", wanted=False)


def disabled(api: ApiWorld) -> None:
    Provider.objects.update(enabled=False)


def unreachable(api: ApiWorld) -> None:
    api.put("gpt-mini", observed="unknown", error_code="provider_unreachable", error_message="HTTP 500")


def wrong_key(api: ApiWorld) -> None:
    if not api.error("gpt-mini"):
        api.put("gpt-mini", observed="unknown", error_code="credential_invalid", error_message="HTTP 401")


def not_checked_yet(api: ApiWorld) -> None:
    api.put("gpt-mini", observed="unknown")


REASONS: list[tuple[Callable[[ApiWorld], None], type[Refusal], int, str]] = [
    (gone, ModelNotFound, 404, "model_not_found"),
    (switched_off, ModelInactive, 409, "model_inactive"),
    (disabled, ProviderUnreachable, 503, "provider_unreachable"),
    (unreachable, ProviderUnreachable, 503, "provider_unreachable"),
    (wrong_key, ModelError, 409, "model_error"),
    (not_checked_yet, ModelActivating, 503, "model_activating"),
]


@pytest.mark.parametrize("first", range(len(REASONS)))
def test_the_first_reason_outranks_all_that_follow(up: ApiWorld, first: int):
    for spoil, *_told in REASONS[first:]:
        spoil(up)
    _spoil, kind, status, code = REASONS[first]
    refusal = refused(up, kind)
    assert (refusal.status, refusal.code) == (status, code)


@pytest.mark.parametrize("code", ["credential_invalid", "not_offered", "activation_timeout"])
def test_an_error_is_told_with_its_cause(up: ApiWorld, code: str):
    up.put("gpt-mini", observed="unknown", error_code=code, error_message="why")
    refusal = refused(up, ModelError)
    assert refusal.extra == {"cause": code}
    assert "why" in refusal.detail


def test_a_model_that_is_not_checked_yet_is_on_its_way(api: ApiWorld):
    api.settle()
    api.add("gpt-mini")
    api.advance(1)
    api.switch_on("gpt-mini")
    assert refused(api, ModelActivating).retry_after_s
    api.settle()
    assert api.use("gpt-mini").lease_id


def test_the_next_lease_takes_note_that_it_recovered(up: ApiWorld):
    up.server.feel(500)
    up.run_for(3600)
    up.server.feel(None)
    up.run_for(3600)
    assert up.status("gpt-mini") == "recovered"
    up.done(up.use("gpt-mini"))
    assert up.status("gpt-mini") == "active"
