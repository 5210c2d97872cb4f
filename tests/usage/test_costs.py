"""What calls cost: by the prices that were in force when they were made, exactly."""

from datetime import timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from modelmanager.lib.clock import now
from models_registry.models import ModelPrice, RegisteredModel
from models_registry.services import registration
from models_registry.services.registration import register_model, update_model
from tests.monitoring.world import World
from tests.usage.calls import call, record
from usage.models import UsageHour, UsageRecord
from usage.services.resolving import cost


def price(name: str, input_price: str | None, output_price: str | None) -> None:
    model = RegisteredModel.objects.get(name=name)
    changes = {
        name: None if text is None else Decimal(text)
        for name, text in (("input_price", input_price), ("output_price", output_price))
    }
    update_model(model, changes, actor="user:kim")


@pytest.fixture
def priced(world: World) -> World:
    """`embedder`: 0.15 and 0.60 for an hour, then 2 and nothing for an hour, then no price."""
    place = {"provider": world.provider, "remote_name": "embedder", "verify": False}
    register_model(actor="user:kim", name="embedder", input_price=Decimal("0.15"), output_price=Decimal("0.6"), **place)
    world.advance(3600)
    price("embedder", "2", "0")
    world.advance(3600)
    price("embedder", None, None)
    return world


@pytest.mark.parametrize(
    ("hours_ago", "millionths"), [(5, 210), (2, 210), (1.01, 210), (1, 2000), (0.01, 2000), (0, 0)], ids=str
)
def test_a_call_costs_what_its_tokens_cost_then(priced: World, hours_ago: float, millionths: int) -> None:
    record(priced.client.pk, call(now() - timedelta(hours=hours_ago), input_tokens=1000, output_tokens=100))
    assert UsageRecord.objects.get().cost == UsageHour.objects.get().cost == millionths


def test_a_later_price_changes_no_cost_of_before(priced: World) -> None:
    record(priced.client.pk, call(now() - timedelta(hours=1), input_tokens=1000))
    price("embedder", "100", "100")
    assert UsageRecord.objects.get().cost == 2000


def test_only_a_change_of_prices_is_kept(priced: World) -> None:
    model = RegisteredModel.objects.get(name="embedder")
    update_model(model, {"description": "x", "input_price": None}, actor="user:kim")
    kept = ModelPrice.objects.values_list("input_price", "output_price")
    assert list(kept) == [(Decimal("0.15"), Decimal("0.6")), (2, 0), (None, None)]


@pytest.mark.parametrize(
    ("tokens", "prices", "millionths"),
    [
        ((0, 0), ("1", "1"), 0),
        ((1_000_000, 0), ("0.15", None), 150_000),
        ((1, 0), ("0.4", None), 0),
        ((1, 0), ("0.5", None), 1),
        ((1, 1), ("0.25", "0.25"), 1),
        ((3, 0), ("0.333333", "7"), 1),
        ((100_000_000, 100_000_000), ("999999.999999", "999999.999999"), 199_999_999_999_800),
        ((5, 5), (None, None), 0),
    ],
)
def test_costs_are_whole_millionths_to_the_nearest(tokens: Any, prices: Any, millionths: int) -> None:
    assert cost(*tokens, *(None if text is None else Decimal(text) for text in prices)) == millionths


@pytest.mark.django_db(transaction=True)
def test_models_from_before_begin_their_history_with_what_they_cost() -> None:
    executor = MigrationExecutor(connection)
    names = [key for key in executor.loader.graph.nodes if key[0] == "models_registry"]
    before = next(key for key in sorted(names) if key[1].endswith("_audit"))
    try:
        executor.migrate([before, ("usage", "0001_initial")])
        old = executor.loader.project_state([before]).apps
        provider = a_provider_row(old)
        fields = {"name": "embedder", "provider": provider, "remote_name": "embedder"}
        old.get_model("models_registry", "RegisteredModel").all_objects.create(input_price=Decimal("0.15"), **fields)
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    model = RegisteredModel.objects.get(name="embedder")
    kept = ModelPrice.objects.get(model=model)
    assert (kept.since, kept.input_price, kept.output_price) == (model.created_at, Decimal("0.15"), None)


def a_provider_row(apps: Any) -> Any:
    rows = apps.get_model("models_registry", "Provider").all_objects
    return rows.create(name="gpu", kind="triton", base_url="http://h", server_key="h:80/")


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_the_history_ends_with_the_prices_there_are_whoever_comes_second(
    shared_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"provider": shared_world.provider, "remote_name": "embedder", "verify": False}
    register_model(actor="user:kim", name="embedder", input_price=Decimal(3), **place)
    refuse_invalid = registration._refuse_invalid

    def while_somebody_else_is_quicker(model: RegisteredModel) -> None:
        monkeypatch.setattr(registration, "_refuse_invalid", refuse_invalid)
        elsewhere = Thread(target=price_by_another, args=("5",))
        elsewhere.start()
        elsewhere.join()
        refuse_invalid(model)

    monkeypatch.setattr(registration, "_refuse_invalid", while_somebody_else_is_quicker)
    price("embedder", "3", None)

    assert RegisteredModel.objects.get().input_price == 3
    assert list(ModelPrice.objects.values_list("input_price", flat=True)) == [3, 5, 3]


def price_by_another(input_price: str) -> None:
    try:
        price("embedder", input_price, None)
    finally:
        connection.close()
