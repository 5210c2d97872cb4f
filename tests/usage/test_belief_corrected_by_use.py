"""At the moment of use the provider is asked itself; where it contradicts what we believed, that is recorded."""

from typing import Any

import pytest

from modelmanager.lib.clock import now
from models_registry.facts import change_facts
from models_registry.models import RegisteredModel
from models_registry.services.switching import activate, deactivate
from models_registry.vocabulary import ErrorCode, Observed
from tests.monitoring.world import World
from usage.models import Lease
from usage.refusals import ModelActivating, ModelError, ModelInactive

ACTOR = "user:kim"


@pytest.mark.parametrize("error", ["", "not_loaded", "load_failed", "activation_timeout", "provider_unreachable"])
@pytest.mark.parametrize("observed", [Observed.UNKNOWN, Observed.ABSENT, Observed.UNLOADED, Observed.FAILED])
def test_what_answers_ready_is_leased_whatever_we_believed(
    world: World, chat: str, observed: Observed, error: str
) -> None:
    world.put(chat, observed=observed, error_code=error, failures=5, retry_at=world.at(300))
    assert world.use(chat).lease_id

    model = world.model(chat)
    assert (model.observed, model.error_code, model.status_word, model.open_leases) == ("ready", "", "in_use", 1)
    assert world.codes(chat) == ["recovered" if error else "ready"]


def test_an_error_of_a_model_believed_ready_ends_with_its_next_answer(world: World, chat: str) -> None:
    world.put(chat, error_code=ErrorCode.PROVIDER_UNREACHABLE, error_message="silent", error_since=now())
    world.use(chat)
    assert (world.error(chat), world.codes(chat)) == ("", ["recovered"])


def test_a_granted_lease_ends_the_recovery(world: World, chat: str) -> None:
    world.put(chat, recovered_at=now())
    grant = world.use(chat)
    assert world.model(chat).recovered_at is None
    world.done(grant)
    assert world.status(chat) == "active"


@pytest.mark.parametrize("observed", [Observed.LOADING, Observed.UNLOADING])
def test_an_operation_speaks_for_its_model(world: World, chat: str, observed: Observed) -> None:
    world.put(chat, observed=observed)
    with pytest.raises(ModelActivating):
        world.use(chat)
    assert (world.model(chat).observed, world.codes(chat)) == (observed, [])


def test_what_does_not_answer_ready_is_an_error_and_is_repaired(world: World, chat: str) -> None:
    world.fake.unload_behind_our_back(chat)

    with pytest.raises(ModelError) as refused:
        world.use(chat)

    assert (refused.value.extra, world.error(chat)) == ({"cause": "not_loaded"}, "not_loaded")
    assert (world.model(chat).observed, world.codes(chat)) == ("unloaded", ["not_loaded"])
    world.settle()
    assert (world.status(chat), world.codes(chat)[-1]) == ("recovered", "recovered")
    assert world.use(chat).lease_id


def test_open_leases_survive_a_model_that_was_lost_and_repaired(world: World, chat: str) -> None:
    grant = world.use(chat)
    world.fake.unload_behind_our_back(chat)
    with pytest.raises(ModelError):
        world.use(chat)
    assert (world.status(chat), world.model(chat).open_leases) == ("error", 1)
    world.done(grant)
    assert world.model(chat).open_leases == 0


# -- the conditional UPDATE decides, whatever was read before


def between_asking_and_granting(world: World, monkeypatch: pytest.MonkeyPatch, name: str, **facts: Any) -> None:
    """Columns of the row change after the provider has answered and before the lease is stored."""
    from usage.services import acquire

    insert = acquire.insert_lease

    def late(*args: Any, **kwargs: Any) -> int | None:
        monkeypatch.setattr(acquire, "insert_lease", insert)
        world.put(name, **facts)
        return insert(*args, **kwargs)

    monkeypatch.setattr(acquire, "insert_lease", late)


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"observed": "unloading"}, ModelActivating),
        ({"wanted": False, "switch_state": "off"}, ModelInactive),
        ({"error_code": "missing"}, ModelError),
        ({"error_code": "load_failed", "failures": 5}, ModelError),
        ({"error_code": "not_loaded"}, ModelActivating),
    ],
)
def test_a_change_after_the_answer_refuses_the_lease(
    world: World, chat: str, monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any], refusal: type[Exception]
) -> None:
    between_asking_and_granting(world, monkeypatch, chat, **facts)
    with pytest.raises(refusal):
        world.use(chat)
    assert (Lease.objects.count(), world.model(chat).open_leases) == (0, 0)


def test_a_drain_that_began_after_the_answer_refuses_the_lease(
    world: World, chat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    between_asking_and_granting(world, monkeypatch, chat, drain_until=world.at(60))
    with pytest.raises(ModelActivating):
        world.use(chat)
    assert world.model(chat).open_leases == 0


def test_a_deletion_after_the_answer_refuses_the_lease(
    world: World, chat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from usage.refusals import ModelNotFound

    between_asking_and_granting(world, monkeypatch, chat, deleted_at=now())
    with pytest.raises(ModelNotFound):
        world.use(chat)
    assert Lease.objects.count() == 0


def test_two_that_find_a_recovery_at_once_are_both_granted(
    world: World, chat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put(chat, error_code="not_loaded")
    ask = world.fake.is_ready

    def rival_first(name: str, version: str = "") -> bool:
        monkeypatch.setattr(world.fake, "is_ready", ask)
        world.use(chat)
        return ask(name, version)

    monkeypatch.setattr(world.fake, "is_ready", rival_first)
    world.use(chat)
    assert (world.model(chat).open_leases, world.codes(chat)) == (2, ["recovered"])


def test_a_switch_off_that_comes_second_sees_the_lease(world: World, chat: str) -> None:
    read_before: RegisteredModel = world.model(chat)
    world.use(chat)
    assert deactivate(read_before, actor=ACTOR).open_leases == 1
    assert world.model(chat).drain_until == world.at(world.provider.drain_s)


def test_an_unload_that_comes_second_sees_the_lease(world: World, chat: str) -> None:
    from monitoring.operations import claim_unload

    read_before = world.model(chat)
    world.use(chat)
    assert claim_unload(read_before, at=now()) is None
    assert (world.model(chat).observed, world.operations()) == ("ready", [])


def test_a_slow_no_does_not_undo_a_load_that_ended_meanwhile(world: World) -> None:
    name = world.add("rerank", load_s=3)
    activate(world.model(name), actor=ACTOR)
    world.settle()
    slow = world.model(name)
    assert change_facts(world.model(name), {"failures": 1}, code="x", actor="y", at=now())
    assert not change_facts(slow, {"observed": Observed.UNLOADED}, code="z", actor="y", at=now())
    assert world.use(name).lease_id
