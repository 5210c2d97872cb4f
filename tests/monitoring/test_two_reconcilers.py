"""Several processes may look at one server at once: one of them acts."""

import threading

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from modelmanager.lib.clock import now
from models_registry.vocabulary import Observed
from monitoring import operations
from monitoring.models import Operation, Outcome
from monitoring.reconcile import reconcile
from tests.monitoring.world import World


def at_once(work, *, number: int = 6) -> None:
    """Run `work` in several threads, as nearly at once as can be."""
    start = threading.Barrier(number)
    faults: list[BaseException] = []

    def run() -> None:
        try:
            start.wait(10)
            work()
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _number in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not faults, faults


def test_six_looks_at_once_post_one_load(shared_world: World):
    shared_world.add("chat", load_s=5)
    shared_world.switch_on("chat")

    at_once(lambda: reconcile(shared_world.provider.pk))

    assert shared_world.posts() == [("load", "chat")]
    assert Operation.objects.count() == 1


def test_six_hands_on_one_claimed_operation_post_it_once(shared_world: World):
    shared_world.add("chat", load_s=5)
    shared_world.switch_on("chat")
    model = shared_world.model("chat")
    seen = shared_world.fake.observe().of("chat")
    operations.claim_load(model, seen=seen, after=0, at=now())

    at_once(lambda: reconcile(shared_world.provider.pk))

    assert shared_world.posts() == [("load", "chat")]


def test_six_hands_record_one_outcome(shared_world: World):
    shared_world.add("chat", load_s=5)
    shared_world.switch_on("chat")
    shared_world.look()
    shared_world.advance(6)

    at_once(lambda: reconcile(shared_world.provider.pk))

    assert shared_world.outcomes() == [("load", "chat", Outcome.SUCCEEDED)]
    assert shared_world.codes("chat").count("ready") == 1


def test_looks_and_people_at_once_leave_one_model_on_the_gpu(shared_world: World):
    shared_world.add("a1")
    shared_world.add("b1")
    names = iter(["a1", "b1"] * 12)
    lock = threading.Lock()

    def ask_and_look() -> None:
        for _turn in range(4):
            with lock:
                name = next(names)
            shared_world.switch_on(name)
            reconcile(shared_world.provider.pk)
            assert len(shared_world.resident()) <= 1

    at_once(ask_and_look)
    shared_world.settle(at_most=200)
    assert len(shared_world.resident()) == 1


def test_a_plan_made_before_another_s_load_is_not_carried_out(shared_world: World, monkeypatch: pytest.MonkeyPatch):
    """Between the slow one's reading and its claim another look loaded a model, from beginning to end."""
    world = shared_world
    world.add("a1")
    world.add("b1", priority=1)
    world.switch_on("a1")
    world.look()
    world.switch_off("a1")
    world.settle()
    real = operations.claim_load

    def meanwhile(model, **known):
        monkeypatch.setattr(operations, "claim_load", real)
        world.put("b1", failures=9)  # in the eyes of the other, b1 is given up
        world.switch_on("a1")
        world.look()
        assert world.resident() == ["a1"]
        world.put("b1", failures=0)
        return real(model, **known)

    monkeypatch.setattr(operations, "claim_load", meanwhile)
    world.switch_on("b1")
    world.look()

    assert world.resident() == ["a1"]
    world.settle()
    assert world.posts()[-2:] == [("unload", "a1"), ("load", "b1")]
    assert world.resident() == ["b1"]


def test_a_server_has_one_unfinished_operation_by_the_word_of_the_database(shared_world: World):
    world = shared_world
    world.add("a1")
    world.add("b1")
    for name in ("a1", "b1"):
        world.switch_on(name)
    seen = world.fake.observe()
    first = operations.claim_load(world.model("a1"), seen=seen.of("a1"), after=0, at=now())
    assert first is not None
    second = operations.claim_load(world.model("b1"), seen=seen.of("b1"), after=first.pk, at=now())
    assert second is None
    assert world.model("b1").observed == "unknown"  # its change of facts went too
    assert "loading" not in world.codes("b1")


def test_an_end_is_recorded_without_the_servers_row(world: World):
    """Rows are taken provider first: one taken after its model's could deadlock with whoever registers a model."""
    world.add("chat", load_s=5)
    world.switch_on("chat")
    world.look()
    operation = operations.running_on(world.provider.pk)
    assert operation is not None

    with CaptureQueriesContext(connection) as queries:
        assert operations.finish(operation, Outcome.FAILED, at=now(), observed=Observed.UNLOADED, error="boom")
    assert [q["sql"] for q in queries if connection.ops.quote_name("models_registry_provider") in q["sql"]] == []
