"""What to do next on one Triton server. Pure: values in, a plan out.

At most one action per server; eviction ends because a victim's switch goes back to automatic.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from models_registry.vocabulary import Observed
from monitoring.rules.room import fits, handing_over, lingers_until, may_ever_fit, victims
from monitoring.rules.values import (
    Action,
    Candidate,
    Drain,
    Keep,
    Load,
    Nothing,
    Plan,
    Server,
    Unload,
    Wait,
    Waiting,
)

BACK_OFF_S = 10
LONGEST_BACK_OFF_S = 300


def plan(server: Server, candidates: Sequence[Candidate], at: datetime) -> Plan:
    """The next action on a server without a running operation, from a fresh answer, and why each waiter waits."""
    queue = queue_of(candidates, at)
    waits = waiting(server, candidates, at)
    if server.busy:
        return Plan(Wait(server.busy), waits)
    residents = [c for c in candidates if c.resident]
    first = next((c for c in queue if c.may_evict and may_ever_fit(server, residents, c, at)), None)
    action = (
        _leave(candidates, at) or _enter(server, residents, queue, first, at) or _stay(server, residents, first, at)
    )
    return Plan(action or Nothing(), waits)


def queue_of(candidates: Iterable[Candidate], at: datetime) -> list[Candidate]:
    """Wanted models that may be loaded, the best first: waiting lease, priority, waiting longest.

    One that is being reloaded comes before all: it gave up its room for that alone.
    """
    waiting = [c for c in candidates if c.wanted and not c.resident and not c.held_back(at)]
    return sorted(waiting, key=lambda c: (not c.reloading, not c.waiting_lease, -c.rank(at), c.queued_at or at, c.id))


def back_off_s(failures: int) -> int:
    """Seconds to wait after the given number of failed loads in a row: 10, 20, … 300."""
    return int(min(BACK_OFF_S * 2 ** (failures - 1), LONGEST_BACK_OFF_S))


def _leave(candidates: Sequence[Candidate], at: datetime) -> Unload | None:
    """A resident that is not wanted, or needs other load settings, and has no lease or no time to drain left."""
    for c in candidates:
        stays = c.wanted and not c.needs_reload
        if c.observed != Observed.READY or stays or c.backing_off(at):
            continue
        if not c.open_leases or c.overdue(at):
            return Unload(c.id, revoke=c.open_leases > 0, reload=c.wanted)
    return None


def _enter(
    server: Server,
    residents: Sequence[Candidate],
    queue: Sequence[Candidate],
    first: Candidate | None,
    at: datetime,
) -> Action | None:
    """Load the best of the queue, or make room for the first; while it is blocked, others may use room that is free.

    Room that others hand over to the first is not free any more: who needs it as well waits.
    """
    beside = residents
    for newcomer in () if server.memory_held else queue:
        if fits(server, residents, newcomer) and fits(server, beside, newcomer):
            return Load(newcomer.id)
        if newcomer is first:
            if making_room := _make_room(server, residents, newcomer, at):
                return making_room
            if needed := handing_over(server, residents, newcomer, at):
                beside = [*(c for c in residents if c not in needed), newcomer]
    return None


def _make_room(server: Server, residents: Sequence[Candidate], newcomer: Candidate, at: datetime) -> Action | None:
    """Unload an idle model; where none makes room, have one that is in use hand over."""
    for c in victims(server, residents, newcomer, at):
        return Unload(c.id, for_model=newcomer.id, revoke=c.open_leases > 0)
    for c in handing_over(server, residents, newcomer, at):
        if c.open_leases and c.drain_until is None:
            return Drain(c.id, for_model=newcomer.id)
    return None


def _stay(server: Server, residents: Sequence[Candidate], first: Candidate | None, at: datetime) -> Keep | None:
    """A model that is to hand over, although nobody needs its room any more."""
    needed = handing_over(server, residents, first, at) if first else ()
    for c in residents:
        drains = c.wanted and c.drain_until is not None and c.observed == Observed.READY
        if drains and not c.needs_reload and c not in needed:
            return Keep(c.id)
    return None


def waiting(server: Server, candidates: Sequence[Candidate], at: datetime) -> dict[int, Waiting]:
    """For each model in the queue: its place, who holds the room it needs, until when, and when it may be ready."""
    residents = [c for c in candidates if c.resident and c.observed != Observed.UNLOADING]  # that room is on its way
    ready_at: datetime | None = at
    waits = {}
    for place, newcomer in enumerate(queue_of(candidates, at), start=1):
        holders = () if fits(server, residents, newcomer) else _holders(server, residents, newcomer, at)
        until = _free_at(server, [c for c in residents if c.name in holders], newcomer)
        begins_at = ready_at
        if holders:
            begins_at = None if until is None or ready_at is None else max(ready_at, until)
        expected_at = None
        if begins_at is not None and newcomer.load_s is not None:
            expected_at = begins_at + timedelta(seconds=newcomer.load_s)
        waits[newcomer.id] = Waiting(holders, until, place, expected_at)
        if newcomer.may_evict or not holders:  # else the others pass it
            ready_at = expected_at
    return waits


def _holders(server: Server, residents: Sequence[Candidate], newcomer: Candidate, at: datetime) -> tuple[str, ...]:
    """Who holds the room; nobody when idle residents are about to give way, which they do not for every newcomer."""
    if newcomer.may_evict and victims(server, residents, newcomer, at):
        return ()
    return tuple(c.name for c in residents) + server.foreign


def _free_at(server: Server, holders: Sequence[Candidate], newcomer: Candidate) -> datetime | None:
    """When the first holder must have gone, or gives way because it is idle, at the latest, if that is known."""
    limits = (
        c.drain_until or (c.leased_until if c.open_leases else lingers_until(server, c, newcomer)) for c in holders
    )
    return min((limit for limit in limits if limit is not None), default=None)
