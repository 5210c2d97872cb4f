"""Calls that were made, kept as records and as the sums of them; and what plain arithmetic says about them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from models_registry.models import ConfigVersion, Provider, RegisteredModel
from usage.histogram import BUCKETS, COLUMNS, bucket_of
from usage.models import Client, Ledger, UsageDay, UsageHour, UsageRecord

EVENTS = count()
SEOUL = ZoneInfo("Asia/Seoul")


@dataclass(frozen=True)
class Call:
    """One call; `occurred_at` in UTC."""

    model: RegisteredModel
    client: Client
    occurred_at: datetime
    config: ConfigVersion
    latency_us: int = 20_000
    outcome: str = "ok"
    input_tokens: int = 100
    output_tokens: int = 10
    cost: int = 7

    @property
    def is_error(self) -> bool:
        return self.outcome in ("error", "timeout")


@dataclass
class Office:
    """A provider with models and clients, and calls between them."""

    provider: Provider
    zone: ZoneInfo = SEOUL
    calls: list[Call] = field(default_factory=list)

    def model(self, name: str, **fields: Any) -> RegisteredModel:
        """A model with two configuration versions."""
        rows = {"remote_name": name, "provider": self.provider, **fields}
        model = RegisteredModel.objects.create(name=name, on_gpu=True, **rows)
        for number in (1, 2):
            ConfigVersion.objects.create(model=model, number=number)
        return model

    def client(self, name: str) -> Client:
        return Client.objects.create(name=name)

    def call(self, model: RegisteredModel, client: Client, at: datetime | str, config: int = 1, **more: Any) -> Call:
        """One more call, not yet kept."""
        version = ConfigVersion.objects.get(model=model, number=config)
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        made = Call(model, client, moment.astimezone(UTC), version, **more)
        self.calls.append(made)
        return made

    def keep(self, *, days_since: date = date(1970, 1, 1), pruned_until: datetime | None = None) -> None:
        """Store the calls and their sums; of what is pruned the hours and days alone."""
        Ledger.objects.update_or_create(
            pk=Ledger.ONLY,
            defaults={"day_zone": self.zone.key, "days_since": days_since, "pruned_until": pruned_until},
        )
        kept = [call for call in self.calls if pruned_until is None or call.occurred_at >= pruned_until]
        UsageRecord.objects.bulk_create([_record(call) for call in kept])
        _keep_sums(
            UsageHour, "hour", self.calls, lambda call: call.occurred_at.replace(minute=0, second=0, microsecond=0)
        )
        days = [call for call in self.calls if self._day(call) >= days_since]
        _keep_sums(UsageDay, "day", days, self._day)

    def _day(self, call: Call) -> date:
        return call.occurred_at.astimezone(self.zone).date()


def _record(call: Call) -> UsageRecord:
    same = {name: getattr(call, name) for name in ("latency_us", "outcome", "input_tokens", "output_tokens", "cost")}
    return UsageRecord(
        client=call.client,
        event_id=f"e{next(EVENTS)}",
        model=call.model,
        config=call.config,
        occurred_at=call.occurred_at,
        received_at=call.occurred_at,
        **same,
    )


def _keep_sums(table: Any, key: str, calls: Iterable[Call], period: Callable[[Call], Any]) -> None:
    groups: dict[Any, list[Call]] = defaultdict(list)
    for call in calls:
        groups[period(call), call.model.pk, call.client.pk, call.config.pk, call.outcome].append(call)
    table.objects.bulk_create(
        table(
            **{key: at},
            model_id=model,
            client_id=client,
            config_id=config,
            outcome=outcome,
            calls=len(group),
            input_tokens=sum(call.input_tokens for call in group),
            output_tokens=sum(call.output_tokens for call in group),
            cost=sum(call.cost for call in group),
            latency_sum_us=sum(call.latency_us for call in group),
            latency_max_us=max(call.latency_us for call in group),
            **dict(zip(COLUMNS, _buckets(group), strict=True)),
        )
        for (at, model, client, config, outcome), group in groups.items()
    )


def _buckets(calls: Iterable[Call]) -> list[int]:
    counts = [0] * BUCKETS
    for call in calls:
        counts[bucket_of(call.latency_us)] += 1
    return counts


def plainly(calls: Iterable[Call], groups: Sequence[str], label: Callable[[Call], Any]) -> dict[Any, dict[str, Any]]:
    """What the sums must be, by (label, names of the groups), from the calls one by one."""
    found: dict[Any, list[Call]] = defaultdict(list)
    for call in calls:
        names = {
            "model": call.model.name,
            "client": call.client.name,
            "config": call.config.number,
            "outcome": call.outcome,
        }
        found[label(call), *(names[group] for group in groups)].append(call)
    return {key: _summed(group) for key, group in found.items()}


def _summed(calls: Sequence[Call]) -> dict[str, Any]:
    ordered = sorted(call.latency_us / 1000 for call in calls)
    return {
        "calls": len(calls),
        "errors": sum(call.is_error for call in calls),
        "input_tokens": sum(call.input_tokens for call in calls),
        "output_tokens": sum(call.output_tokens for call in calls),
        "cost": sum(call.cost for call in calls),
        "mean": round(sum(call.latency_us for call in calls) / len(calls) / 1000, 3),
        **{f"p{p}": ordered[max(1, ceil(p / 100 * len(calls))) - 1] for p in (50, 95, 99)},
    }


def same_sums(row: dict[str, Any], plain: dict[str, Any]) -> None:
    """The row tells these sums: counts, costs and the mean exactly, percentiles as closely as is promised."""
    for name in ("calls", "errors", "input_tokens", "output_tokens", "cost"):
        assert row[name] == plain[name], name
    assert row["latency_ms"]["mean"] == plain["mean"]
    for name in ("p50", "p95", "p99"):
        assert abs(row["latency_ms"][name] - plain[name]) <= max(1, 0.12 * plain[name]), name
