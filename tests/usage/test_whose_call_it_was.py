"""Which model a name meant when a call was made, and which configuration was in force."""

from datetime import timedelta
from typing import Any

import pytest

from modelmanager.lib.clock import now
from models_registry.in_force import note_applied
from models_registry.models import ConfigUse, ConfigVersion, RegisteredModel
from models_registry.services.registration import delete_model
from tests.monitoring.world import World
from tests.usage.calls import call, record
from usage.models import UsageRecord


@pytest.fixture
def namesakes(world: World) -> tuple[RegisteredModel, RegisteredModel]:
    """`embedder` lived for an hour, was gone for an hour, and another one has lived for an hour."""
    first = world.model(world.add("embedder"))
    world.advance(3600)
    delete_model(first, actor="user:kim")
    world.advance(3600)
    world.add("embedder")
    second = RegisteredModel.objects.get(name="embedder")
    world.advance(3600)
    return first, second


def model_of(client_id: int, **fields: Any) -> int:
    made = call(**fields)
    record(client_id, made)
    return UsageRecord.objects.get(event_id=made.event_id).model_id


@pytest.mark.parametrize(
    ("hours_ago", "whose"), [(0, 1), (0.5, 1), (1, 1), (1.5, 1), (2.5, 0), (3, 0), (4, 1)], ids=str
)
def test_a_name_used_twice_means_who_was_live_then_else_who_is_live(
    world: World, namesakes: tuple[RegisteredModel, RegisteredModel], hours_ago: float, whose: int
) -> None:
    assert model_of(world.client.pk, at=now() - timedelta(hours=hours_ago)) == namesakes[whose].pk


def test_the_lease_knows_better_than_the_time(world: World, namesakes: tuple[RegisteredModel, RegisteredModel]) -> None:
    first, second = namesakes
    times = {"granted_at": now(), "expires_at": now(), "verified_at": now(), "verify_ms": 1, "ttl_s": 60}
    config = ConfigVersion.objects.get(model=first)
    lease = first.leases.create(client=world.client, config=config, **times)
    assert model_of(world.client.pk, at=now(), lease=lease.pk) == first.pk
    assert model_of(world.client.pk, at=now()) == second.pk


def test_a_late_report_of_a_deleted_model_is_its_own(world: World) -> None:
    model = world.model(world.add("embedder"))
    delete_model(model, actor="user:kim")
    world.advance(60)
    assert model_of(world.client.pk, at=now()) == model.pk


def test_a_call_was_made_with_the_configuration_in_force_then(world: World) -> None:
    model = world.model(world.add("embedder"))
    second = ConfigVersion.objects.create(model=model, number=2, values={"a": 1})
    world.advance(3600)
    at = now()
    note_applied(model, second.pk, actor="user:kim", at=at, since=at)
    world.advance(3600)
    record(world.client.pk, *(call(at + timedelta(minutes=minutes)) for minutes in (-90, -60, -1, 0, 60)))
    found = UsageRecord.objects.order_by("occurred_at").values_list("config__number", flat=True)
    assert list(found) == [1, 1, 1, 2, 2]


def test_a_model_that_nothing_was_in_force_of_has_its_first_configuration(world: World) -> None:
    model = world.model(world.add("embedder"))
    ConfigVersion.objects.create(model=model, number=2, values={"a": 1})
    ConfigUse.objects.update(since=None)
    record(world.client.pk, call())
    assert UsageRecord.objects.get().config.number == 1
