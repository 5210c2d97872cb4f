"""How far a running operation is."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.dateparse import parse_datetime

from monitoring.models import Operation


@dataclass(frozen=True)
class Progress:
    """A running operation; `percent` counts towards `ends_at`, which is usual or, if not, the deadline."""

    operation: Operation
    percent: int
    ends_at: datetime
    usual: bool


def progress(operation: Operation, at: datetime) -> Progress:
    """From when it began towards its usual end; towards its deadline where nothing is usual or that is over."""
    begun = operation.posted_at or operation.started_at
    usual = parse_datetime((operation.model.waiting or {}).get("expected_ready_at") or "")
    is_usual = usual is not None and usual > at
    ends_at = usual if usual is not None and is_usual else operation.deadline_at
    whole = max((ends_at - begun).total_seconds(), 0.001)
    percent = round(100 * (at - begun).total_seconds() / whole)
    return Progress(operation, max(2, min(99, percent)), ends_at, is_usual)
