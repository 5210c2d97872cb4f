"""What a server's counters tell about calls that were made, and which of them nobody reported."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Count:
    """Requests that a model has answered, with success and with an error."""

    succeeded: int = 0
    failed: int = 0

    @property
    def calls(self) -> int:
        return self.succeeded + self.failed


def since(before: Count, now: Count, *, loaded_anew: bool) -> Count:
    """What was answered between two readings.

    Counters begin at zero with each load: after one that we know of (`loaded_anew`), or where they fell, all that
    they show came since. What was answered between the last reading and an end that nobody foresaw is not known.
    """
    fell = now.succeeded < before.succeeded or now.failed < before.failed
    if loaded_anew or fell:
        return now
    return Count(now.succeeded - before.succeeded, now.failed - before.failed)


def hour_of(last_at: datetime | None, *, after: datetime, at: datetime) -> datetime:
    """The hour to which a reading's calls belong: that of the last one, as far as the server's clock is credible."""
    when = min(max(last_at or at, after), at)
    return when.replace(minute=0, second=0, microsecond=0)


def unattributed(seen: Mapping[Key, int], reported: Mapping[Key, int]) -> dict[Key, int]:
    """Calls beyond the reported ones, by the same key (a model, or a model and a period); only where there are any.

    Both are counted by different clocks, and a report may come later than its call: sum over the whole period
    first, and take the last minutes for what they are. More reports than calls are no fault: what a server refuses
    before it reaches the model is counted nowhere.
    """
    beyond = {key: count - reported.get(key, 0) for key, count in seen.items()}
    return {key: count for key, count in beyond.items() if count > 0}
