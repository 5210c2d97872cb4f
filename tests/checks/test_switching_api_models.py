"""Switching models of API providers: there is no queue and no GPU, only a check."""

from collections.abc import Callable
from typing import Any

import pytest

from models_registry.answers import Answer
from models_registry.models import Window
from models_registry.refusals import ModelInUse
from models_registry.services import checking
from models_registry.services.registration import delete_model, restore_model, update_model
from tests.checks.world import ApiWorld
from usage.models import Lease
from usage.refusals import ModelInactive
from usage.services.leases import find_lease, release

HOUR = 3600


class TestSwitchedOn:
    def test_it_is_activating_until_a_check_at_once_makes_it_active(self, api: ApiWorld, tasks: list[str]):
        api.settle()
        api.add("gpt-mini")
        api.advance(1)
        api.switch_on("gpt-mini")
        assert api.status("gpt-mini") == "activating"
        assert tasks[-1] == "monitoring.tasks.watch"
        api.settle()
        assert api.status("gpt-mini") == "active"

    def test_what_the_last_checks_found_ready_is_active_at_once(self, api: ApiWorld):
        api.add("gpt-mini")
        api.settle()
        asked = len(api.server.asked)
        api.switch_on("gpt-mini")
        assert api.status("gpt-mini") == "active"
        api.settle()
        assert len(api.server.asked) == asked

    def test_at_a_provider_that_fails_it_is_an_error_after_one_check(self, api: ApiWorld):
        api.add("gpt-mini")
        api.server.feel(503)
        api.run_for(HOUR)
        asked = len(api.server.asked)
        api.advance(1)
        api.switch_on("gpt-mini")
        assert api.status("gpt-mini") == "activating"
        api.settle()
        assert (api.error("gpt-mini"), len(api.server.asked)) == ("provider_unreachable", asked + 1)

    def test_asking_again_checks_again(self, api: ApiWorld):
        api.add("gone")
        api.switch_on("gone")
        api.settle()
        assert api.error("gone") == "not_offered"
        api.server.models.append("gone")
        api.advance(1)
        api.switch_on("gone")
        assert api.status("gone") == "activating"
        api.settle()
        assert api.status("gone") == "active"

    def test_nothing_waits_in_a_queue_for_ever(self, api: ApiWorld):
        api.add("gone")
        api.switch_on("gone")
        api.settle()
        assert api.model("gone").queued_at is None


class TestSwitchedOff:
    @pytest.fixture
    def used(self, api: ApiWorld) -> ApiWorld:
        api.add("gpt-mini")
        api.bring_up("gpt-mini")
        api.use("gpt-mini", ttl_s=3600)
        return api

    def test_unused_it_is_registered_at_once_and_stays_ready(self, api: ApiWorld):
        api.add("gpt-mini")
        api.bring_up("gpt-mini")
        api.switch_off("gpt-mini")
        model = api.model("gpt-mini")
        assert (model.status_word, model.observed, model.drain_until) == ("registered", "ready", None)

    def test_its_leases_drain_and_are_revoked_by_the_timer(self, used: ApiWorld):
        used.switch_off("gpt-mini")
        assert used.model("gpt-mini").drain_until == used.at(60)
        with pytest.raises(ModelInactive):
            used.use("gpt-mini")
        used.run_for(59)
        assert used.status("gpt-mini") == "in_use"
        used.run_for(2)
        assert Lease.objects.get().close_reason == "revoked"
        assert (used.status("gpt-mini"), used.model("gpt-mini").drain_until) == ("registered", None)

    def test_a_drain_ends_with_the_last_lease(self, used: ApiWorld):
        used.switch_off("gpt-mini")
        grant = Lease.objects.get()
        release(find_lease(grant.pk, client_id=None))
        used.settle()
        assert used.model("gpt-mini").drain_until is None

    def test_by_force_they_are_revoked_now(self, used: ApiWorld):
        used.switch_off("gpt-mini", force=True)
        used.settle()
        assert Lease.objects.get().close_reason == "revoked"


