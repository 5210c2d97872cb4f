"""A look at a server in which nothing changed costs a few queries and one write, however many models it has."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.reconcile import reconcile
from tests.monitoring.world import World


@pytest.fixture
def crowd(db: None, build) -> World:
    """Fifty models, three of them loaded as wanted."""
    world = build(max_loaded_models=3)
    for number in range(50):
        world.add(f"model-{number:02}")
    for number in range(3):
        world.make_ready(f"model-{number:02}")
    world.settle()
    return world


def writes(queries: CaptureQueriesContext) -> list[str]:
    return [q["sql"] for q in queries if q["sql"].split()[0] in ("UPDATE", "INSERT", "DELETE")]


def test_trap_20_one_look_at_fifty_models_with_nothing_to_do(crowd: World):
    crowd.advance(120)
    with CaptureQueriesContext(connection) as queries:
        reconcile(crowd.provider.pk)
    assert len(queries) <= 5, [q["sql"] for q in queries]
    assert len(writes(queries)) == 1 and "checked_at" in writes(queries)[0]


def test_another_within_the_minute_writes_nothing(crowd: World):
    crowd.advance(120)
    reconcile(crowd.provider.pk)
    crowd.advance(1)
    with CaptureQueriesContext(connection) as queries:
        reconcile(crowd.provider.pk)
    assert writes(queries) == []


def test_the_server_is_asked_once(crowd: World):
    before = dict(crowd.fake.calls)
    crowd.look()
    asked = {call: number - before.get(call, 0) for call, number in crowd.fake.calls.items()}
    assert {call: number for call, number in asked.items() if number} == {"index": 1}


def test_a_look_while_somebody_waits_costs_no_more_with_many_waiting(crowd: World):
    for number in range(3):
        crowd.use(f"model-{number:02}", ttl_s=600)
    crowd.switch_on("model-10")
    crowd.look()
    crowd.advance(1)
    with CaptureQueriesContext(connection) as one:
        crowd.look()
    for number in range(11, 40):
        crowd.switch_on(f"model-{number:02}")
    crowd.look()
    crowd.advance(1)
    with CaptureQueriesContext(connection) as many:
        crowd.look()
    assert len(many) == len(one) <= 7, [q["sql"] for q in many]


def test_a_look_while_one_loads_and_many_wait_costs_a_fixed_number_too(crowd: World):
    crowd.fake.add("model-10", load_s=100)
    crowd.switch_on("model-10")
    crowd.look()
    crowd.look()
    for number in range(11, 40):
        crowd.switch_on(f"model-{number:02}")
    crowd.look()
    crowd.look()
    crowd.advance(0.2)
    with CaptureQueriesContext(connection) as queries:
        crowd.look()
    assert len(queries) <= 7, [q["sql"] for q in queries]
