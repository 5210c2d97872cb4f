"""Everything that can happen to a server and its models, in any order, against the fake and the real database."""

from contextlib import suppress
from typing import Any
from unittest import mock

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Refusal
from models_registry.models import Provider, RegisteredModel
from models_registry.services.configs import create_version
from models_registry.services.registration import delete_model, restore_model
from models_registry.services.switching import automatic
from models_registry.vocabulary import Observed
from monitoring import operations, outcomes
from monitoring.models import Operation
from monitoring.rules.plan import Nothing
from tests.monitoring.world import START, World
from tests.properties.clearing import clear
from tests.properties.promises import Promises
from tests.triton.fake import FakeModel
from usage.models import Binding, Lease
from usage.services.bindings import bind, unbind
from usage.services.leases import close_expired, find_lease, release, renew

NAMES = ("m1", "m2", "m3", "m4")
BUDGET_MB = 100
names = st.sampled_from(NAMES)
model_kinds = st.fixed_dictionaries(
    {
        "gpu_memory_mb": st.sampled_from([20, 40, 60, 100]),
        "priority": st.sampled_from([0, 0, 1]),
        "pinned": st.sampled_from([False, False, False, True]),
        "activation_policy": st.sampled_from(["manual", "manual", "on_demand"]),
        "idle_ttl_s": st.sampled_from([5, 60]),
        "load_s": st.sampled_from([0, 1, 8, 330]),
        "unload_s": st.sampled_from([0, 1, 70]),
        "failure": st.sampled_from(["", "", "", "CUDA out of memory"]),
    }
)


EIGHT: dict[str, Any] = {"triton": {"max_batch_size": 8}}
BROKEN: dict[str, Any] = {"triton": {"parameters": {"failure": "no such kernel"}}}


class Killed(BaseException):
    """kill -9, as far as one process can show it."""


def kill(*_args: Any, **_more: Any) -> None:
    raise Killed