class TestInAWindow:
    @pytest.fixture
    def night(self, api: ApiWorld) -> ApiWorld:
        """Now it is 18:00 in Seoul; the window closes at 19:00, and its leases have 30 s."""
        week = [{"weekdays": [0, 1, 2, 3, 4, 5, 6], "start": "17:00", "end": "19:00"}]
        window = Window.objects.create(name="evening", timezone="Asia/Seoul", rules=week, drain_s=30)
        api.add("gpt-mini", activation_policy="scheduled", window=window)
        api.settle()
        api.run_for(1)
        return api

    def test_it_is_wanted_inside_it(self, night: ApiWorld):
        assert night.status("gpt-mini") == "active"

    def test_at_its_close_leases_drain_and_are_revoked(self, night: ApiWorld):
        night.run_for(HOUR - 60)
        night.use("gpt-mini", ttl_s=3600)
        night.run_for(61)
        assert (night.model("gpt-mini").wanted, night.status("gpt-mini")) == (False, "in_use")
        with pytest.raises(ModelInactive) as refusal:
            night.use("gpt-mini")
        assert refusal.value.extra["next_opening"] is not None
        night.run_for(31)
        assert Lease.objects.get().close_reason == "revoked"
        assert night.status("gpt-mini") == "registered"

    @pytest.mark.slow
    def test_at_the_next_opening_it_is_on_again(self, night: ApiWorld):
        night.run_for(24 * HOUR)
        assert night.status("gpt-mini") == "active"


class TestOnDemand:
    def test_it_is_ready_at_once_and_off_when_it_was_idle(self, api: ApiWorld):
        api.add("gpt-mini", activation_policy="on_demand", idle_ttl_s=120)
        api.settle()
        assert api.status("gpt-mini") == "registered"
        api.done(api.use("gpt-mini"))
        assert api.status("gpt-mini") == "active"
        api.run_for(100)
        assert api.status("gpt-mini") == "active"
        api.run_for(30)
        assert api.status("gpt-mini") == "registered"


class TestDeleting:
    def test_a_wanted_one_can_go(self, api: ApiWorld):
        api.add("gpt-mini")
        api.bring_up("gpt-mini")
        delete_model(api.model("gpt-mini"), actor="user:kim")
        assert api.model("gpt-mini").deleted_at is not None

    def test_a_used_one_cannot_and_is_told_why(self, api: ApiWorld):
        api.add("gpt-mini")
        api.bring_up("gpt-mini")
        api.use("gpt-mini")
        with pytest.raises(ModelInUse) as refusal:
            delete_model(api.model("gpt-mini"), actor="user:kim")
        assert "GPU" not in refusal.value.detail

    def test_restored_it_is_unknown_and_off_until_the_next_check(self, api: ApiWorld):
        api.add("gpt-mini")
        api.bring_up("gpt-mini")
        delete_model(api.model("gpt-mini"), actor="user:kim")
        api.advance(5)
        restore_model(api.model("gpt-mini"), actor="user:kim")
        assert (api.status("gpt-mini"), api.model("gpt-mini").observed) == ("registered", "unknown")
        api.settle()
        assert api.model("gpt-mini").observed == "ready"

    @pytest.mark.parametrize(("wanted", "refused"), [(True, True), (False, False)])
    def test_only_one_at_rest_can_stand_for_another(self, api: ApiWorld, wanted: bool, refused: bool):
        api.add("gpt-mini")
        api.bring_up("gpt-mini")
        if not wanted:
            api.switch_off("gpt-mini")
        changes: dict[str, Any] = {"remote_name": "embed-small"}
        if refused:
            with pytest.raises(ModelInUse):
                update_model(api.model("gpt-mini"), changes, actor="user:kim")
        else:
            update_model(api.model("gpt-mini"), changes, actor="user:kim")
            assert api.model("gpt-mini").observed == "unknown"


class TestAskedForWhileACheckIsUnderWay:
    """What the check read of the model is old by the time it is answered, so it tells nothing about it."""

    @pytest.fixture
    def meanwhile(self, api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
        """Let something happen while the provider is asked once, which takes two seconds."""

        def arrange(happening: Callable[[], object]) -> None:
            ask = checking.ask

            def ask_slowly(*args: Any, **more: Any) -> Answer:
                monkeypatch.setattr(checking, "ask", ask)
                api.advance(1)
                happening()
                api.advance(1)
                return ask(*args, **more)

            monkeypatch.setattr(checking, "ask", ask_slowly)

        return arrange

    def test_switched_on_it_is_checked_at_once(self, api: ApiWorld, meanwhile: Any):
        api.add("gpt-mini")
        meanwhile(lambda: api.switch_on("gpt-mini"))
        api.settle()
        assert api.status("gpt-mini") == "active"

    def test_registered_it_is_checked_at_once(self, api: ApiWorld, meanwhile: Any):
        meanwhile(lambda: api.add("gpt-mini"))
        api.settle()
        assert api.model("gpt-mini").observed == "ready"
