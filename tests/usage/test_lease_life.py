"""How leases begin, end, run out and are taken away; the model's counter always equals its open leases."""

from typing import Any

import pytest
from django.db import DataError, IntegrityError

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import NotFound
from models_registry.models import Provider
from models_registry.services.switching import activate, deactivate
from tests.monitoring.world import World
from tests.usage.lease_rows import counted, lease_of, stored
from usage.models import Client, Lease
from usage.refusals import ModelActivating, ModelError, ModelInactive
from usage.services import leases
from usage.services.acquire import Request, acquire
from usage.services.leases import close_expired, find_lease, release, revoke

ACTOR = "user:kim"


def test_a_lease_is_stored_as_it_was_granted(world: World, chat: str) -> None:
    grant = world.use(chat, ttl_s=90, instance="pod-1")
    row = stored(grant)
    assert (row.client, row.model.name, row.instance, row.ttl_s) == (world.client, chat, "pod-1", 90)
    assert (row.granted_at, row.expires_at, row.verified_at) == (now(), world.at(90), now())
    assert (grant.granted_at, grant.expires_at, grant.verify_ms) == (row.granted_at, row.expires_at, row.verify_ms)
    assert (row.config.number, row.closed_at, row.close_reason) == (1, None, "")
    assert world.model(chat).last_used_at == now()


def test_no_lease_begins_with_more_than_the_longest_life(world: World, chat: str, settings: Any) -> None:
    settings.MAX_LEASE_LIFE_S = 100
    grant = world.use(chat, ttl_s=3600)
    assert (grant.expires_at, grant.ttl_s) == (world.at(100), 100)
    assert (stored(grant).expires_at, stored(grant).ttl_s) == (world.at(100), 100)


def test_a_lease_names_the_configuration_that_is_loaded(world: World, chat: str) -> None:
    model = world.model(chat)
    second = model.configs.create(number=2, values={"a": 1})
    world.put(chat, config=second, loaded_config=model.config)
    assert stored(world.use(chat)).config == model.config


# -- releasing


def test_releasing_closes_it_now_and_again_is_the_same(world: World, chat: str) -> None:
    grant = world.use(chat)
    world.advance(7)
    first = release(lease_of(grant))
    world.advance(7)
    again = release(lease_of(grant))
    assert first.closed_at == again.closed_at == world.at(-7)
    assert (again.close_reason, counted(world, chat)) == ("released", 0)


def test_releasing_what_ran_out_tells_how_it_ended(world: World, chat: str) -> None:
    grant = world.use(chat, ttl_s=5)
    read_before = lease_of(grant)
    world.advance(5)
    close_expired(now())
    assert release(read_before).close_reason == "expired"
    assert counted(world, chat) == 0


def test_releasing_one_of_many_leaves_the_others(world: World, chat: str) -> None:
    grants = [world.use(chat) for _client in range(5)]
    world.done(grants[2])
    assert counted(world, chat) == 4


def test_releasing_wakes_the_server_only_where_somebody_waits(shared_world: World, tasks: list[str]) -> None:
    name = shared_world.add("chat")
    shared_world.make_ready(name)
    first, second = shared_world.use(name), shared_world.use(name)
    shared_world.done(first)
    assert (Provider.objects.get().wake_at, tasks) == (None, [])

    shared_world.put(name, drain_until=shared_world.at(60))
    shared_world.done(second)
    assert (Provider.objects.get().wake_at, tasks) == (now(), ["monitoring.tasks.watch"])


def test_the_last_release_on_demand_wakes_the_server_when_it_is_idle(shared_world: World) -> None:
    name = shared_world.add("chat", activation_policy="on_demand", idle_ttl_s=300)
    shared_world.make_ready(name)
    shared_world.done(shared_world.use(name))
    assert Provider.objects.get().wake_at == shared_world.at(300)


def test_a_release_lets_the_next_model_in_with_no_step_between(world: World, chat: str) -> None:
    other = world.add("rerank")
    grant = world.use(chat)
    activate(world.model(other), actor=ACTOR)
    world.settle()
    assert world.resident() == [chat]
    world.done(grant)
    world.settle()
    assert (world.resident(), world.model(chat).switch_state) == ([other], "auto")


# -- running out


