"""How long a model was in each status, from the events and leases it left. Pure: values in, values out.

Events tell what was wanted, observed and wrong; leases write none, so time in use is told by the leases themselves:
whatever is leased and in no error was in use.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from models_registry.vocabulary import Status

USABLE = (Status.ACTIVE, Status.RECOVERED, Status.IN_USE)
NOTHING = timedelta()


@dataclass(frozen=True)
class Change:
    """A status event: what the model was and became. `wanted`: whether it was, from then on; None: nobody noted."""

    at: datetime
    before: Status
    after: Status
    code: str = ""
    wanted: bool | None = None


@dataclass(frozen=True)
class Life:
    """What is known of a model: when it was registered, and deleted for good, what changed, and its status now.

    The changes are those within a range, the last before it and the first after it, oldest first.
    """

    born: datetime
    ended: datetime | None
    changes: Sequence[Change]
    now: Status


@dataclass(frozen=True)
class Stretch:
    """`[start, end)` without a change; the status is that without leases, None while the model was deleted."""

    start: datetime
    end: datetime
    status: Status | None
    wanted: bool
    code: str = ""


@dataclass(frozen=True)
class Busy:
    """A time during which a model was leased without a break, and when it was leased last in it."""

    start: datetime
    end: datetime
    leased_at: datetime


@dataclass
class StatusTime:
    """What a range of time held."""

    spent: dict[Status, timedelta] = field(default_factory=lambda: dict.fromkeys(Status, NOTHING))
    wanted: timedelta = NOTHING
    usable: timedelta = NOTHING
    errors: int = 0
    recoveries: list[timedelta] = field(default_factory=list)

    @property
    def availability(self) -> float | None:
        """Of the time in which it was wanted, the share in which it could be used; None when it never was."""
        return self.usable / self.wanted if self.wanted else None

    @property
    def mean_time_to_recover(self) -> timedelta | None:
        """Of the errors that began in the range and after which it was right again within it."""
        return sum(self.recoveries, NOTHING) / len(self.recoveries) if self.recoveries else None


def status_time(life: Life, busy: Sequence[Busy], since: datetime, until: datetime) -> StatusTime:
    """What the model's life held in `[since, until)`."""
    found = StatusTime()
    ends = [held.end for held in busy]
    parts = list(stretches(life, since, until))
    for part in parts:
        for status, spent in _spent(part, busy[bisect_right(ends, part.start) :]):
            found.spent[status] += spent
            found.wanted += spent if part.wanted else NOTHING
            found.usable += spent if part.wanted and status in USABLE else NOTHING
    found.errors = sum(before.status != Status.ERROR == part.status for before, part in pairwise(parts))
    found.recoveries = list(_recoveries(parts))
    return found


def stretches(life: Life, since: datetime, until: datetime) -> Iterator[Stretch]:
    """The model's life in `[since, until)`, without gaps; several changes at one moment have nothing between them."""
    start = max(since, life.born)
    end = until if life.ended is None else min(until, life.ended)
    known = _at_first(life)
    for change in life.changes:
        if change.at >= end:
            break
        if change.at >= start:
            yield Stretch(start, change.at, *known)
            start = change.at
        known = _after(change, was_wanted=known[1])
    if start < end:
        yield Stretch(start, end, *known)


def busy(leases: Iterable[tuple[datetime, datetime]]) -> list[Busy]:
    """When a model was leased: its leases, in order of their beginnings, with those that overlap as one."""
    found: list[Busy] = []
    for start, end in leases:
        if found and start <= found[-1].end:
            found[-1] = Busy(found[-1].start, max(found[-1].end, end), start)
        else:
            found.append(Busy(start, end, start))
    return found


Known = tuple[Status | None, bool, str]


def _at_first(life: Life) -> Known:
    """What it was before all changes that are known: what the first of them found, or what it is still."""
    status = life.changes[0].before if life.changes else life.now
    status = Status.ACTIVE if status == Status.IN_USE else status
    return status, status != Status.REGISTERED, ""


def _after(change: Change, *, was_wanted: bool) -> Known:
    """What it is after the change, leases apart: what is leased was ready when it was leased."""
    if change.code == "deleted":
        return None, False, change.code
    wanted = change.wanted
    if wanted is None:
        wanted = was_wanted if change.after == Status.ERROR else change.after != Status.REGISTERED
    if change.after == Status.IN_USE:
        return Status.ACTIVE if wanted else Status.REGISTERED, wanted, change.code
    return change.after, wanted, change.code


def _spent(part: Stretch, busy: Sequence[Busy]) -> Iterator[tuple[Status, timedelta]]:
    """What a stretch was spent in. A model that has recovered is active again once it has been leased."""
    if part.status is None:
        return
    status, at = part.status, part.start
    for held in busy if status != Status.ERROR else ():
        if held.start >= part.end:
            break
        start, end = max(held.start, at), min(held.end, part.end)
        yield status, start - at
        yield Status.IN_USE, end - start
        at = end
        if status == Status.RECOVERED and held.leased_at >= part.start:
            status = Status.ACTIVE
    yield status, part.end - at


def _recoveries(parts: Sequence[Stretch]) -> Iterator[timedelta]:
    """How long each error lasted, from its beginning until the model could be used, or, not wanted, was right again.

    What is loading after an error has not recovered yet; what was switched off or deleted never did.
    """
    broken_at = None
    for before, part in pairwise(parts):
        if part.status == Status.ERROR:
            if broken_at is None and before.status != Status.ERROR:
                broken_at = part.start
        elif broken_at is not None and part.status != Status.ACTIVATING:
            if part.status in USABLE or part.code == "recovered":
                yield part.start - broken_at
            broken_at = None
