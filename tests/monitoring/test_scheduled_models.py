"""Scheduled models on a moved clock: loaded for the opening, drained and unloaded after the closing."""

from datetime import timedelta

import pytest

from models_registry.models import Window
from models_registry.services import windows
from models_registry.services.switching import activate, automatic, deactivate
from monitoring.reconcile import reconcile
from tests.monitoring.world import World
from usage.models import CloseReason, Lease
from usage.refusals import ModelInactive

# It is 09:00 UTC.
SOON = {"weekdays": [0, 1, 2, 3, 4, 5, 6], "start": "10:00", "end": "11:00"}
HOUR = 3600


@pytest.fixture
def hour(world: World) -> Window:
    """From 10:00 to 11:00 UTC every day, with half a minute to drain."""
    return windows.create_window(name="hour", timezone="UTC", rules=[SOON], drain_s=30, actor="user:kim")


def scheduled(world: World, window: Window, name: str = "chat", **fields: object) -> str:
    world.add(name, load_s=2, unload_s=1, activation_policy="scheduled", window=window, **fields)
    world.settle()
    return name


def alarm(world: World) -> timedelta:
    """How far ahead the server's alarm is set."""
    world.provider.refresh_from_db()
    return world.provider.wake_at - world.at(0)


def test_outside_its_window_it_is_off_without_an_error_and_refused_with_the_opening(world: World, hour: Window):
    name = scheduled(world, hour)
    assert (world.status(name), world.posts()) == ("registered", [])
    with pytest.raises(ModelInactive) as refused:
        world.use(name)
    assert refused.value.extra["next_opening"] == world.at(HOUR)


def test_the_alarm_is_set_to_the_opening_and_earlier_by_the_usual_load_time(world: World, hour: Window):
    name = scheduled(world, hour)
    assert alarm(world) == timedelta(hours=1)
    world.put(name, usual_load_s=120.0)
    world.look()
    assert alarm(world) == timedelta(minutes=58)


def test_it_is_loaded_early_but_leased_on_time_only(world: World, hour: Window):
    name = scheduled(world, hour)
    world.put(name, usual_load_s=120.0)
    world.advance(HOUR - 120)
    world.settle()
    assert world.status(name) == "active"
    with pytest.raises(ModelInactive):
        world.use(name)
    assert world.status(name) == "active"  # being asked too early takes nothing back
    world.advance(120)
    assert world.use(name).model.name == name


def test_for_a_window_of_a_minute_it_is_loaded_early_once_and_stays_wanted(world: World):
    minute = {"weekdays": [0, 1, 2, 3, 4, 5, 6], "start": "10:00", "end": "10:01"}
    name = scheduled(world, windows.create_window(name="minute", timezone="UTC", rules=[minute], actor="user:kim"))
    world.put(name, usual_load_s=120.0)
    world.advance(HOUR - 120)
    for _look in range(10):
        world.look()
        assert world.model(name).wanted
        world.advance(12)
    assert world.use(name).model.name == name
    assert len(world.posts()) == 1


def test_a_load_teaches_how_long_it_usually_takes(world: World, hour: Window):
    name = scheduled(world, hour)
    world.advance(HOUR)
    world.settle()
    assert world.model(name).usual_load_s == pytest.approx(2, abs=0.5)


def test_at_the_opening_the_higher_priority_is_loaded_first_one_at_a_time(world: World, hour: Window):
    type(world.provider).objects.update(max_loaded_models=3)
    low, high = scheduled(world, hour, "low"), scheduled(world, hour, "high", priority=5)
    world.advance(HOUR)
    world.settle()
    assert world.posts() == [("load", high), ("load", low)]
    first, second = world.operations()
    assert first.finished_at is not None and first.finished_at <= second.started_at


def test_at_the_close_leases_drain_then_are_revoked_and_the_model_is_unloaded(world: World, hour: Window):
    name = scheduled(world, hour)
    world.advance(HOUR)
    world.settle()
    grant = world.use(name, ttl_s=2 * HOUR)
    world.run_for(HOUR + 5, step=5)
    model = world.model(name)
    assert not model.wanted
    assert model.open_leases == 1  # it drains
    with pytest.raises(ModelInactive) as refused:
        world.use(name)
    assert refused.value.extra["next_opening"] == Window.objects.get(pk=hour.pk).hours.next_opening(world.at(0))
    world.run_for(40, step=5)
    assert Lease.objects.get(pk=grant.lease_id).close_reason == CloseReason.REVOKED
    assert world.posts() == [("load", name), ("unload", name)]
    assert (world.status(name), world.error(name)) == ("registered", "")


def test_a_restart_in_the_middle_of_a_window_loads_again(world: World, hour: Window):
    name = scheduled(world, hour)
    world.advance(HOUR + 600)  # nobody looked at the opening
    world.settle()
    assert world.status(name) == "active"
    world.fake.restart()
    world.settle()
    assert world.status(name) == "recovered"


def test_a_switch_off_holds_through_the_window_and_its_end_opens_again(world: World, hour: Window):
    name = scheduled(world, hour)
    deactivate(world.model(name), actor="user:kim", until=world.at(HOUR + 1200))
    with pytest.raises(ModelInactive) as refused:
        world.use(name)
    assert refused.value.extra["next_opening"] == world.at(HOUR + 1200)
    world.advance(HOUR + 600)
    world.settle()
    assert world.posts() == []
    world.advance(600)
    world.settle()
    assert world.status(name) == "active"


def test_switched_on_by_hand_it_stays_until_the_next_closing(world: World, hour: Window):
    name = scheduled(world, hour)
    switched = activate(world.model(name), actor="user:kim")
    assert switched.switch_until == world.at(2 * HOUR)
    world.settle()
    assert world.status(name) == "active"
    world.advance(2 * HOUR)
    world.settle()
    assert world.status(name) == "registered"


def test_evicted_inside_its_window_it_stays_wanted_and_comes_home(world: World, hour: Window):
    name = scheduled(world, hour)
    world.advance(HOUR)
    world.settle()
    guest = world.add("guest", load_s=1, unload_s=1, priority=9)
    activate(world.model(guest), actor="user:kim", until=world.at(600))
    world.settle()
    assert (world.status(guest), world.status(name)) == ("active", "activating")
    world.advance(600)
    world.settle()
    assert (world.status(guest), world.status(name)) == ("registered", "active")


def test_automatic_gives_it_back_to_its_window(world: World, hour: Window):
    name = scheduled(world, hour)
    activate(world.model(name), actor="user:kim", until=world.at(10 * HOUR))
    world.settle()
    automatic(world.model(name), actor="user:kim")
    world.settle()
    assert world.status(name) == "registered"


def test_a_look_at_many_scheduled_models_asks_for_their_windows_once(
    world: World, hour: Window, django_assert_max_num_queries
):
    for number in range(30):
        world.add(f"model-{number}", activation_policy="scheduled", window=hour)
    world.settle()
    with django_assert_max_num_queries(6):
        reconcile(world.provider.pk)