def test_the_timer_closes_what_has_run_out_and_nothing_else(world: World, chat: str) -> None:
    short, exact, long = (world.use(chat, ttl_s=ttl) for ttl in (5, 10, 11))
    world.advance(10)
    assert close_expired(now()) == 2
    assert [stored(g).close_reason for g in (short, exact, long)] == ["expired", "expired", ""]
    assert (close_expired(now()), counted(world, chat)) == (0, 1)


def test_leases_that_ran_out_do_not_block_a_new_one(world: World, chat: str) -> None:
    for _old in range(3):
        world.use(chat, ttl_s=5)
    world.advance(3600)
    assert world.use(chat).lease_id
    assert counted(world, chat) == 4


def test_the_timer_takes_many_in_bounded_portions(world: World, chat: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.services.leases.BATCH", 3)
    for _client in range(7):
        world.use(chat, ttl_s=5)
    world.advance(6)
    assert [close_expired(now()) for _turn in range(4)] == [3, 3, 1, 0]
    assert counted(world, chat) == 0


def test_two_timers_at_once_close_each_lease_once(world: World, chat: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for _client in range(3):
        world.use(chat, ttl_s=5)
    world.advance(6)
    close = leases.close

    def rival_first(lease: Lease, **how: Any) -> bool:
        monkeypatch.setattr(leases, "close", close)
        assert close_expired(now()) == 3
        return close(lease, **how)

    monkeypatch.setattr(leases, "close", rival_first)
    assert close_expired(now()) == 0
    assert counted(world, chat) == 0


# -- taking away


def test_revoking_closes_every_open_lease_of_the_model_only(world: World, chat: str) -> None:
    other = world.add("rerank")
    world.make_ready(other)
    mine, theirs = [world.use(chat), world.use(chat)], world.use(other)
    assert revoke(world.model(chat), at=now()) == 2
    assert [stored(g).close_reason for g in mine] == ["revoked"] * 2
    assert stored(theirs).closed_at is None
    assert (counted(world, chat), counted(world, other)) == (0, 1)


def test_open_leases_are_taken_away_at_the_drain_deadline_and_not_before(world: World, chat: str) -> None:
    grant = world.use(chat, ttl_s=3600)
    deactivate(world.model(chat), actor=ACTOR)
    with pytest.raises(ModelInactive):
        world.use(chat)
    world.run_for(world.provider.drain_s - 2)
    assert (stored(grant).closed_at, world.resident()) == (None, [chat])
    world.run_for(4)
    assert (stored(grant).close_reason, world.resident(), counted(world, chat)) == ("revoked", [], 0)


# -- whose lease


def test_a_client_finds_its_own_leases_only(world: World, chat: str) -> None:
    grant = world.use(chat)
    other = Client.objects.create(name="knowledge")
    assert find_lease(grant.lease_id, client_id=world.client.pk).pk == grant.lease_id
    with pytest.raises(NotFound):
        find_lease(grant.lease_id, client_id=other.pk)
    with pytest.raises(NotFound):
        find_lease(grant.lease_id + 1, client_id=None)


# -- the counter, after everything at once


def test_the_counter_equals_the_rows_after_every_path(world: World, chat: str) -> None:
    grants = [world.use(chat, ttl_s=ttl) for ttl in (5, 60, 60, 3600)]
    counted(world, chat)
    world.done(grants[1])
    world.done(grants[1])
    counted(world, chat)
    world.advance(6)
    close_expired(now())
    counted(world, chat)
    world.fake.unload_behind_our_back(chat)
    with pytest.raises(ModelError):
        world.use(chat)
    assert counted(world, chat) == 2
    world.settle()
    world.use(chat)
    assert counted(world, chat) == 3
    deactivate(world.model(chat), actor=ACTOR, force=True)
    world.settle()
    assert counted(world, chat) == 0
    activate(world.model(chat), actor=ACTOR)
    with pytest.raises(ModelActivating):
        world.use(chat)
    assert counted(world, chat) == 0


def test_a_lease_that_cannot_be_stored_is_not_counted(shared_world: World) -> None:
    name = shared_world.add("chat")
    shared_world.make_ready(name)
    with pytest.raises((IntegrityError, DataError)):
        acquire(name, Request(client_id=shared_world.client.pk, instance=None))
    assert counted(shared_world, name) == 0
