"""Facts change by compare-and-set, and each change of wanted, observed or error leaves one event with it."""

import logging
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Q

from modelmanager.lib.clock import now
from models_registry.facts import change_facts
from models_registry.models import RegisteredModel, StatusEvent
from models_registry.vocabulary import ErrorCode, Observed
from tests.monitoring.world import World


def change(model: RegisteredModel, *, code: str = "told", **changes: Any) -> bool:
    only_if = changes.pop("only_if", None)
    return change_facts(model, changes, code=code, actor="user:kim", at=now(), message="why", only_if=only_if)


def test_a_slow_answer_does_not_overwrite_a_newer_fact(world: World) -> None:
    name = world.add("chat")
    slow, quick = world.model(name), world.model(name)
    assert change(quick, observed=Observed.READY, wanted=True)

    assert not change(slow, observed=Observed.ABSENT, error_code=ErrorCode.MISSING)

    assert (world.model(name).observed, world.error(name)) == ("ready", "")
    assert world.codes(name) == ["told"]


def test_whoever_lost_may_read_again_and_repeat(world: World) -> None:
    name = world.add("chat")
    slow = world.model(name)
    change(world.model(name), wanted=True)
    assert not change(slow, observed=Observed.READY)

    assert change(world.model(name), observed=Observed.READY)
    assert world.status(name) == "active"


@pytest.mark.parametrize(
    "changes",
    [
        {"wanted": True},
        {"observed": Observed.READY},
        {"error_code": ErrorCode.LOAD_FAILED},
        {"wanted": True, "observed": Observed.READY, "error_code": ErrorCode.NOT_LOADED},
    ],
)
def test_a_change_of_a_fact_leaves_exactly_one_event(world: World, changes: dict[str, Any]) -> None:
    name = world.add("chat")

    assert change(world.model(name), **changes)

    event = StatusEvent.objects.get(model__name=name)
    assert (event.code, event.actor, event.message, event.at) == ("told", "user:kim", "why", world.at(0))
    assert (event.from_word, event.to_word) == ("registered", world.status(name))


def test_what_is_no_fact_leaves_no_event(world: World) -> None:
    name = world.add("chat")

    assert change(world.model(name), failures=3, demand_until=world.at(60))

    assert world.codes(name) == []
    assert (world.model(name).failures, world.model(name).revision) == (3, 1)


def test_nothing_is_written_when_nothing_changes(world: World, django_assert_num_queries) -> None:
    name = world.add("chat")
    world.put(name, observed=Observed.UNLOADED, observed_at=now())
    model = world.model(name)

    with django_assert_num_queries(0):
        assert change(model, observed=Observed.UNLOADED, wanted=False, error_code="")

    assert (world.model(name).revision, world.codes(name)) == (0, [])


def test_a_condition_that_does_not_hold_changes_nothing(world: World) -> None:
    name = world.add("chat")
    world.put(name, open_leases=1)

    assert not change(world.model(name), wanted=True, only_if=Q(open_leases=0))

    assert (world.model(name).wanted, world.codes(name)) == (False, [])


def test_a_rollback_leaves_neither_the_fact_nor_its_event(shared_world: World) -> None:
    name = shared_world.add("chat")
    with pytest.raises(RuntimeError), transaction.atomic():
        assert change(shared_world.model(name), wanted=True)
        raise RuntimeError

    assert (shared_world.model(name).wanted, shared_world.codes(name)) == (False, [])


def test_an_event_that_cannot_be_written_takes_its_fact_along(shared_world: World) -> None:
    name = shared_world.add("chat")
    with pytest.raises(Exception, match=r"(?i)code|null"):
        change_facts(shared_world.model(name), {"wanted": True}, code=None, actor="user:kim", at=now())

    assert (shared_world.model(name).wanted, shared_world.model(name).revision) == (False, 0)


def test_the_event_is_logged_once_it_is_stored_and_not_before(
    shared_world: World, caplog: pytest.LogCaptureFixture
) -> None:
    name = shared_world.add("chat")
    caplog.set_level(logging.INFO, logger="modelmanager.events")
    with transaction.atomic():
        change(shared_world.model(name), wanted=True)
        assert caplog.messages == []

    assert caplog.messages == ["chat: registered → activating (told by user:kim) why"]


def test_the_changed_instance_is_as_the_database_has_it(world: World) -> None:
    name = world.add("chat")
    model = world.model(name)
    change(model, wanted=True, observed=Observed.READY)

    stored = world.model(name)
    for field in ("revision", "status", "wanted", "observed", "observed_at", "status_since", "queued_at"):
        assert getattr(model, field) == getattr(stored, field), field


def test_long_words_are_cut_to_what_the_event_holds(world: World) -> None:
    name = world.add("chat")
    assert change_facts(world.model(name), {"wanted": True}, code="told", actor="a" * 400, at=now(), message="m" * 4000)
    event = StatusEvent.objects.get()
    assert (len(event.actor), len(event.message)) == (150, 500)
