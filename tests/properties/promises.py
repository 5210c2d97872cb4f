"""What must always hold of a world, checked after every step by the rows and by the server itself."""

from collections import Counter
from typing import Any

from django.db.models import Count

from models_registry.facts import status_of
from models_registry.in_force import InForce
from models_registry.models import RegisteredModel, StatusEvent
from models_registry.vocabulary import Observed
from monitoring.models import Operation, OperationKind
from tests.monitoring.world import World
from usage.models import Binding, CloseReason, Lease

FACTS = ("wanted", "observed", "error_code")


class Promises:
    """Remembers the last state of a world, to judge each change of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.facts: dict[str, tuple[Any, ...]] = {}
        self.events: dict[str, int] = {}
        self.drain_until: dict[int, Any] = {}
        self.revoked: set[int] = set()
        self.last_lease = 0
        self.interfered = False
        self._guard_posts()

    def _guard_posts(self) -> None:
        """Judge every load and unload at the very moment at which the server gets it."""
        fake = self.world.fake
        load, unload = fake.post_load, fake.post_unload

        def post_load(name: str, **more: Any) -> bool:
            if not fake.down and not fake.hang:
                self._may_load(name)
            return load(name, **more)

        def post_unload(name: str) -> None:
            assert not Lease.objects.filter(model__remote_name=name, closed_at=None).exists(), f"{name} is leased"
            unload(name)

        fake.post_load, fake.post_unload = post_load, post_unload  # type: ignore[method-assign]

    def _may_load(self, name: str) -> None:
        assert Operation.objects.filter(finished_at=None, kind=OperationKind.LOAD, model__remote_name=name).count() == 1
        if self.interfered:  # somebody else changed the server after we had asked it
            return
        world = self.world
        world.fake._settle()
        copies = {other: entry.copies for other, entry in world.fake._entries.items() if entry.copies}
        for other, entry in world.fake._entries.items():
            if not entry.listed and not entry.find("ready", "loading"):
                copies.pop(other, None)  # removed from disk and on its way out: nothing tells of it
        assert name not in copies, f"{name} would be loaded twice: {copies}"
        limit = world.provider.max_loaded_models
        assert limit is None or len(copies) < limit, f"{name} beside {sorted(copies)}"
        registered = dict(RegisteredModel.objects.values_list("remote_name", "gpu_memory_mb"))
        sizes = [registered.get(other) or 0 for other in (*copies, name)]  # a stranger's size is unknown
        assert world.fake.budget_mb is None or sum(sizes) <= world.fake.budget_mb, (name, sizes)

    def check(self) -> None:
        """All of it; raises AssertionError with what does not hold."""
        models = list(RegisteredModel.all_objects.select_related("provider"))
        self._operations()
        self._counters(models)
        self._leases_revoked_in_time(models)
        self._leases_carry_what_was_in_force()
        events = dict(StatusEvent.objects.values_list("model").annotate(number=Count("pk")).order_by())
        for model in models:
            self._row(model)
            self._changes_have_events(model, events.get(model.pk, 0))

    def _operations(self) -> None:
        operations = list(Operation.objects.values_list("kind", "model__name", "posted_at", "finished_at"))
        assert sum(finished_at is None for *_rest, finished_at in operations) <= 1
        posted = Counter((kind, name) for kind, name, posted_at, _finished_at in operations if posted_at)
        twice = Counter(self.world.posts()) - posted
        assert not twice, f"posted more often than there are operations: {twice}"

    def _counters(self, models: list[RegisteredModel]) -> None:
        all_leases = Counter(Lease.objects.filter(closed_at=None).values_list("model", flat=True))
        all_bindings = Counter(Binding.objects.values_list("model", flat=True))
        for model in models:
            leases, bindings = all_leases[model.pk], all_bindings[model.pk]
            assert (model.open_leases, model.bindings) == (leases, bindings), model.name
            assert model.deleted_at is None or (leases, bindings) == (0, 0), f"{model.name} is deleted, and in use"

    def _leases_revoked_in_time(self, models: list[RegisteredModel]) -> None:
        """None before its deadline, by the deadline as it was before this step or is after it."""
        deadlines = {model.pk: model.drain_until for model in models}
        for lease in Lease.objects.filter(close_reason=CloseReason.REVOKED).exclude(pk__in=self.revoked):
            known = [d for d in (self.drain_until.get(lease.model_id), deadlines[lease.model_id]) if d is not None]
            in_time = known and lease.closed_at is not None and lease.closed_at >= min(known)
            assert in_time, f"lease {lease.pk} was revoked too early"
            self.revoked.add(lease.pk)
        self.drain_until = deadlines

    def _leases_carry_what_was_in_force(self) -> None:
        leases = list(Lease.objects.filter(pk__gt=self.last_lease).select_related("model"))
        history = InForce(lease.model_id for lease in leases)
        for lease in leases:
            assert history.at(lease.model_id, lease.granted_at) == lease.config, f"lease {lease.pk}"
            self.last_lease = max(self.last_lease, lease.pk)

    def _row(self, model: RegisteredModel) -> None:
        facts = {field: getattr(model, field) for field in ("error_code", "open_leases", "observed", "wanted")}
        assert model.status == status_of(**facts, recovered_at=model.recovered_at)
        drains_for_nothing = model.wanted and model.drain_until and not model.needs_reload
        assert not drains_for_nothing, f"{model.name} is wanted and drains"
        assert model.drain_until or not (model.wanted and model.needs_reload), f"{model.name} is leased as it was"
        waits = model.wanted and model.observed != Observed.READY
        assert (model.queued_at is not None) == waits, f"{model.name} {model.observed} queued {model.queued_at}"
        assert model.waiting is None or waits, f"{model.name} waits for nothing"
        assert not model.recovered_at or (not model.error_code and model.wanted)
        assert bool(model.error_code) == bool(model.error_since)

    def _changes_have_events(self, model: RegisteredModel, events: int) -> None:
        facts = tuple(getattr(model, field) for field in FACTS)
        changed = self.facts.get(model.name, facts) != facts
        assert not changed or events > self.events[model.name], f"{model.name} changed to {facts} without an event"
        self.facts[model.name], self.events[model.name] = facts, events
