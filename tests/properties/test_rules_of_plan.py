"""The plan over all servers and models."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given

from models_registry.vocabulary import Observed
from monitoring.rules.plan import Candidate, Load, Nothing, Plan, Server, Unload, Wait, fits, plan, queue_of
from tests.properties.values import AT, by_id, candidates, many, servers


class TestPlan:
    @many
    @given(server=servers, models=candidates())
    def test_nothing_is_done_to_a_server_at_work(self, server: Server, models: list[Candidate]):
        action = plan(server, models, AT).action
        assert isinstance(action, Wait) == bool(server.busy)

    @many
    @given(server=servers, models=candidates())
    def test_a_load_never_exceeds_what_the_server_holds(self, server: Server, models: list[Candidate]):
        action = plan(server, models, AT).action
        if isinstance(action, Load):
            newcomer = by_id(models, action.model_id)
            residents = [c for c in models if c.resident]
            assert newcomer.wanted and not newcomer.resident and not newcomer.held_back(AT)
            number = len(residents) + len(server.foreign) + 1
            assert server.max_loaded is None or number <= server.max_loaded
            sizes = sum(c.size_mb or 0 for c in (*residents, newcomer))
            assert server.memory_mb is None or sizes <= server.memory_mb

    @many
    @given(server=servers, models=candidates())
    def test_victims_are_idle_unpinned_ready_and_of_no_higher_priority(self, server: Server, models: list[Candidate]):
        action = plan(server, models, AT).action
        if isinstance(action, Unload) and action.for_model is not None:
            victim, newcomer = by_id(models, action.model_id), by_id(models, action.for_model)
            assert victim.observed == Observed.READY and not victim.open_leases and not victim.pinned
            assert not victim.expected and victim.priority <= newcomer.priority
            if victim.wanted and victim.in_window:
                assert victim.priority < newcomer.priority or newcomer.waiting_lease
            assert newcomer.wanted and not newcomer.held_back(AT)
            assert not fits(server, [c for c in models if c.resident], newcomer)

    @many
    @given(server=servers, models=candidates())
    def test_pressure_only_delays_a_hand_over_and_never_beyond_its_time(self, server: Server, models: list[Candidate]):
        calm = plan(replace(server, pressure=0.0), models, AT).action
        pressed = plan(server, models, AT).action
        if isinstance(calm, Unload) and calm.for_model is not None and pressed != calm:
            newcomer = by_id(models, calm.for_model)
            assert server.pressure > 0.5 and newcomer.waiting_lease and newcomer.queued_at is not None
            assert (AT - newcomer.queued_at).total_seconds() < server.hand_over_after_s

    @many
    @given(server=servers, models=candidates())
    def test_a_leased_model_leaves_only_unwanted_and_after_its_time(self, server: Server, models: list[Candidate]):
        action = plan(server, models, AT).action
        if isinstance(action, Unload):
            leaving = by_id(models, action.model_id)
            if leaving.open_leases:
                assert action.revoke and not leaving.wanted
                assert leaving.drain_until is not None and leaving.drain_until <= AT

    @many
    @given(server=servers, models=candidates())
    def test_every_waiter_gets_a_place_and_a_reason(self, server: Server, models: list[Candidate]):
        found = plan(server, models, AT)
        queue = queue_of(models, AT)
        assert [found.waits[c.id].position for c in queue] == list(range(1, len(queue) + 1))
        assert set(found.waits) == {c.id for c in queue}
        leaving = any(c.observed == Observed.UNLOADING for c in models)  # the index would say so: a busy server
        if queue and isinstance(found.action, Nothing) and not leaving:
            assert found.waits[queue[0].id].held_by or not fits(server, [], queue[0])

    @many
    @given(server=servers, models=candidates())
    def test_the_order_of_the_models_makes_no_difference_to_who_enters(self, server: Server, models: list[Candidate]):
        action, again = plan(server, models, AT).action, plan(server, models[::-1], AT).action
        if isinstance(action, Load):
            assert action == again


@dataclass
class Simulation:
    """The simplest world that obeys a plan: an action is done at once, as operations would do it."""

    server: Server
    models: dict[int, Candidate]
    at: datetime = AT

    def obey(self, decided: Plan) -> None:
        match decided.action:
            case Load(model_id):
                self._set(model_id, observed=Observed.READY, error_code="", failures=0, retry_at=None, queued_at=None)
                self._set(model_id, waiting_lease=False)  # whoever waited comes and goes, or never comes
            case Unload(model_id, None):
                self._set(model_id, observed=Observed.UNLOADED, open_leases=0, drain_until=None)
            case Unload(model_id, _for_model):
                in_window = self.models[model_id].in_window
                self._set(model_id, observed=Observed.UNLOADED, wanted=in_window, waiting_lease=False, expected=False)
                self._set(model_id, queued_at=self.at if in_window else None)

    def _set(self, id: int, **facts: Any) -> None:
        self.models[id] = replace(self.models[id], **facts)

    def pass_time(self) -> None:
        """Ten minutes in which nobody asks for anything: leases, demand, drains and back-offs run out."""
        self.at += timedelta(minutes=10)
        for id, c in self.models.items():
            at_rest = c.observed if c.observed not in (Observed.LOADING, Observed.UNLOADING) else Observed.UNLOADED
            queued_at = c.queued_at or self.at if c.wanted and at_rest != Observed.READY else None
            self._set(id, observed=at_rest, open_leases=0, expected=False, waiting_lease=False, queued_at=queued_at)


@many
@given(server=servers, models=candidates())
def test_it_comes_to_rest_when_nobody_asks_for_anything(server: Server, models: list[Candidate]):
    """No model pushes another out for ever, not even two in their windows: at most a few steps each."""
    simulation = Simulation(replace(server, busy=()), {c.id: c for c in models})
    steps = 0
    for _span in range(4):
        for _step in range(4 * len(models) + 4):
            decided = plan(simulation.server, list(simulation.models.values()), simulation.at)
            if isinstance(decided.action, Nothing):
                break
            steps += 1
            simulation.obey(decided)
        else:
            raise AssertionError(f"no rest: {decided.action}")
        simulation.pass_time()
    before = dict(simulation.models)
    decided = plan(simulation.server, list(simulation.models.values()), simulation.at)
    assert isinstance(decided.action, Nothing), decided
    assert before == simulation.models
    assert steps <= 6 * len(models) + 6
    unwanted = [c for c in simulation.models.values() if not c.wanted and c.observed == Observed.READY]
    assert not unwanted, "somebody holds room that nobody wants"
