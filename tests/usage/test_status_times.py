"""Time in each status of models that lived: their real events, leases, errors and deletions."""

from datetime import timedelta
from typing import Any

import pytest

from modelmanager.lib.clock import now
from models_registry.facts import change_facts
from models_registry.services.registration import restore_model
from models_registry.vocabulary import Status
from tests.monitoring.world import START, World
from usage.rules.status_time import StatusTime
from usage.services.impact import delete_model
from usage.services.status_times import Range, models_in, models_per_status, status_times


def times(world: World, *, since_s: float = 0, until_s: float | None = None) -> dict[str, StatusTime]:
    until = now() if until_s is None else START + timedelta(seconds=until_s)
    asked = Range.of(START + timedelta(seconds=since_s), until, at=now())
    models: Any = list(models_in(asked))
    told = status_times(models, asked)
    return {model.name: told[model.pk] for model in models}


def since_start(world: World) -> float:
    """When the model became what it is."""
    since = world.model("embedder").status_since
    assert since is not None
    return (since - START).total_seconds()


def found(world: World, **facts: Any) -> None:
    """Somebody looked at the server."""
    assert change_facts(world.model("embedder"), facts, code="seen", actor="sync", at=now())


def seconds(time: StatusTime) -> dict[str, float]:
    return {status.word: spent.total_seconds() for status, spent in time.spent.items() if spent}


def test_a_day_of_a_model(world: World) -> None:
    world.add("embedder", load_s=20)
    world.advance(10)
    world.switch_on("embedder")
    world.settle(at_most=500)  # a look every 0.2 s
    loaded_at = since_start(world)
    world.advance(100)
    lease = world.use("embedder", ttl_s=3600)
    world.advance(50)
    world.done(lease)
    world.advance(40)
    world.switch_off("embedder")
    world.settle(at_most=500)
    off_at = since_start(world)
    world.advance(60)
    told = times(world)["embedder"]
    assert seconds(told)["in_use"] == 50
    assert 20 <= seconds(told)["activating"] < 22
    assert seconds(told)["active"] + 50 == pytest.approx(off_at - loaded_at)
    assert sum(seconds(told).values()) == (now() - START).total_seconds()
    assert told.availability == pytest.approx((off_at - loaded_at) / (off_at - 10))
    assert (told.errors, told.recoveries) == (0, [])


def test_an_error_and_its_recovery(world: World) -> None:
    world.add("embedder")
    world.bring_up("embedder")
    world.advance(60)
    found(world, observed="unloaded", error_code="not_loaded")
    world.advance(30)
    found(world, observed="ready", error_code="")
    world.advance(15)
    assert world.status("embedder") == "recovered"
    told = times(world)["embedder"]
    assert told.errors == 1
    assert [time.total_seconds() for time in told.recoveries] == [30]
    assert (seconds(told)["error"], seconds(told)["recovered"]) == (30, 15)
    world.done(world.use("embedder"))
    world.advance(5)
    assert world.status("embedder") == "active"
    assert seconds(times(world)["embedder"])["recovered"] == 15


def test_what_was_leased_before_the_range_has_not_just_recovered_in_it(world: World) -> None:
    world.add("embedder")
    world.bring_up("embedder")
    found(world, observed="unloaded", error_code="not_loaded")
    world.advance(30)
    found(world, observed="ready", error_code="")
    recovered_s = (now() - START).total_seconds()
    world.advance(10)
    assert seconds(times(world, since_s=recovered_s + 5)["embedder"]) == {"recovered": 5}
    lease = world.use("embedder")
    world.advance(10)
    assert seconds(times(world, since_s=recovered_s + 15)["embedder"]) == {"in_use": 5}
    world.done(lease)
    world.advance(10)
    assert seconds(times(world, since_s=recovered_s + 15)["embedder"]) == {"in_use": 5, "active": 10}
    assert seconds(times(world, since_s=recovered_s + 25)["embedder"]) == {"active": 5}


def test_a_deleted_model_is_told_for_as_long_as_it_lived(world: World) -> None:
    world.add("embedder")
    world.add("other")
    world.advance(30)
    delete_model(world.model("embedder"), actor="user:kim")
    world.advance(30)
    assert {name: sum(seconds(time).values()) for name, time in times(world).items()} == {"embedder": 30, "other": 60}
    assert set(times(world, since_s=40)) == {"other"}
    restore_model(world.model("embedder"), actor="user:kim")
    world.advance(5)
    assert {name: sum(seconds(time).values()) for name, time in times(world).items()} == {"embedder": 35, "other": 65}


def test_a_range_that_begins_or_ends_within_is_told_by_what_was_then(world: World) -> None:
    world.add("embedder")
    world.bring_up("embedder")
    world.advance(100)
    world.switch_off("embedder")
    world.settle()
    world.advance(100)
    assert seconds(times(world, since_s=50, until_s=60)["embedder"]) == {"active": 10}
    assert seconds(times(world, since_s=150, until_s=160)["embedder"]) == {"registered": 10}


def test_a_range_before_anything_happened_is_told_by_what_happened_next(world: World) -> None:
    world.add("embedder")
    world.advance(60)
    world.bring_up("embedder")
    assert seconds(times(world, until_s=50)["embedder"]) == {"registered": 50}


def test_models_are_counted_by_their_status_now(world: World) -> None:
    for name in ("aa", "bb", "cc"):
        world.add(name)
    world.put("bb", wanted=True)
    world.put("cc", deleted_at=now())
    assert models_per_status() == dict.fromkeys(Status, 0) | {Status.REGISTERED: 1, Status.ACTIVATING: 1}
