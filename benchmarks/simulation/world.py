"""One GPU on which models take turns: requests come, wait, use a model and leave; one operation at a time.

Event-driven and exact: the same trace and policy give the same result on every machine. Seconds throughout.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from models_registry.vocabulary import Observed
from monitoring.rules.room import fits
from monitoring.rules.values import Candidate, Server


class Broken(Exception):
    """A policy did what no server allows, or left requests waiting for ever."""


@dataclass(frozen=True)
class Model:
    name: str
    load_s: float
    size_mb: int = 0


@dataclass(frozen=True)
class Gpu:
    """What one server holds: models by number, by memory, or both. An unload takes the same for each."""

    slots: int | None = 1
    memory_mb: int | None = None
    unload_s: float = 1.2


@dataclass(frozen=True, order=True)
class Request:
    """Somebody wants a model at a moment, for as long as `hold_s`.

    `then` are further requests of the same client, each (pause, hold_s), made only after this one has been served.
    """

    at: float
    model: str
    hold_s: float = 1.0
    then: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Operation:
    kind: Literal["load", "unload"]
    model: str
    began_at: float
    ends_at: float


@dataclass(frozen=True)
class Served:
    request: Request
    at: float

    @property
    def wait_s(self) -> float:
        return self.at - self.request.at


class Policy(Protocol):
    """Who is served, and what is loaded and unloaded when. Told nothing of the future but what it was given."""

    def asked(self, world: "World", request: Request) -> None:
        """A request has come."""

    def next_served(self, world: "World") -> Request | None:
        """A waiting request for a loaded model that may begin now."""

    def act(self, world: "World") -> None:
        """Begin at most one operation; called whenever anything has happened and none is running."""

    def look_again_at(self, world: "World") -> float | None:
        """When to act again although nothing happens."""


@dataclass
class World:
    """The state that policies read, and the two things they can do to it: `load` and `unload`."""

    models: dict[str, Model]
    gpu: Gpu
    at: float = 0.0
    ready: dict[str, float] = field(default_factory=dict)  # since when
    operation: Operation | None = None
    operations: list[Operation] = field(default_factory=list)
    waiting: dict[str, deque[Request]] = field(default_factory=dict)
    served: list[Served] = field(default_factory=list)
    leases: dict[str, int] = field(default_factory=dict)
    last_used: dict[str, float] = field(default_factory=dict)
    revoked: int = 0
    _coming: list[Request] = field(default_factory=list)
    _ends: list[tuple[float, int, str]] = field(default_factory=list)
    _revoked: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.server = Server(max_loaded=self.gpu.slots, memory_mb=self.gpu.memory_mb)
        self.as_candidates = {
            name: Candidate(number, name, wanted=False, observed=Observed.READY, size_mb=model.size_mb)
            for number, (name, model) in enumerate(self.models.items())
        }
        self.waiting = {name: deque() for name in self.models}
        self.leases = dict.fromkeys(self.models, 0)

    def occupied(self) -> list[str]:
        """The models that take room now, those on their way in or out among them."""
        return [*self.ready, *([self.operation.model] if self.operation else [])]

    def has_room(self, name: str, *, without: Sequence[str] = ()) -> bool:
        """Whether the model fits beside the others, by the product's own rule."""
        beside = [self.as_candidates[other] for other in self.occupied() if other not in without]
        return fits(self.server, beside, self.as_candidates[name])

    def load(self, name: str) -> None:
        """Begin to load a model. Raises Broken where it does not fit or something else is under way."""
        if self.operation is not None or name in self.ready or not self.has_room(name):
            raise Broken(f"{name} cannot be loaded beside {self.occupied()}")
        self._begin("load", name, self.models[name].load_s)

    def unload(self, name: str, *, revoke: bool = False) -> None:
        """Begin to unload a model. Raises Broken where it is in use, unless its leases are to be revoked."""
        if self.operation is not None or name not in self.ready or (self.leases[name] and not revoke):
            raise Broken(f"{name} cannot be unloaded: {self.leases[name]} leases, {self.operation}")
        if self.leases[name]:
            self._revoke(name)
        del self.ready[name]
        self._begin("unload", name, self.gpu.unload_s)

    def _begin(self, kind: Literal["load", "unload"], name: str, takes_s: float) -> None:
        self.operation = Operation(kind, name, self.at, round(self.at + takes_s, 3))
        self.operations.append(self.operation)

    def _revoke(self, name: str) -> None:
        self._revoked |= {number for _, number, model in self._ends if model == name}
        self.revoked += self.leases[name]
        self.leases[name] = 0
        self.last_used[name] = self.at

    def run(self, trace: Sequence[Request], policy: Policy) -> None:
        """Play the trace until everybody has been served and has left. Raises Broken when that never happens."""
        self._coming = sorted(trace)
        while self._coming or self._ends or any(self.waiting.values()):
            self.at = self._next_moment(policy)
            self._end_operation()
            self._end_leases()
            while self._coming and self._coming[0].at <= self.at:
                request = heapq.heappop(self._coming)
                self.waiting[request.model].append(request)
                policy.asked(self, request)
            self._serve(policy)
            if self.operation is None:
                policy.act(self)
                self._serve(policy)

    def _next_moment(self, policy: Policy) -> float:
        moments = [self._coming[0].at] if self._coming else []
        if self._ends:
            moments.append(self._ends[0][0])
        if self.operation is not None:
            moments.append(self.operation.ends_at)
        elif (again := policy.look_again_at(self)) is not None:
            moments.append(round(again, 3))
        if not moments or (moment := min(moments)) < self.at:
            raise Broken(f"at {self.at} s requests wait for ever: {self.waiting}")
        return moment

    def _end_operation(self) -> None:
        if self.operation is not None and self.operation.ends_at <= self.at:
            if self.operation.kind == "load":
                self.ready[self.operation.model] = self.at
            self.operation = None

    def _end_leases(self) -> None:
        while self._ends and self._ends[0][0] <= self.at:
            _, number, name = heapq.heappop(self._ends)
            if number in self._revoked:
                continue
            self.leases[name] -= 1
            self.last_used[name] = self.at

    def _serve(self, policy: Policy) -> None:
        while (request := policy.next_served(self)) is not None:
            self.waiting[request.model].remove(request)
            self.served.append(Served(request, self.at))
            self.leases[request.model] += 1
            self.last_used[request.model] = self.at
            ends_at = round(self.at + request.hold_s, 3)
            heapq.heappush(self._ends, (ends_at, len(self.served), request.model))
            if request.then:
                (pause_s, hold_s), *rest = request.then
                heapq.heappush(self._coming, Request(round(ends_at + pause_s, 3), request.model, hold_s, tuple(rest)))
