"""What to do next on one Triton server. Pure: values in, a plan out.

At most one action per server; eviction ends because a victim's switch goes back to automatic.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations, islice

from models_registry.vocabulary import RESIDENT, ErrorCode, Observed

GIVE_UP_AFTER = 5
BACK_OFF_S = 10
LONGEST_BACK_OFF_S = 300
COMBINATIONS = 5_000


@dataclass(frozen=True)
class Candidate:
    """What planning needs to know of one registered model of the server."""

    id: int
    name: str
    wanted: bool
    observed: Observed
    error_code: str = ""
    open_leases: int = 0
    leased_until: datetime | None = None
    drain_until: datetime | None = None
    size_mb: int | None = None
    priority: int = 0
    pinned: bool = False
    in_window: bool = False
    waiting_lease: bool = False
    expected: bool = False
    queued_at: datetime | None = None
    last_used_at: datetime | None = None
    failures: int = 0
    retry_at: datetime | None = None
    load_s: float | None = None

    @property
    def resident(self) -> bool:
        return self.observed in RESIDENT

    def held_back(self, at: datetime) -> bool:
        """Whether it must not be loaded now: not listed, backing off, or given up until somebody asks again."""
        backing_off = self.retry_at is not None and self.retry_at > at
        return self.error_code == ErrorCode.MISSING or self.failures >= GIVE_UP_AFTER or backing_off


@dataclass(frozen=True)
class Server:
    """What the server holds beside its registered models; limits are None where nothing is declared.

    `foreign` names residents that nobody registered (each counts as one, of unknown size), `busy` whatever
    the index says is loading or unloading, ours or anyone's.
    """

    max_loaded: int | None = 1
    memory_mb: int | None = None
    foreign: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()


@dataclass(frozen=True)
class Load:
    model_id: int


@dataclass(frozen=True)
class Unload:
    """Take a model off the GPU: not wanted any more, or (with `for_model`) as a victim; `revoke` its leases first."""

    model_id: int
    for_model: int | None = None
    revoke: bool = False


@dataclass(frozen=True)
class Wait:
    """The server works; nothing is posted into it. `on` names what it works on."""

    on: tuple[str, ...]


@dataclass(frozen=True)
class Nothing:
    """The server is as it should be, as far as it can be now."""


Action = Load | Unload | Wait | Nothing


@dataclass(frozen=True)
class Waiting:
    """Why a wanted model is not ready yet: who holds the room, until when at most, and its place in the queue."""

    held_by: tuple[str, ...] = ()
    until: datetime | None = None
    position: int = 1
    expected_ready_at: datetime | None = None


@dataclass(frozen=True)
class Plan:
    action: Action
    waits: dict[int, Waiting] = field(default_factory=dict)


def plan(server: Server, candidates: Sequence[Candidate], at: datetime) -> Plan:
    """The next action on a server without a running operation, from a fresh answer, and why each waiter waits."""
    queue = queue_of(candidates, at)
    waits = explain(server, candidates, queue, at)
    if server.busy:
        return Plan(Wait(server.busy), waits)
    return Plan(_leave(candidates, at) or _enter(server, candidates, queue) or Nothing(), waits)


def queue_of(candidates: Iterable[Candidate], at: datetime) -> list[Candidate]:
    """Wanted models that may be loaded, the best first: waiting lease, priority, waiting longest."""
    waiting = [c for c in candidates if c.wanted and not c.resident and not c.held_back(at)]
    return sorted(waiting, key=lambda c: (not c.waiting_lease, -c.priority, c.queued_at or at, c.id))


def back_off_s(failures: int) -> int:
    """Seconds to wait after the given number of failed loads in a row: 10, 20, … 300."""
    return int(min(BACK_OFF_S * 2 ** (failures - 1), LONGEST_BACK_OFF_S))


def _leave(candidates: Sequence[Candidate], at: datetime) -> Unload | None:
    """A resident that is not wanted and has no lease, or whose drain time is over."""
    for c in candidates:
        if c.observed != Observed.READY or c.wanted:
            continue
        overdue = c.drain_until is not None and c.drain_until <= at
        if not c.open_leases or overdue:
            return Unload(c.id, revoke=c.open_leases > 0)
    return None


def _enter(server: Server, candidates: Sequence[Candidate], queue: Sequence[Candidate]) -> Action | None:
    """Load the best of the queue, or make room for it; while it is blocked, others may use room that is free."""
    residents = [c for c in candidates if c.resident]
    for place, newcomer in enumerate(queue):
        if fits(server, residents, newcomer):
            return Load(newcomer.id)
        victims = _victims(server, residents, newcomer) if place == 0 else ()
        if victims:
            return Unload(victims[0].id, for_model=newcomer.id)
    return None


def fits(server: Server, residents: Sequence[Candidate], newcomer: Candidate) -> bool:
    """Whether the newcomer fits beside the residents, by number and by memory."""
    number = len(residents) + len(server.foreign) + 1
    memory = sum(c.size_mb or 0 for c in residents) + (newcomer.size_mb or 0)
    return (server.max_loaded is None or number <= server.max_loaded) and (
        server.memory_mb is None or memory <= server.memory_mb
    )


def _victims(server: Server, residents: Sequence[Candidate], newcomer: Candidate) -> tuple[Candidate, ...]:
    """As few idle residents as make room, the least recently used first; empty when none do."""
    idle = sorted((c for c in residents if _gives_way(c, newcomer)), key=_least_recently_used)
    for number in range(1, len(idle) + 1):
        for group in islice(combinations(idle, number), COMBINATIONS):
            if fits(server, [c for c in residents if c not in group], newcomer):
                return group
    return ()


def _gives_way(resident: Candidate, newcomer: Candidate) -> bool:
    if resident.observed != Observed.READY or resident.open_leases or resident.pinned or resident.expected:
        return False
    if resident.wanted and resident.in_window:
        return resident.priority < newcomer.priority or newcomer.waiting_lease
    return resident.priority <= newcomer.priority


def _least_recently_used(c: Candidate) -> tuple[bool, float, int]:
    return (c.last_used_at is not None, c.last_used_at.timestamp() if c.last_used_at else 0.0, c.id)


def explain(
    server: Server, candidates: Sequence[Candidate], queue: Sequence[Candidate], at: datetime
) -> dict[int, Waiting]:
    """For each model in the queue: its place, who holds the room it needs, until when, and when it may be ready."""
    residents = [c for c in candidates if c.resident]
    ready_at: datetime | None = at
    waits = {}
    for place, newcomer in enumerate(queue, start=1):
        holders = () if fits(server, residents, newcomer) else _holders(server, residents, newcomer)
        until = _free_at(residents, holders)
        if holders:
            ready_at = None if until is None or ready_at is None else max(ready_at, until)
        ready_at = (
            None if ready_at is None or newcomer.load_s is None else ready_at + timedelta(seconds=newcomer.load_s)
        )
        waits[newcomer.id] = Waiting(holders, until, place, ready_at)
    return waits


def _holders(server: Server, residents: Sequence[Candidate], newcomer: Candidate) -> tuple[str, ...]:
    """Who holds the room; nobody when idle residents are about to give way."""
    if _victims(server, residents, newcomer):
        return ()
    return tuple(c.name for c in residents) + server.foreign


def _free_at(residents: Sequence[Candidate], holders: tuple[str, ...]) -> datetime | None:
    """When the first holder must have gone at the latest, if that is known."""
    limits = [c.drain_until or c.leased_until for c in residents if c.name in holders]
    return min((limit for limit in limits if limit is not None), default=None)
