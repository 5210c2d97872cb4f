"""Calls of past days, made up: the same ones each time, so that telling them twice counts them once."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from modelmanager.embedded.traffic.story import System, Use

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PastCall:
    """One call as it is reported; `event_id` follows from system, model, hour and number."""

    event_id: str
    model: str
    occurred_at: datetime
    latency_ms: float
    outcome: str
    error_code: str
    input_tokens: int
    output_tokens: int


def past_calls(system: System, *, until: datetime, days: int, zone: tzinfo) -> Iterator[PastCall]:
    """What a system did in the whole hours of the last `days`, oldest first; the day's rhythm is `zone`'s."""
    end = until.replace(minute=0, second=0, microsecond=0)
    for number in range(days * 24, 0, -1):
        hour = end - number * HOUR
        local = hour.astimezone(zone)
        share = system.day.share(local.hour, weekday=local.weekday())
        for use in system.uses:
            yield from _calls_of_an_hour(system, use, hour, share)


def _calls_of_an_hour(system: System, use: Use, hour: datetime, share: float) -> Iterator[PastCall]:
    chance = random.Random(f"{system.name} {use.model} {hour.isoformat()}")
    count = round(use.calls_an_hour * share * chance.uniform(0.7, 1.3))
    moments = sorted(chance.uniform(0, 3600) for _ in range(count))
    for number, seconds in enumerate(moments):
        yield _call(chance, use, f"past-{system.name}-{use.model}-{hour:%Y%m%d%H}-{number}", hour, seconds)


def _call(chance: random.Random, use: Use, event_id: str, hour: datetime, seconds: float) -> PastCall:
    outcome, error_code = "ok", ""
    if chance.random() < use.failing:
        outcome, error_code = chance.choice((("error", "out_of_memory"), ("error", "bad_input"), ("timeout", "")))
    latency_ms = use.latency_ms * chance.lognormvariate(0, 0.4) * (20 if outcome == "timeout" else 1)
    return PastCall(
        event_id=event_id,
        model=use.model,
        occurred_at=hour + timedelta(seconds=seconds),
        latency_ms=round(latency_ms, 3),
        outcome=outcome,
        error_code=error_code,
        input_tokens=round(use.input_tokens * chance.uniform(0.5, 1.5)),
        output_tokens=round(use.output_tokens * chance.uniform(0.3, 1.7)) if outcome == "ok" else 0,
    )
