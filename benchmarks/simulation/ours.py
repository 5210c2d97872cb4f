"""The product's policy in the simulated world: its own `plan`, fed with what its rows would hold."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from benchmarks.simulation.policies import ServesAtOnce
from benchmarks.simulation.world import Request, World
from models_registry.vocabulary import Observed
from monitoring.rules.plan import plan, queue_of
from monitoring.rules.room import PRESSURE_OVER_S, pressure
from monitoring.rules.values import Candidate, Drain, Keep, Load, Server, Unload

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Settings:
    """The product's settings that matter here, with its defaults."""

    hand_over_after_s: float = 60
    drain_s: float = 60
    idle_ttl_s: float = 300


def moment(at: float) -> datetime:
    return BEGIN + timedelta(seconds=at)


def _seconds(at: datetime) -> float:
    """The first millisecond at which that moment has come."""
    return math.ceil((at - BEGIN) / timedelta(milliseconds=1)) / 1000


class Ours(ServesAtOnce):
    """On-demand models as the product keeps them.

    A request that waits, a lease, and `idle_ttl_s` after the last lease are demand; giving way ends demand.
    `promised` holds for each request that had to wait the longest wait that docs/hand-over.md lets it expect.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        self.settings = settings or Settings()
        self.queued_at: dict[str, float] = {}
        self.gave_way_at: dict[str, float] = {}
        self.free_at: list[float] = []
        self.promised: dict[Request, float] = {}

    def asked(self, world: World, request: Request) -> None:
        if request.model not in world.ready:
            self.promised[request] = self._longest_wait(world, request.model)

    def act(self, world: World) -> None:
        names = list(world.models)
        while True:
            decided = plan(self._server(world), self._candidates(world), moment(world.at))
            self.free_at = [_seconds(wait.until) for wait in decided.waits.values() if wait.until is not None]
            match decided.action:
                case Load(number):
                    return world.load(names[number])
                case Unload(number, for_model, revoke):
                    return self._unload(world, names[number], gives_way=for_model is not None, revoke=revoke)
                case Drain(number):
                    self.leaving[names[number]] = round(world.at + self.settings.drain_s, 3)
                case Keep(number):
                    del self.leaving[names[number]]
                case _:
                    return None

    def look_again_at(self, world: World) -> float | None:
        times = [*self.free_at, *self.leaving.values()]
        times += [at + self.settings.hand_over_after_s for at in self.queued_at.values()]
        times += [self._idle_until(world, name) for name in world.ready]
        return min((time for time in times if round(time, 3) > world.at), default=None)

    def _unload(self, world: World, name: str, *, gives_way: bool, revoke: bool) -> None:
        self.leaving.pop(name, None)
        world.unload(name, revoke=revoke)
        if gives_way:
            self.gave_way_at[name] = world.at
        for request in world.waiting[name]:  # made while it was to hand over: they join the queue now
            self.promised[request] = world.at - request.at + self._longest_wait(world, name)

    def _server(self, world: World) -> Server:
        latest = takewhile(lambda o: o.ends_at > world.at - PRESSURE_OVER_S, reversed(world.operations))
        spans = [(moment(o.began_at), moment(o.ends_at)) for o in latest]
        return Server(
            world.gpu.slots,
            world.gpu.memory_mb,
            hand_over_after_s=self.settings.hand_over_after_s,
            pressure=pressure(spans, moment(world.at)),
        )

    def _candidates(self, world: World) -> list[Candidate]:
        return [self._candidate(world, number, name) for number, name in enumerate(world.models)]

    def _candidate(self, world: World, number: int, name: str) -> Candidate:
        observed = _observed(world, name)
        ready, leases, asked_for = observed == Observed.READY, world.leases[name], self._asked_for(world, name)
        self._queue(world, name, waits=asked_for and not ready)
        queued_at, last_used = self.queued_at.get(name), world.last_used.get(name)
        leaving = self.leaving.get(name)
        return Candidate(
            id=number,
            name=name,
            wanted=asked_for or leases > 0,
            observed=observed,
            open_leases=leases,
            drain_until=None if leaving is None else moment(leaving),
            size_mb=world.models[name].size_mb,
            waiting_lease=asked_for and not ready,
            expected=asked_for and ready and last_used is not None and last_used < world.ready[name],
            queued_at=None if queued_at is None else moment(queued_at),
            last_used_at=None if last_used is None else moment(last_used),
            load_s=world.models[name].load_s,
        )

    def _asked_for(self, world: World, name: str) -> bool:
        return bool(world.waiting[name]) or self._idle_until(world, name) > world.at

    def _idle_until(self, world: World, name: str) -> float:
        """When the demand that the last lease left ends: with its idle time, or when the model gave way."""
        last_used = world.last_used.get(name)
        if last_used is None or self.gave_way_at.get(name, -1.0) >= last_used:
            return -1.0
        return round(last_used + self.settings.idle_ttl_s, 3)

    def _queue(self, world: World, name: str, *, waits: bool) -> None:
        if not waits:
            self.queued_at.pop(name, None)
        else:
            self.queued_at.setdefault(name, world.at)

    def _longest_wait(self, world: World, name: str) -> float:
        """`H + k · (D + U + L)`, with one more `L` where memory is short: a smaller model may be let in before `H`.

        Its place `k` is counted behind a model that is being loaded or, though asked for, unloaded; last if that is it.
        """
        if _observed(world, name) == Observed.LOADING:
            return world.models[name].load_s
        queue = [c.name for c in queue_of(self._candidates(world), moment(world.at))]
        under_way = world.operation
        before = under_way is not None and (under_way.kind == "load" or bool(world.waiting[under_way.model]))
        place = (queue.index(name) if name in queue else len(queue)) + 1 + before
        loads_s = max(model.load_s for model in world.models.values())
        turn_s = self.settings.drain_s + world.gpu.unload_s * max(1, len(world.ready)) + loads_s
        let_in_s = loads_s if world.gpu.memory_mb else 0
        return self.settings.hand_over_after_s + place * turn_s + let_in_s


def _observed(world: World, name: str) -> Observed:
    if world.operation is not None and world.operation.model == name:
        return Observed.LOADING if world.operation.kind == "load" else Observed.UNLOADING
    return Observed.READY if name in world.ready else Observed.UNLOADED
