"""Renewing a lease: from now on, by what was granted or is asked, and never past what bounds it."""

from typing import Any

import pytest

from models_registry.services.switching import deactivate
from tests.monitoring.world import World
from tests.usage.lease_rows import counted, lease_of, stored
from usage.refusals import LeaseClosed
from usage.services.leases import renew

ACTOR = "user:kim"


def test_renewing_extends_from_now_by_what_was_granted(world: World, chat: str) -> None:
    grant = world.use(chat, ttl_s=60)
    world.advance(50)
    assert renew(lease_of(grant)).expires_at == stored(grant).expires_at == world.at(60)


def test_renewing_may_ask_for_another_time_which_then_holds(world: World, chat: str) -> None:
    grant = world.use(chat, ttl_s=60)
    renew(lease_of(grant), ttl_s=300)
    assert (stored(grant).expires_at, stored(grant).ttl_s) == (world.at(300), 300)
    world.advance(100)
    assert renew(lease_of(grant)).expires_at == world.at(300)


def test_renewing_may_shorten(world: World, chat: str) -> None:
    grant = world.use(chat, ttl_s=600)
    assert renew(lease_of(grant), ttl_s=5).expires_at == world.at(5)


def test_renewing_never_passes_the_drain_deadline(world: World, chat: str) -> None:
    grant = world.use(chat, ttl_s=30)
    deactivate(world.model(chat), actor=ACTOR)
    assert renew(lease_of(grant), ttl_s=3600).expires_at == world.at(world.provider.drain_s)


def test_renewing_never_passes_a_drain_deadline_set_while_it_renews(
    world: World, chat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = world.use(chat, ttl_s=30)
    read_before = lease_of(grant)
    deactivate(world.model(chat), actor=ACTOR)
    renew(read_before, ttl_s=3600)
    world.run_for(world.provider.drain_s + 3)
    assert (stored(grant).close_reason, counted(world, chat), world.resident()) == ("revoked", 0, [])


def test_renewing_never_passes_the_longest_life(world: World, chat: str, settings: Any) -> None:
    settings.MAX_LEASE_LIFE_S = 100
    grant = world.use(chat, ttl_s=60)
    world.advance(50)
    assert renew(lease_of(grant), ttl_s=60).expires_at == world.at(50)
    world.advance(49)
    assert renew(lease_of(grant), ttl_s=60).expires_at == world.at(1)
    world.advance(1)
    with pytest.raises(LeaseClosed):
        renew(lease_of(grant), ttl_s=60)


@pytest.mark.parametrize("seconds", [60, 61, 6000])
def test_a_lease_that_has_run_out_is_not_renewed_though_nobody_closed_it(world: World, chat: str, seconds: int) -> None:
    grant = world.use(chat, ttl_s=60)
    world.advance(seconds)
    with pytest.raises(LeaseClosed):
        renew(lease_of(grant))
    assert stored(grant).expires_at == grant.expires_at


def test_a_closed_lease_is_not_renewed(world: World, chat: str) -> None:
    grant = world.use(chat)
    world.done(grant)
    with pytest.raises(LeaseClosed):
        renew(lease_of(grant))


def test_a_lease_closed_while_it_was_read_is_not_renewed(world: World, chat: str) -> None:
    grant = world.use(chat)
    read_before = lease_of(grant)
    world.done(grant)
    with pytest.raises(LeaseClosed):
        renew(read_before)
    assert stored(grant).close_reason == "released"
