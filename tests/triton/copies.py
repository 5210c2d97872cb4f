"""What the fake Triton keeps of each model: its row in the repository, its copies on the GPU, and what is posted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from models_registry.providers.errors import ProviderRefused

Clock = Callable[[], float]
CopyState = Literal["loading", "ready", "unloading"]


@dataclass(frozen=True)
class Post:
    """One load or unload that reached the server, `at` seconds of its clock."""

    kind: Literal["load", "unload"]
    name: str
    at: float
    config: dict[str, Any] | None = None


@dataclass
class FakeModel:
    """A model in the repository. `failure` is the backend's message when loading it fails.

    `size_mb` counts against the server's budget from the start of a load to the end of an unload.
    """

    name: str
    load_s: float = 0.0
    unload_s: float = 0.0
    size_mb: int = 0
    failure: str = ""
    version: str = "1"


@dataclass
class Copy:
    """One copy of a model on the GPU, from the start of its load to the end of its unload."""

    model: FakeModel
    state: CopyState
    ends_at: float
    config: dict[str, Any] | None = None
    edition: int = 0
    failure: str = ""
    unload_after: bool = False
    succeeded: int = 0
    failed: int = 0
    last_ms: int = 0

    def is_still(self, edition: int, config: dict[str, Any] | None) -> bool:
        """Whether a load asking for this finds nothing to do (a plain load keeps a replaced configuration)."""
        return self.edition == edition and config in (None, self.config) and not self.unload_after

    def statistics(self) -> dict[str, Any]:
        """As `v2/models/stats` answers it."""
        counted = {"success": {"count": self.succeeded, "ns": 0}, "fail": {"count": self.failed, "ns": 0}}
        answered = self.succeeded + self.failed
        told = {"inference_count": self.succeeded, "execution_count": answered, "last_inference": self.last_ms}
        return {"name": self.model.name, "version": self.model.version, "inference_stats": counted} | told


@dataclass
class Entry:
    """A row of the repository, with the copies there are of its model."""

    model: FakeModel
    listed: bool = True
    edition: int = 0
    reason: str | None = None  # None: never loaded since the server started
    copies: list[Copy] = field(default_factory=list)

    def find(self, *states: CopyState) -> Copy | None:
        """The first copy in one of these states."""
        return next((copy for copy in self.copies if copy.state in states), None)

    @property
    def row_state(self) -> str:
        """While a second copy loads beside a ready one, the real index goes on saying READY."""
        states: tuple[CopyState, ...] = ("ready", "loading", "unloading")
        return next((state.upper() for state in states if self.find(state)), "UNAVAILABLE")

    def row(self) -> dict[str, Any]:
        """As the index answers it."""
        state = self.row_state
        if state == "UNAVAILABLE" and self.reason is None:
            return {"name": self.model.name}
        row = {"name": self.model.name, "version": self.model.version, "state": state}
        return row | {"reason": self.reason} if state == "UNAVAILABLE" and self.reason else row


class Ticket:
    """How one posted load or unload ends."""

    def __init__(self, clock: Clock, ends_at: float, copy: Copy | None) -> None:
        self._clock = clock
        self._copy = copy
        self.ends_at = ends_at

    def is_over(self) -> bool:
        return self._clock() >= self.ends_at

    def outcome(self) -> bool:
        """True when it went well; ProviderRefused with Triton's words when the load failed."""
        if self._copy is not None and self._copy.failure:
            model = self._copy.model
            raise ProviderRefused(
                f"load failed for model '{model.name}': version {model.version} is at UNAVAILABLE state: "
                f"{self._copy.failure}",
                status=400,
            )
        return True
