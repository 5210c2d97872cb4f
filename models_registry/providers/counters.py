"""What a Triton server counts of the calls that its models answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Counters:
    """Requests that one version of a loaded model has answered since it was loaded; `last_at` by the server's clock.

    Of Triton's counters `success.count` and `fail.count` are the ones that count requests: `inference_count` counts
    what they held (a request with a batch of three counts three), `execution_count` what the server made of them
    (four requests that it batches count one). What Triton refuses before it reaches the model, such as an unknown
    input, is counted nowhere. (Measured on 2.51.)
    """

    name: str
    version: str
    succeeded: int
    failed: int
    last_at: datetime | None = None


def read_counters(answer: Any) -> tuple[Counters, ...]:
    """The counters in an answer of `v2/models/stats`. Raises ValueError when it is none."""
    rows = answer.get("model_stats") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise ValueError("the statistics are not a list")
    return tuple(_counters(rows))


def _counters(rows: list[Any]) -> Iterator[Counters]:
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("name"), str):
            raise ValueError("a row of the statistics has no name")
        counted = row.get("inference_stats")
        if isinstance(counted, dict):  # other servers of the protocol may count less
            yield Counters(
                row["name"],
                str(row.get("version") or ""),
                _count(counted, "success"),
                _count(counted, "fail"),
                _time(row.get("last_inference")),
            )


def _count(counted: Mapping[str, Any], what: str) -> int:
    told = counted.get(what)
    count = told.get("count") if isinstance(told, dict) else 0
    if not isinstance(count, int | str):
        raise ValueError("a count of the statistics is not a number")
    return max(0, int(count))  # int64 goes as a text where JSON is made from protobuf


def _time(milliseconds: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) if int(milliseconds or 0) > 0 else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None
