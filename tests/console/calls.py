"""Calls that clients reported, for the pages about use."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from modelmanager.lib.clock import now
from models_registry.models import ModelPrice
from tests.monitoring.world import World
from usage.models import Client, UsageRecord
from usage.reports import Batch, Report
from usage.services.recording import record_usage

EVENTS = count()


def reported(client: Client, model: str, *, at: datetime, times: int = 1, **told: Any) -> UsageRecord:
    """Calls of a model, as a client reports them, a quarter of a second long unless told otherwise; the last one."""
    told = {"latency_us": 250_000, "outcome": "ok"} | told
    reports = [
        Report(**{"event_id": f"call-{next(EVENTS)}", "model": model, "occurred_at": at} | told)
        for _number in range(times)
    ]
    record_usage(Batch(reports), client_id=client.pk)
    return UsageRecord.objects.get(client=client, event_id=reports[-1].event_id)


def called(
    world: World, model: str, *, at: datetime | None = None, client: Client | None = None, times: int = 1, **told: Any
) -> UsageRecord:
    """The same of the world's own client, now, unless told otherwise."""
    return reported(client or world.client, model, at=at or now(), times=times, **told)


def priced(world: World, model: str, input_price: str, output_price: str) -> None:
    """What a million tokens of a model have cost for a year."""
    prices = {"input_price": Decimal(input_price), "output_price": Decimal(output_price)}
    world.put(model, **prices)
    ModelPrice.objects.create(model=world.model(model), since=now() - timedelta(days=365), **prices)
