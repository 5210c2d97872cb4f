"""Who fits beside whom on a server, and who gives way to a newcomer. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from models_registry.vocabulary import Observed
from monitoring.rules.values import Candidate, Server

PRESSURE_OVER_S = 60
LINGERS_ABOVE = 0.5
LINGERS_FOR_LOADS = 8


def may_ever_fit(server: Server, residents: Sequence[Candidate], newcomer: Candidate, at: datetime) -> bool:
    """Whether it fits beside those that never give way to it while they are wanted, or while their window is open."""
    staying = [
        c
        for c in residents
        if c.wanted and (c.pinned or c.priority > newcomer.rank(at) or _stays_in_its_window(c, newcomer))
    ]
    return fits(server, staying, newcomer)


def fits(server: Server, residents: Sequence[Candidate], newcomer: Candidate) -> bool:
    """Whether the newcomer fits beside the residents, by number and by memory."""
    return _missing(server, residents, newcomer) == (0, 0)


def _missing(server: Server, residents: Sequence[Candidate], newcomer: Candidate) -> tuple[int, int]:
    """How many places and how many MB lack for the newcomer beside the residents."""
    number = len(residents) + len(server.foreign) + 1
    memory = _size(residents) + (newcomer.size_mb or 0)
    places = 0 if server.max_loaded is None else max(0, number - server.max_loaded)
    return places, 0 if server.memory_mb is None else max(0, memory - server.memory_mb)


def _size(models: Iterable[Candidate]) -> int:
    return sum(c.size_mb or 0 for c in models)


def victims(server: Server, residents: Sequence[Candidate], newcomer: Candidate, at: datetime) -> tuple[Candidate, ...]:
    """As few residents without a lease as make room, the least recently used first; empty when none do."""
    giving_way = [c for c in residents if _gives_way(c, newcomer, at) and not _lingers(server, c, newcomer, at)]
    return _group(server, residents, newcomer, giving_way)


def handing_over(
    server: Server, residents: Sequence[Candidate], newcomer: Candidate, at: datetime
) -> tuple[Candidate, ...]:
    """As few residents, in use or not, as make room for a model for which a request has waited long enough.

    Those that drain already come first. Empty before its time, where it fits, and where none make room.
    """
    if not _has_waited_enough(server, newcomer, at) or fits(server, residents, newcomer):
        return ()
    return _group(server, residents, newcomer, [c for c in residents if _gives_way(c, newcomer, at, in_use=True)])


def pressure(operations: Iterable[tuple[datetime, datetime | None]], at: datetime) -> float:
    """The share of the last minute in which a server ran operations, by when each began and ended (None: not yet).

    In twentieths, so that what those who wait are told does not change with every look.
    """
    since = at - timedelta(seconds=PRESSURE_OVER_S)
    spans = (min(ended or at, at) - max(began, since) for began, ended in operations)
    share = sum(max(0.0, span.total_seconds()) for span in spans) / PRESSURE_OVER_S
    return round(share * 20) / 20


def lingers_until(server: Server, resident: Candidate, newcomer: Candidate) -> datetime | None:
    """Until when an idle model is kept for its next request, although a request waits for the newcomer.

    Only while more than half of the server's time goes to swapping, and then the longer the more of it.
    """
    excess = (server.pressure - LINGERS_ABOVE) / (1 - LINGERS_ABOVE)
    if excess <= 0 or not newcomer.waiting_lease or newcomer.load_s is None:
        return None
    if resident.last_used_at is None or resident.drain_until is not None:
        return None
    return resident.last_used_at + timedelta(seconds=LINGERS_FOR_LOADS * newcomer.load_s * excess)


def _lingers(server: Server, resident: Candidate, newcomer: Candidate, at: datetime) -> bool:
    until = lingers_until(server, resident, newcomer)
    return until is not None and until > at and not _has_waited_enough(server, newcomer, at)


def _has_waited_enough(server: Server, newcomer: Candidate, at: datetime) -> bool:
    waited_s = (at - newcomer.queued_at).total_seconds() if newcomer.queued_at else 0.0
    return newcomer.waiting_lease and waited_s >= server.hand_over_after_s


def _group(
    server: Server, residents: Sequence[Candidate], newcomer: Candidate, pool: Sequence[Candidate]
) -> tuple[Candidate, ...]:
    places, memory = _missing(server, residents, newcomer)
    ordered = sorted(pool, key=_goes_first)
    largest = sorted((c.size_mb or 0 for c in pool), reverse=True)
    for number in range(max(1, places), len(pool) + 1):
        if sum(largest[:number]) >= memory:
            return _first_group(ordered, number, memory)
    return ()


def _first_group(idle: Sequence[Candidate], number: int, memory: int) -> tuple[Candidate, ...]:
    """Of the groups of `number` that free `memory`, the first in the order given; there is one."""
    group: list[Candidate] = []
    for index, c in enumerate(idle):
        others = number - len(group) - 1
        largest = sorted((c.size_mb or 0 for c in idle[index + 1 :]), reverse=True)[:others]
        if len(largest) == others and _size([*group, c]) + sum(largest) >= memory:
            group.append(c)
        if len(group) == number:
            break
    return tuple(group)


def _gives_way(resident: Candidate, newcomer: Candidate, at: datetime, *, in_use: bool = False) -> bool:
    if resident.observed != Observed.READY or resident.pinned or resident.expected:
        return False
    if resident.open_leases and not (in_use or resident.overdue(at)):
        return False
    if resident.backing_off(at) or resident.priority > newcomer.rank(at):
        return False
    return not _stays_in_its_window(resident, newcomer)


def _stays_in_its_window(resident: Candidate, newcomer: Candidate) -> bool:
    """Whether it is on by its window, and gives way to a request or a higher priority only."""
    stays = resident.wanted and resident.in_window and resident.priority >= newcomer.priority
    return stays and not newcomer.waiting_lease


def _goes_first(c: Candidate) -> tuple[bool, bool, float, int]:
    """What drains already, then the least recently used."""
    used_at = c.last_used_at.timestamp() if c.last_used_at else 0.0
    return c.drain_until is None, c.last_used_at is not None, used_at, c.id
