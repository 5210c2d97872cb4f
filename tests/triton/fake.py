"""A Triton server as a state machine with a clock one can move: implements TritonGateway in-process."""

import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from models_registry.providers.counters import Counters, read_counters
from models_registry.providers.errors import ProviderRefused, ProviderUnavailable
from models_registry.providers.observation import GpuMemory, Observation, ServerInfo, fold
from tests.triton.copies import Clock, Copy, Entry, FakeModel, Post, Ticket

EXTENSIONS = ("model_repository", "model_configuration", "statistics")


class FakeTriton:
    """Behaves like the real server as measured; never moves its clock by itself.

    `clock` tells seconds; without one, time stands still but for `advance(s)`. As a gateway it
    does not wait: `post_load` answers True only when the load ends at once (`load_s` 0).

    Faults, set at will: `down` (connection refused), `hang` (no answer; same failure for a caller),
    `stale_index_s` (after a post the index goes on showing the old rows for that long),
    `forget(name)`, `restart()`, `unload_behind_our_back(name)`.
    """

    def __init__(
        self,
        models: Iterable[FakeModel | str] = (),
        *,
        budget_mb: int | None = None,
        clock: Clock | None = None,
        name: str = "triton",
    ) -> None:
        self.name = name
        self.budget_mb = budget_mb
        self.down = False
        self.hang = False
        self.stale_index_s = 0.0
        self.exposes_gpu_memory = False
        self.leaked_mb = 0
        self.posts: list[Post] = []
        self.calls: dict[str, int] = {}
        self.changed = threading.Condition(threading.RLock())
        self._clock = clock or (lambda: 0.0)
        self._offset = 0.0
        self._entries: dict[str, Entry] = {}
        self._stale: tuple[float, list[dict[str, Any]]] | None = None
        for model in models:
            self.add(model)

    # -- arranging -----------------------------------------------------------------------------

    def add(self, model: FakeModel | str, **settings: Any) -> FakeModel:
        """Put a model into the repository, or replace it there (a replaced one is a changed one)."""
        model = FakeModel(model, **settings) if isinstance(model, str) else replace(model, **settings)
        with self.changed:
            entry = self._entries.get(model.name)
            if entry is None:
                self._entries[model.name] = Entry(model)
            else:
                entry.model, entry.listed, entry.edition = model, True, entry.edition + 1
        return model

    def forget(self, name: str) -> None:
        """The model's folder is removed: not listed any more, but what is loaded stays loaded."""
        with self.changed:
            if name in self._entries:
                self._entries[name].listed = False

    def restart(self) -> None:
        """Everything is unloaded and nothing was ever loaded; it is up and answering again."""
        with self.changed:
            self.down = self.hang = False
            self._stale = None
            self._entries = {name: Entry(entry.model) for name, entry in self._entries.items() if entry.listed}
            self.changed.notify_all()

    def unload_behind_our_back(self, name: str) -> None:
        """Someone else's unload: not among `posts`."""
        with self.changed:
            self._unload(name)

    def load_behind_our_back(self, name: str) -> None:
        """Someone else's load: not among `posts`."""
        with self.changed:
            self._load(name, None)

    def call(self, name: str, *, fails: bool = False, times: int = 1) -> None:
        """Requests that the model answers, with an error when it `fails`."""
        with self.changed:
            self._settle()
            copy = self._entries[name].find("ready")
            assert copy is not None, f"{name} is not loaded"
            copy.failed += times if fails else 0
            copy.succeeded += 0 if fails else times
            copy.last_ms = max(1, round(self.now() * 1000))

    def now(self) -> float:
        return self._clock() + self._offset

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self.changed:
            self._offset += seconds
            self.changed.notify_all()

    def state_of(self, name: str) -> str:
        """The state without asking as a client would: also while down."""
        with self.changed:
            self._settle()
            return self._entries[name].row_state.lower()

    def used_mb(self) -> int:
        """Memory taken now, by copies in any state; `leaked_mb` stands for memory that never comes back."""
        with self.changed:
            self._settle()
            return self.leaked_mb + sum(copy.model.size_mb for entry in self._entries.values() for copy in entry.copies)

    # -- the gateway ---------------------------------------------------------------------------

    def observe(self) -> Observation:
        return fold(self.index())

    def is_ready(self, name: str, version: str = "") -> bool:
        with self._asked("ready"):
            copy = self._serving(name)
            return copy is not None and version in ("", copy.model.version)

    def post_load(self, name: str, *, config: dict[str, Any] | None = None) -> bool:
        with self._asked("load"):
            ticket = self.begin_load(name, config=config)
            return ticket.is_over() and ticket.outcome()

    def post_unload(self, name: str) -> None:
        with self._asked("unload"):
            self.begin_unload(name)

    def server_info(self) -> ServerInfo:
        with self._asked("info"):
            return ServerInfo(self.name, "2.51.0", EXTENSIONS)

    def effective_config(self, name: str) -> dict[str, Any] | None:
        with self._asked("config"):
            copy = self._serving(name)
            return None if copy is None else {"name": name, "backend": "python"} | (copy.config or {})

    def counters(self) -> tuple[Counters, ...]:
        return read_counters(self.statistics())

    def gpu_memory(self) -> GpuMemory | None:
        if not self.exposes_gpu_memory or self.down or self.hang:
            return None
        return GpuMemory(total_mb=self.budget_mb or 0, used_mb=self.used_mb())

    def close(self) -> None:
        pass

    # -- what the HTTP server in front of it uses too --------------------------------------------

    def index(self) -> list[dict[str, Any]]:
        """The rows as the real server sends them."""
        with self._asked("index"):
            if self._stale and self.now() < self._stale[0]:
                return self._stale[1]
            return self._rows()

    def statistics(self) -> dict[str, Any]:
        """The counters as the real server sends them: of what is loaded, from zero with each load."""
        with self._asked("statistics"):
            serving = [(name, copy) for name in sorted(self._entries) if (copy := self._serving(name))]
            return {"model_stats": [copy.statistics() for _name, copy in serving]}

    def begin_load(self, name: str, *, config: dict[str, Any] | None = None) -> Ticket:
        """Count the post and start the load; the ticket tells when and how it ends."""
        with self.changed:
            self._count_post(Post("load", name, self.now(), config))
            return Ticket(self.now, *self._load(name, config))

    def begin_unload(self, name: str) -> Ticket:
        """Count the post and start the unload; the real server answers once no load is running any more."""
        with self.changed:
            self._count_post(Post("unload", name, self.now()))
            return Ticket(self.now, self._unload(name), None)

    def wait_until(self, at: float, *, at_most_s: float) -> bool:
        """Block until the clock shows `at`, `at_most_s` of real time; whether it does."""
        give_up_at = time.monotonic() + at_most_s
        with self.changed:
            while self.now() < at and time.monotonic() < give_up_at:
                self.changed.wait(min(0.25, max(0.001, at - self.now())))
            return self.now() >= at

    # -- the machine -----------------------------------------------------------------------------

    def _asked(self, question: str) -> "threading.Condition":
        self.calls[question] = self.calls.get(question, 0) + 1
        if self.down:
            raise ProviderUnavailable("connection refused")
        if self.hang:
            raise ProviderUnavailable("no answer within 2 s")
        with self.changed:
            self._settle()
        return self.changed

    def _count_post(self, post: Post) -> None:
        self._settle()
        if self.stale_index_s:
            self._stale = (self.now() + self.stale_index_s, self._rows())
        self.posts.append(post)

    def _rows(self) -> list[dict[str, Any]]:
        return [entry.row() for _, entry in sorted(self._entries.items()) if entry.listed]

    def _serving(self, name: str) -> Copy | None:
        entry = self._entries.get(name)
        return None if entry is None else entry.find("ready")

    def _load(self, name: str, config: dict[str, Any] | None) -> tuple[float, Copy | None]:
        entry = self._entries.get(name)
        if entry is None or not entry.listed:
            raise ProviderRefused(f"failed to load '{name}', failed to poll from model repository", status=500)
        self._settle()
        last = next((copy for copy in reversed(entry.copies) if copy.state in ("loading", "ready")), None)
        if last is not None and last.is_still(entry.edition, config):
            return last.ends_at, last  # nothing changed: joins the load, or finds it done
        begins_at = max([self.now(), *(copy.ends_at for copy in entry.copies if copy.state == "loading")])
        copy = Copy(entry.model, "loading", begins_at + entry.model.load_s, config, entry.edition)
        copy.failure = entry.model.failure or _asked_for(config) or self._out_of_memory(entry.model)
        entry.copies.append(copy)
        self._settle()
        self.changed.notify_all()
        return copy.ends_at, copy

    def _out_of_memory(self, model: FakeModel) -> str:
        if self.budget_mb is None:
            return ""
        free_mb = self.budget_mb - self.used_mb()
        if model.size_mb <= free_mb:
            return ""
        return (
            f"Internal: RuntimeError: CUDA out of memory. Tried to allocate {model.size_mb} MiB. GPU 0 has a total "
            f"capacity of {self.budget_mb} MiB of which {free_mb} MiB is free."
        )

    def _unload(self, name: str) -> float:
        """When the server answers: at once, or when the running load has ended."""
        self._settle()
        entry = self._entries.get(name)
        if entry is None:
            return self.now()
        if loading := entry.find("loading"):
            loading.unload_after = True
            return loading.ends_at
        if ready := entry.find("ready"):
            self._begin_unloading(ready, self.now())
        self._settle()
        self.changed.notify_all()
        return self.now()

    def _begin_unloading(self, copy: Copy, at: float) -> None:
        copy.state, copy.ends_at = "unloading", at + copy.model.unload_s

    def _settle(self) -> None:
        """Let everything happen whose time has come, in the order of time."""
        while due := self._due():
            due.sort(key=lambda item: item[1].ends_at)
            self._end(*due[0])

    def _due(self) -> list[tuple[Entry, Copy]]:
        return [
            (entry, copy)
            for entry in self._entries.values()
            for copy in entry.copies
            if copy.state != "ready" and copy.ends_at <= self.now()
        ]

    def _end(self, entry: Entry, copy: Copy) -> None:
        if copy.state == "unloading":
            entry.copies.remove(copy)
            entry.reason = "unloaded"
        elif copy.failure:
            entry.copies.remove(copy)
            entry.reason = copy.failure
        else:
            before = entry.find("ready")
            copy.state, entry.reason = "ready", "unloaded"
            if before is not None:  # the new copy serves, the old one goes
                self._begin_unloading(before, copy.ends_at)
            if copy.unload_after:
                self._begin_unloading(copy, copy.ends_at)


def _asked_for(config: dict[str, Any] | None) -> str:
    """The failure that a configuration asks for by its parameter `failure`, as the models of `real.py` do."""
    message = (config or {}).get("parameters", {}).get("failure", {}).get("string_value", "")
    return f"Internal: RuntimeError: {message}" if message else ""
