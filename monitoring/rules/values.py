"""What planning reads and says about one Triton server: frozen values."""

from dataclasses import dataclass, field
from datetime import datetime

from models_registry.judge import GIVE_UP_AFTER
from models_registry.vocabulary import RESIDENT, ErrorCode, Observed

AGE_STEP_S = 60


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
    needs_reload: bool = False
    reloading: bool = False

    def rank(self, at: datetime) -> int:
        """Its priority, which rises by one with each minute for which a request has waited: nobody starves."""
        if not self.waiting_lease or self.queued_at is None:
            return self.priority
        return self.priority + int((at - self.queued_at).total_seconds() // AGE_STEP_S)

    @property
    def may_evict(self) -> bool:
        """Whether others give way to it: not for the next try of a load that failed, unless a request waits."""
        return self.failures == 0 or self.waiting_lease

    def overdue(self, at: datetime) -> bool:
        """Whether its leases have had their time to drain."""
        return self.drain_until is not None and self.drain_until <= at

    @property
    def resident(self) -> bool:
        return self.observed in RESIDENT

    def backing_off(self, at: datetime) -> bool:
        return self.retry_at is not None and self.retry_at > at

    def held_back(self, at: datetime) -> bool:
        """Whether it must not be loaded now: not listed, backing off, or given up until somebody asks again."""
        return self.error_code == ErrorCode.MISSING or self.failures >= GIVE_UP_AFTER or self.backing_off(at)


@dataclass(frozen=True)
class Server:
    """What the server holds beside its registered models; limits are None where nothing is declared.

    `foreign` names residents that nobody registered (each counts as one, of unknown size), `busy` whatever
    the index says is loading or unloading, ours or anyone's. After `hand_over_after_s` of waiting a request
    makes models that are in use hand over. While `memory_held` (an unload gave no memory back) nothing is loaded.
    `pressure` is the share of the last minute that went to loading and unloading.
    """

    max_loaded: int | None = 1
    memory_mb: int | None = None
    foreign: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    hand_over_after_s: float = 60
    memory_held: bool = False
    pressure: float = 0.0


@dataclass(frozen=True)
class Load:
    model_id: int


@dataclass(frozen=True)
class Unload:
    """Take a model off the GPU: not wanted any more, or (with `for_model`) as a victim; `revoke` its leases first.

    With `reload` it is wanted, and loaded anew with other settings.
    """

    model_id: int
    for_model: int | None = None
    revoke: bool = False
    reload: bool = False


@dataclass(frozen=True)
class Drain:
    """Give no new leases of a model that is in use, since a request for another one has waited long enough."""

    model_id: int
    for_model: int


@dataclass(frozen=True)
class Keep:
    """Let a model that was to hand over stay: nobody waits for its room any more."""

    model_id: int


@dataclass(frozen=True)
class Wait:
    """The server works; nothing is posted into it. `on` names what it works on."""

    on: tuple[str, ...]


@dataclass(frozen=True)
class Nothing:
    """The server is as it should be, as far as it can be now."""


Action = Load | Unload | Drain | Keep | Wait | Nothing


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
