"""Who uses the demo models, when, and how: values and rules only."""

import math
from dataclasses import dataclass

WEEKEND = (5, 6)
NEVER_QUIET = 0.03


@dataclass(frozen=True, slots=True)
class Day:
    """A day's rhythm: busiest at `peak` o'clock, `width` hours wide; on weekends `weekend` times as much."""

    peak: float
    width: float
    weekend: float = 1.0

    def share(self, hour: float, *, weekday: int = 0) -> float:
        """How busy it is, from nearly 0 to 1, at an hour (0–24) of a weekday (Monday 0)."""
        apart = abs(hour - self.peak) % 24
        bump = math.exp(-((min(apart, 24 - apart) / self.width) ** 2))
        return max(NEVER_QUIET, bump) * (self.weekend if weekday in WEEKEND else 1.0)


@dataclass(frozen=True, slots=True)
class Use:
    """How a system uses one model: calls in its busiest hour of the history, and what a call is like."""

    model: str
    calls_an_hour: int
    latency_ms: float
    input_tokens: int
    output_tokens: int = 0
    failing: float = 0.02


@dataclass(frozen=True, slots=True)
class System:
    """A downstream system; `calls_a_second` is its live traffic at the peak of the day."""

    name: str
    description: str
    day: Day
    uses: tuple[Use, ...]
    calls_a_second: float


SYSTEMS = (
    System(
        "chatbot",
        "Answers questions of customers (demo traffic)",
        Day(peak=14, width=4.5, weekend=0.35),
        (
            Use("e5-small-ko", 70, latency_ms=9, input_tokens=24),
            Use("bge-reranker", 60, latency_ms=28, input_tokens=900),
            Use("rag-chat", 55, latency_ms=740, input_tokens=1400, output_tokens=180, failing=0.05),
        ),
        calls_a_second=3.0,
    ),
    System(
        "knowledge",
        "Keeps the knowledge base searchable (demo traffic)",
        Day(peak=1, width=3.0),
        (
            Use("bge-m3", 110, latency_ms=46, input_tokens=512),
            Use("bge-reranker", 20, latency_ms=31, input_tokens=1100),
        ),
        calls_a_second=2.0,
    ),
    System(
        "dictionary",
        "Brings the dictionary's terms to one spelling (demo traffic)",
        Day(peak=7, width=2.0, weekend=0.1),
        (Use("dict-preprocess", 160, latency_ms=4, input_tokens=60, failing=0.01),),
        calls_a_second=2.0,
    ),
)
