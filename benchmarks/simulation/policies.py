"""What the product's policy is measured against: strict order, least recently used, and one that knows the trace."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from benchmarks.simulation.world import Request, World


class Fifo:
    """Strict order of requests: each is served only after all before it; the model it needs is swapped in for it."""

    def asked(self, world: World, request: Request) -> None: ...

    def look_again_at(self, world: World) -> float | None:
        return None

    def next_served(self, world: World) -> Request | None:
        first = oldest(world, world.models)
        return first if first is not None and first.model in world.ready else None

    def act(self, world: World) -> None:
        first = oldest(world, world.models)
        if first is not None and first.model not in world.ready:
            swap_in(world, first.model, key=lambda name: world.last_used[name])


class ServesAtOnce:
    """Whoever asks for a loaded model is served at once, unless the model is to leave."""

    def __init__(self) -> None:
        self.leaving: dict[str, float] = {}  # until when its leases may last

    def asked(self, world: World, request: Request) -> None: ...

    def look_again_at(self, world: World) -> float | None:
        return None

    def next_served(self, world: World) -> Request | None:
        return oldest(world, [name for name in world.ready if name not in self.leaving])


class Lru(ServesAtOnce):
    """The least recently used idle model gives way to the oldest waiting request, however long that waits."""

    def act(self, world: World) -> None:
        first = oldest(world, [name for name in world.models if name not in world.ready])
        if first is not None:
            swap_in(world, first.model, key=lambda name: world.last_used[name])


class LooksAhead(ServesAtOnce):
    """Knows the trace, and loses as little of the GPU to swapping as it can see to, within the same worst wait.

    Whoever has waited longest is next. The idle models that are asked for again last (Belady's choice) give
    way to it; but as long as it has waited for less than `hand_over_after_s`, the limit after which the product
    makes a model hand over, models that will be asked for before that limit are kept. After the limit they
    give way at once, idle or not: what is in use has the same `drain_s`. So its worst wait is bounded like the
    product's, and it is no policy for people: it lets them wait just to save a swap. Nor is it an optimum, for
    it looks ahead greedily, one swap at a time.
    """

    def __init__(self, trace: Iterable[Request], *, hand_over_after_s: float, drain_s: float) -> None:
        super().__init__()
        self.hand_over_after_s = hand_over_after_s
        self.drain_s = drain_s
        self.uses: dict[str, list[float]] = defaultdict(list)
        for request in sorted(trace):
            self.uses[request.model].append(request.at)

    def act(self, world: World) -> None:
        first = oldest(world, [name for name in world.models if name not in world.ready])
        if first is None:
            self.leaving.clear()
            return
        limit = round(first.at + self.hand_over_after_s, 3)
        if world.at >= limit:
            self._make_leave(world, first.model)
        pool = [name for name in world.ready if name in self.leaving or self._may_leave(world, name, limit)]
        swap_in(world, first.model, key=lambda name: -self._next_use(world, name), pool=pool, leaving=self.leaving)
        if world.operation is not None:
            self.leaving.pop(world.operation.model, None)

    def look_again_at(self, world: World) -> float | None:
        first = oldest(world, [name for name in world.models if name not in world.ready])
        limits = [*self.leaving.values(), *([first.at + self.hand_over_after_s] if first else [])]
        return min((limit for limit in limits if round(limit, 3) > world.at), default=None)

    def _may_leave(self, world: World, name: str, limit: float) -> bool:
        return self._next_use(world, name) > limit

    def _make_leave(self, world: World, newcomer: str) -> None:
        def later_asked_for(name: str) -> tuple[bool, float]:
            return name not in self.leaving, -self._next_use(world, name)

        for name in group(world, newcomer, sorted(world.ready, key=later_asked_for)):
            self.leaving.setdefault(name, round(world.at + self.drain_s, 3))

    def _next_use(self, world: World, name: str) -> float:
        uses = self.uses[name]
        index = bisect_right(uses, world.at)
        return uses[index] if index < len(uses) else float("inf")


def oldest(world: World, names: Iterable[str]) -> Request | None:
    """The request that has waited longest for one of these models."""
    return min((world.waiting[name][0] for name in names if world.waiting[name]), default=None)


def group(world: World, newcomer: str, ordered: Sequence[str]) -> list[str]:
    """Of the models in this order, as many as must leave for the newcomer to fit; empty when it fits, or never does."""
    leaving: list[str] = []
    for name in ordered:
        if world.has_room(newcomer, without=leaving):
            return leaving
        leaving.append(name)
    return leaving if world.has_room(newcomer, without=leaving) else []


def swap_in(
    world: World,
    newcomer: str,
    *,
    key: Callable[[str], float],
    pool: Iterable[str] | None = None,
    leaving: dict[str, float] | None = None,
) -> None:
    """Load the newcomer, or unload the first of the idle models (or of those whose time to leave is over) for it."""
    if world.has_room(newcomer):
        world.load(newcomer)
        return
    over = {name for name, until in (leaving or {}).items() if until <= world.at}
    free = [name for name in (world.ready if pool is None else pool) if not world.leases[name] or name in over]
    for name in group(world, newcomer, sorted(free, key=key)):
        world.unload(name, revoke=world.leases[name] > 0)
        return
