"""Summing usage records into rollups. Pure, and the same sums as SQL makes of the stored records."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from usage.histogram import BUCKETS, bucket_of
from usage.periods import day_of, hour_of

# Hour or day, then model, client, configuration and outcome: the primary key of a rollup.
Key = tuple[Any, int, int, int, str]


class Call(Protocol):
    """What of a record is summed."""

    @property
    def model_id(self) -> int: ...
    @property
    def client_id(self) -> int: ...
    @property
    def config_id(self) -> int: ...
    @property
    def outcome(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def latency_us(self) -> int: ...
    @property
    def input_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...
    @property
    def cost(self) -> int: ...


class Sums:
    """The sums over some calls, in the order of a rollup's columns."""

    __slots__ = ("buckets", "calls", "cost", "input_tokens", "latency_max_us", "latency_sum_us", "output_tokens")

    def __init__(self) -> None:
        self.calls = self.input_tokens = self.output_tokens = self.cost = 0
        self.latency_sum_us = self.latency_max_us = 0
        self.buckets = [0] * BUCKETS

    def add(self, call: Call) -> None:
        """Count one more call."""
        self.calls += 1
        self.input_tokens += call.input_tokens
        self.output_tokens += call.output_tokens
        self.cost += call.cost
        self.latency_sum_us += call.latency_us
        self.latency_max_us = max(self.latency_max_us, call.latency_us)
        self.buckets[bucket_of(call.latency_us)] += 1

    def values(self) -> tuple[int, ...]:
        """As the columns of a rollup, from `calls` on."""
        return (
            self.calls,
            self.input_tokens,
            self.output_tokens,
            self.cost,
            self.latency_sum_us,
            self.latency_max_us,
            *self.buckets,
        )


def by_hour(calls: Iterable[Call]) -> dict[Key, Sums]:
    """Sums by hour and the rest of the key."""
    return _summed((hour_of(call.occurred_at), call) for call in calls)


def by_day(calls: Iterable[Call], zone: ZoneInfo) -> dict[Key, Sums]:
    """Sums by day of that zone and the rest of the key."""
    return _summed((day_of(call.occurred_at, zone), call) for call in calls)


def _summed(calls: Iterable[tuple[Any, Call]]) -> dict[Key, Sums]:
    found: dict[Key, Sums] = {}
    for period, call in calls:
        key = (period, call.model_id, call.client_id, call.config_id, call.outcome)
        sums = found.get(key)
        if sums is None:
            sums = found[key] = Sums()
        sums.add(call)
    return found
