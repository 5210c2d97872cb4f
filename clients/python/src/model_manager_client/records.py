"""One usage record, as the manager takes it."""

import math
import uuid
from datetime import datetime
from typing import Any

OUTCOMES = ("ok", "error", "timeout", "cancelled")
LONGEST_ERROR_CODE = 64

Record = dict[str, Any]


def make_record(
    model: str,
    *,
    latency_ms: float,
    outcome: str,
    occurred_at: datetime,
    input_tokens: int | None = None,
    output_tokens: int | None = None,
    error_code: str = "",
    lease: int | None = None,
    config: int | None = None,
    event_id: str = "",
) -> Record:
    """A record with an id of its own, by which it counts once however often it is sent. Raises ValueError."""
    if outcome not in OUTCOMES:
        raise ValueError(f"outcome {outcome!r} is none of {', '.join(OUTCOMES)}")
    if occurred_at.tzinfo is None:
        raise ValueError("occurred_at needs a time zone")
    if not math.isfinite(latency_ms):
        raise ValueError("latency needs to be a finite number")
    if min(latency_ms, input_tokens or 0, output_tokens or 0) < 0:
        raise ValueError("latency and tokens cannot be negative")
    told = {
        "event_id": event_id or uuid.uuid4().hex,
        "model": model,
        "occurred_at": occurred_at.isoformat(),
        "latency_ms": round(latency_ms, 3),
        "outcome": outcome,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "error_code": error_code[:LONGEST_ERROR_CODE] or None,
        "lease": lease,
        "config": config,
    }
    return {name: value for name, value in told.items() if value is not None}
