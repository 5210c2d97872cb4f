"""A person's switch: on, off, until when, by force, and whatever else changes the row meanwhile."""

from datetime import timedelta
from typing import Any

import pytest

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid, NotFound
from models_registry import facts
from models_registry.refusals import ModelTooLarge
from models_registry.services import switching
from models_registry.services.registration import delete_model
from models_registry.services.switching import activate, automatic, deactivate
from models_registry.vocabulary import ErrorCode
from tests.monitoring.world import World

ACTOR = "user:kim"


def test_switching_on_makes_it_wanted_and_queues_it(world: World, chat: str) -> None:
    model = activate(world.model(chat), actor=ACTOR)
    assert (model.switch_state, model.wanted, model.status_word, model.queued_at) == ("on", True, "activating", now())
    event = model.events.get()
    assert (event.code, event.actor, event.to_word) == ("switched_on", ACTOR, "activating")


def test_switching_off_makes_it_unwanted(world: World, chat: str) -> None:
    activate(world.model(chat), actor=ACTOR)
    model = deactivate(world.model(chat), actor=ACTOR)
    assert (model.switch_state, model.wanted, model.queued_at) == ("off", False, None)
    assert world.codes(chat) == ["switched_on", "switched_off"]


def test_switching_to_what_it_is_tells_nothing_new(world: World, chat: str) -> None:
    for _time in range(3):
        activate(world.model(chat), actor=ACTOR)
    assert world.codes(chat) == ["switched_on"]


def test_automatic_gives_a_manual_model_back_to_rest(world: World, chat: str) -> None:
    activate(world.model(chat), actor=ACTOR)
    assert not automatic(world.model(chat), actor=ACTOR).wanted


def test_a_switch_until_a_time_ends_then(world: World, chat: str) -> None:
    activate(world.model(chat), actor=ACTOR, until=now() + timedelta(seconds=30))
    world.settle()
    assert world.status(chat) == "active"

    world.run_for(32)

    assert (world.status(chat), world.resident()) == ("registered", [])


@pytest.mark.parametrize("switch", [activate, deactivate])
@pytest.mark.parametrize("seconds", [0, -1, -3600])
def test_a_time_that_has_passed_is_refused(world: World, chat: str, switch: Any, seconds: int) -> None:
    with pytest.raises(Invalid) as refused:
        switch(world.model(chat), actor=ACTOR, until=now() + timedelta(seconds=seconds))
    assert refused.value.extra["errors"][0]["field"] == "until"
    assert world.codes(chat) == []


def test_a_model_that_never_fits_is_refused_before_anything_gives_way(db: None, build: Any) -> None:
    world = build(budget_mb=8000, max_loaded_models=None)
    small, large = world.add("small", gpu_memory_mb=1000), world.add("large", gpu_memory_mb=9000)
    activate(world.model(small), actor=ACTOR)
    world.settle()

    with pytest.raises(ModelTooLarge):
        activate(world.model(large), actor=ACTOR)

    world.run_for(5)
    assert (world.resident(), world.status(large)) == ([small], "registered")


@pytest.mark.parametrize("code", [ErrorCode.NOT_LOADED, ErrorCode.LOAD_FAILED, ErrorCode.ACTIVATION_TIMEOUT])
@pytest.mark.parametrize("switch", [activate, deactivate])
def test_the_error_of_the_last_try_is_forgiven(world: World, chat: str, switch: Any, code: ErrorCode) -> None:
    world.put(chat, error_code=code, error_message="boom", error_since=now(), failures=5, retry_at=world.at(300))
    model = switch(world.model(chat), actor=ACTOR)
    assert (model.error_code, model.error_message, model.failures, model.retry_at) == ("", "", 0, None)


@pytest.mark.parametrize("code", [ErrorCode.MISSING, ErrorCode.PROVIDER_UNREACHABLE])
def test_what_asking_again_does_not_mend_stays_an_error(world: World, chat: str, code: ErrorCode) -> None:
    world.put(chat, error_code=code)
    assert activate(world.model(chat), actor=ACTOR).error_code == code


def test_what_waits_already_waits_anew_from_now(world: World, chat: str) -> None:
    activate(world.model(chat), actor=ACTOR)
    world.advance(600)
    assert activate(world.model(chat), actor=ACTOR).queued_at == now()


def test_switching_off_a_loaded_model_lets_leases_drain(world: World, chat: str) -> None:
    world.make_ready(chat)
    world.use(chat)
    model = deactivate(world.model(chat), actor=ACTOR)
    assert model.drain_until == world.at(world.provider.drain_s)
    assert (model.status_word, model.open_leases) == ("in_use", 1)


def test_force_leaves_no_time_and_revokes(world: World, chat: str) -> None:
    world.make_ready(chat)
    world.use(chat)
    deactivate(world.model(chat), actor=ACTOR, force=True)
    world.settle()
    assert (world.resident(), world.model(chat).open_leases) == ([], 0)
    assert list(world.model(chat).leases.values_list("close_reason", flat=True)) == ["revoked"]


def test_switching_on_again_ends_the_drain(world: World, chat: str) -> None:
    world.make_ready(chat)
    world.use(chat)
    deactivate(world.model(chat), actor=ACTOR)
    assert activate(world.model(chat), actor=ACTOR).drain_until is None
    assert world.use(chat).lease_id


def test_switching_off_spoils_no_recovery(world: World, chat: str) -> None:
    world.make_ready(chat)
    world.put(chat, recovered_at=now())
    assert world.status(chat) == "recovered"
    assert deactivate(world.model(chat), actor=ACTOR).recovered_at is None


def test_a_switch_holds_though_the_facts_change_under_it(
    world: World, chat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, losses = switching.change_facts, iter(range(10))

    def losing(model: Any, changes: Any, **told: Any) -> bool:
        if next(losses, None) is not None:
            facts.change_facts(world.model(chat), {"failures": model.revision + 1}, code="x", actor="y", at=now())
        return change(model, changes, **told)

    monkeypatch.setattr(switching, "change_facts", losing)

    assert activate(world.model(chat), actor=ACTOR).wanted
    assert (world.model(chat).revision, world.codes(chat)) == (11, ["switched_on"])


@pytest.mark.parametrize("switch", [activate, deactivate, automatic])
def test_a_model_deleted_meanwhile_is_not_found(world: World, chat: str, switch: Any) -> None:
    read_before = world.model(chat)
    delete_model(world.model(chat), actor=ACTOR)
    with pytest.raises(NotFound):
        switch(read_before, actor=ACTOR)
    assert not world.model(chat).wanted
