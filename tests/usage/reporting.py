"""Reports of usage, as tests send them."""

import itertools
from datetime import datetime, timedelta
from typing import Any

from modelmanager.lib.clock import now

_numbers = itertools.count(1)


def report(**fields: Any) -> dict[str, Any]:
    """A valid report of a call of `embedder` a minute ago, with an event id of its own."""
    made = {
        "event_id": f"event-{next(_numbers)}",
        "model": "embedder",
        "occurred_at": (now() - timedelta(minutes=1)).isoformat(),
        "latency_ms": 12.5,
        "outcome": "ok",
    }
    return made | {name: value.isoformat() if isinstance(value, datetime) else value for name, value in fields.items()}