class Life(RuleBasedStateMachine):
    """One server with four models and a stranger, one client, an operator, a worker that may die."""

    build: Any = None
    traveller: Any = None

    @initialize(
        kinds=st.lists(model_kinds, min_size=len(NAMES), max_size=len(NAMES)),
        limits=st.sampled_from([(1, None), (2, None), (2, BUDGET_MB), (None, BUDGET_MB)]),
        drain_s=st.sampled_from([5, 60]),
    )
    def begin(self, kinds: list[dict[str, Any]], limits: tuple[int | None, int | None], drain_s: int) -> None:
        clear()
        type(self).traveller.move_to(START, tick=False)
        number, memory = limits
        self.world: World = type(self).build(max_loaded_models=number, budget_mb=memory, drain_s=drain_s)
        for name, kind in zip(NAMES, kinds, strict=True):
            self.world.add(name, **kind)
        self.world.fake.add(FakeModel("stranger", load_s=1, unload_s=1))
        self.promises = Promises(self.world)

    # -- clients

    @rule(name=names, ttl_s=st.sampled_from([5, 60, 600]))
    def lease(self, name: str, ttl_s: int) -> None:
        with suppress(Refusal):
            self.world.use(name, ttl_s=ttl_s)
            assert self.world.fake.is_ready(name), "a lease on a model that is not ready"

    @rule(pick=st.integers(0, 99))
    def release(self, pick: int) -> None:
        if (lease := self._one_of(Lease, pick)) is not None:
            release(find_lease(lease.pk, client_id=None))

    @rule(pick=st.integers(0, 99))
    def renew(self, pick: int) -> None:
        if (lease := self._one_of(Lease, pick)) is not None:
            with suppress(Refusal):
                renew(find_lease(lease.pk, client_id=None))

    @rule(name=names, reference=st.sampled_from(["a", "b"]))
    def bind(self, name: str, reference: str) -> None:
        with suppress(Refusal):
            bind(name, client_id=self.world.client.pk, reference=reference)

    @rule(pick=st.integers(0, 99))
    def unbind(self, pick: int) -> None:
        if (binding := self._one_of(Binding, pick)) is not None:
            unbind(binding)

    def _one_of(self, table: Any, pick: int) -> Any:
        rows = list(table.objects.order_by("pk"))
        return rows[pick % len(rows)] if rows else None

    # -- the operator

    @rule(name=names, minutes=st.sampled_from([None, None, 1, 10]))
    def activate(self, name: str, minutes: int | None) -> None:
        with suppress(Refusal):
            self.world.switch_on(name, until=self.world.at(60 * minutes) if minutes else None)

    @rule(name=names, force=st.booleans())
    def deactivate(self, name: str, force: bool) -> None:
        with suppress(Refusal):
            self.world.switch_off(name, force=force)

    @rule(name=names)
    def give_back(self, name: str) -> None:
        with suppress(Refusal):
            automatic(self.world.model(name), actor="user:kim")

    @rule(name=names)
    def delete(self, name: str) -> None:
        with suppress(Refusal):
            delete_model(self.world.model(name), actor="user:kim")

    @rule(name=names)
    def restore(self, name: str) -> None:
        with suppress(Refusal):
            restore_model(self.world.model(name), actor="user:kim")

    @rule(enabled=st.sampled_from([True, True, False]))
    def enable(self, enabled: bool) -> None:
        Provider.objects.update(enabled=enabled)

    @rule(name=names, values=st.sampled_from([{}, {"timeout_s": 5}, EIGHT, EIGHT, BROKEN]))
    def configure(self, name: str, values: dict[str, Any]) -> None:
        with suppress(Refusal):
            create_version(self.world.model(name), values, actor="user:kim", apply=True)

    # -- the worker, and time

    @rule()
    def look(self) -> None:
        self.promises.interfered = self._something_unposted()
        close_expired(now())
        found = self.last = self.world.look()
        just_ended = found.operation is not None and found.operation.finished_at is not None  # looked at again at once
        if found.answered and not just_ended and self.world.provider_row().enabled:
            self._every_waiter_is_told_why()

    def _something_unposted(self) -> bool:
        """Whether a dead worker left an operation to post, planned before others touched the server."""
        return self.promises.interfered and Operation.objects.filter(finished_at=None, posted_at=None).exists()

    def _every_waiter_is_told_why(self) -> None:
        for model in RegisteredModel.objects.filter(wanted=True, error_code="").exclude(observed=Observed.READY):
            held_back = model.failures >= 5 or (model.retry_at is not None and model.retry_at > now())
            assert model.waiting is not None or held_back, f"{model.name} waits, and nobody says why"

    @rule(point=st.sampled_from(["claimed", "before", "after", "recording"]))
    def die(self, point: str) -> None:
        """One look by a worker that is killed on its way."""
        self.promises.interfered = self._something_unposted()
        fake = self.world.fake
        load, unload = fake.post_load, fake.post_unload

        def then_die(post: Any) -> Any:
            return lambda *args, **more: (post(*args, **more), kill())

        patches = {
            "claimed": [mock.patch.object(operations, "_post", kill)],
            "before": [mock.patch.object(fake, "post_load", kill), mock.patch.object(fake, "post_unload", kill)],
            "after": [
                mock.patch.object(fake, "post_load", then_die(load)),
                mock.patch.object(fake, "post_unload", then_die(unload)),
            ],
            "recording": [mock.patch.object(outcomes, "_aftermath", kill)],
        }[point]
        for patch in patches:
            patch.start()
        try:
            self.world.look()
        except Killed:
            pass
        finally:
            for patch in patches:
                patch.stop()

    @rule(seconds=st.sampled_from([0.2, 1, 6, 30]))
    def run(self, seconds: float) -> None:
        """Time passes, and the worker looks whenever something is due."""
        ends = self.world.at(seconds)
        for _turn in range(40):
            if now() >= ends:
                return
            self.world.advance(min((ends - now()).total_seconds(), max(seconds / 30, self.world._until_due())))
            self.look()

    @rule(seconds=st.sampled_from([0.2, 1, 6, 30, 310, 1000]))
    def pause(self, seconds: float) -> None:
        """Time passes, and nobody looks."""
        self.world.advance(seconds)

    # -- the server, and others who touch it

    @rule(fault=st.sampled_from(["down", "hang", "answers", "answers"]))
    def fault(self, fault: str) -> None:
        self.world.fake.down, self.world.fake.hang = fault == "down", fault == "hang"

    @rule()
    def restart(self) -> None:
        self.promises.interfered = True
        self.world.fake.restart()

    @rule(name=names)
    def vanish(self, name: str) -> None:
        self.world.fake._entries.get(name) and self.world.fake.forget(name)

    @rule(name=names, kind=model_kinds)
    def put_back(self, name: str, kind: dict[str, Any]) -> None:
        """The repository has this model, perhaps another make of it; its size stays as declared."""
        size_mb = self.world.model(name).gpu_memory_mb
        made = {field: kind[field] for field in ("load_s", "unload_s", "failure")}
        self.world.fake.add(FakeModel(name, size_mb=size_mb or 0, **made))

    @rule(name=st.sampled_from([*NAMES, "stranger"]))
    def someone_loads(self, name: str) -> None:
        self.promises.interfered = True
        entry = self.world.fake._entries.get(name)
        if entry is not None and entry.listed and not entry.copies:
            self.world.fake.load_behind_our_back(name)

    @rule(name=st.sampled_from([*NAMES, "stranger"]))
    def someone_unloads(self, name: str) -> None:
        self.promises.interfered = True
        self.world.fake.unload_behind_our_back(name)

    @rule(seconds=st.sampled_from([0, 0.5]))
    def stale_index(self, seconds: float) -> None:
        self.world.fake.stale_index_s = seconds

    # -- what holds

    @invariant()
    @precondition(lambda self: hasattr(self, "promises"))
    def promises_hold(self) -> None:
        self.promises.check()

    def teardown(self) -> None:
        if hasattr(self, "promises"):
            self._come_to_rest()
            clear()

    def _come_to_rest(self) -> None:
        """The server works again, nobody asks for anything: then it ends, and all is as wanted or in error."""
        world = self.world
        world.fake.down = world.fake.hang = False
        world.fake.stale_index_s = 0
        Provider.objects.update(enabled=True)
        for name, entry in list(world.fake._entries.items()):
            entry.model.load_s = entry.model.unload_s = 0
            if not entry.listed and not entry.copies:
                world.fake.add(FakeModel(name, size_mb=entry.model.size_mb))
        for _poll in range(40):
            self._two_minutes()
        posts = len(world.posts())
        for _poll in range(10):
            self._two_minutes()
        assert len(world.posts()) == posts, f"never at rest: {world.posts()[-6:]}"
        self._all_is_as_wanted()

    def _two_minutes(self) -> None:
        self.world.advance(120)
        for _turn in range(20):
            self.look()
            found = self.last
            if found.operation is None and isinstance(found.plan.action, Nothing):
                return
            self.world.advance(0.2)

    def _all_is_as_wanted(self) -> None:
        assert not Operation.objects.filter(finished_at=None).exists()
        assert not Lease.objects.filter(closed_at=None).exists()
        resident = self.world.resident()
        for model in RegisteredModel.objects.all():
            if not model.wanted:
                assert model.name not in resident, f"{model.name} is on the GPU and nobody wants it"
            elif model.observed == Observed.READY:
                assert model.name in resident, f"{model.name} is believed ready"
            else:
                assert model.error_code, f"{model.name} waits without an end"
