"""One fake Triton server with its provider and models, a clock that is moved, and a timer that is pulled by hand."""

import time
from datetime import UTC, datetime
from typing import Any

from time_machine import Traveller

from modelmanager.lib.clock import now
from models_registry.in_force import note_applied
from models_registry.models import Provider, RegisteredModel
from models_registry.vocabulary import Observed
from monitoring.models import Operation
from monitoring.reconcile import Round, reconcile
from monitoring.rules.values import Nothing
from tests.monitoring.scene import Scene
from tests.triton.fake import FakeModel, FakeTriton
from usage.models import Lease
from usage.services.leases import close_expired

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
URL = "http://127.0.0.1:18000"


class World(Scene):
    """A Triton server and its models."""

    def __init__(self, traveller: Traveller, *, budget_mb: int | None = None, **limits: Any) -> None:
        super().__init__(traveller)
        self.fake = FakeTriton(budget_mb=budget_mb, clock=time.time)
        limits = {"max_loaded_models": 1, **limits}
        self.provider = Provider.objects.create(
            name="gpu",
            kind="triton",
            base_url=URL,
            server_key="127.0.0.1:18000",
            allow_private_network=True,
            gpu_memory_mb=budget_mb,
            **limits,
        )

    # -- arranging

    def add(self, name: str, *, load_s: float = 0, unload_s: float = 0, failure: str = "", **fields: Any) -> str:
        """A model that the server lists and we have registered, not asked about yet; its name."""
        size_mb = fields.get("gpu_memory_mb") or 0
        self.fake.add(FakeModel(name, load_s=load_s, unload_s=unload_s, failure=failure, size_mb=size_mb))
        model = RegisteredModel.objects.create(
            name=name, remote_name=name, provider=self.provider, on_gpu=True, **fields
        )
        config = self._configure(model)
        note_applied(model, config.pk, actor="user:kim", at=now(), since=now())
        return name

    # -- looking

    def held_by(self, name: str) -> list[str]:
        """Whom the model is told to wait for."""
        waiting = self.model(name).waiting
        assert waiting is not None, f"{name} waits for nothing"
        return list(waiting["for"])

    def posts(self) -> list[tuple[str, str]]:
        """What reached the server: (kind, name), oldest first."""
        return [(post.kind, post.name) for post in self.fake.posts]

    def operations(self) -> list[Operation]:
        return list(Operation.objects.order_by("id"))

    def outcomes(self) -> list[tuple[str, str, str]]:
        return [(o.kind, o.model.name, o.outcome) for o in Operation.objects.select_related("model").order_by("id")]

    def resident(self) -> list[str]:
        """What occupies the server, asked of the fake itself."""
        return sorted(name for name, entry in self.fake._entries.items() if entry.copies)

    # -- acting

    def look(self) -> Round:
        return reconcile(self.provider.pk)

    def settle(self, *, at_most: int = 60) -> None:
        """Pull the timer, as the watcher would, until the server is at rest."""
        for _turn in range(at_most):
            close_expired(now())
            found = self.look()
            if found.operation is None and isinstance(found.plan.action, Nothing) and found.answered:
                return
            self.advance(0.2)
        raise AssertionError(f"not at rest after {at_most} looks: {self.outcomes()[-5:]}")

    def run_for(self, seconds: float, *, step: float = 1.0) -> None:
        """Let time pass as the watcher does: a look whenever the alarm goes off, but `step` seconds apart."""
        ends = self.at(seconds)
        while (left := (ends - now()).total_seconds()) > 0:
            self.advance(min(left, max(step, self._until_due())))
            close_expired(now())
            if self.provider_row().wake_at is not None and self._until_due() <= 0:
                self.look()

    def poll_for(self, seconds: float) -> None:
        """The same, with the two-minute poll and nothing else."""
        for _turn in range(int(seconds // 120)):
            self.advance(120)
            close_expired(now())
            self.look()

    def _until_due(self) -> float:
        """Seconds until the alarm or the end of a lease, at most the two minutes of the poll."""
        ends = Lease.objects.filter(closed_at__isnull=True).values_list("expires_at", flat=True)
        times = [time for time in (self.provider_row().wake_at, *ends) if time is not None]
        return min(120.0, *((time - now()).total_seconds() for time in times)) if times else 120.0

    def provider_row(self) -> Provider:
        return Provider.all_objects.get(pk=self.provider.pk)

    def bring_up(self, *names: str) -> None:
        """Switch models on, one after the other, and see them ready."""
        for name in names:
            self.switch_on(name)
            self.settle(at_most=2000)
            assert self.model(name).observed == Observed.READY

    def make_ready(self, name: str) -> None:
        """Loaded, switched on, and known to be so."""
        self.fake.load_behind_our_back(name)
        self.put(name, switch_state="on", wanted=True, observed=Observed.READY, observed_at=now())
