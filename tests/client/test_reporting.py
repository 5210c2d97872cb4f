"""What is reported, and how it reaches the manager."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.client.conftest import Connect
from tests.client.fake_manager import FakeManager
from tests.embedded.waiting import wait_for


def test_what_a_lease_reports_goes_with_its_release(connect: Connect, fake: FakeManager, tmp_path: Path) -> None:
    manager = connect()
    with manager.lease("bge-reranker") as model:
        event_id = model.report(latency_ms=12.3456, input_tokens=7, output_tokens=2)
    stored = fake.stored[event_id]
    assert stored.pop("occurred_at").endswith("+00:00")
    assert stored == {
        "event_id": event_id,
        "model": "bge-reranker",
        "latency_ms": 12.346,
        "outcome": "ok",
        "input_tokens": 7,
        "output_tokens": 2,
        "lease": 1,
    }
    assert manager.flush()
    assert fake.bodies("/usage/records/") == []  # it was with the release already
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_was_sent_before_is_not_released_again(connect: Connect, fake: FakeManager) -> None:
    manager = connect()
    with manager.lease("bge-reranker") as model:
        model.report(latency_ms=1)
        assert manager.flush()
        model.report(latency_ms=2)
    (released,) = fake.bodies("/release/")
    assert [record["latency_ms"] for record in released["usage"]] == [2]
    assert manager.counts.accepted == 1


def test_a_record_that_a_release_cannot_carry_keeps_no_lease_open(connect: Connect, fake: FakeManager) -> None:
    manager = connect()
    with manager.lease("bge-reranker") as model:
        model.report(latency_ms=1)
        fake.refuse("/release/", 400, "invalid", errors=[{"field": "usage.0.lease", "code": "x", "detail": "no"}])
    assert fake.leases[1]["closed_at"] is not None
    assert fake.stored == {}
    assert manager.flush()
    assert len(fake.stored) == 1


def test_a_call_is_timed_and_reported(connect: Connect, fake: FakeManager) -> None:
    manager = connect()
    before = datetime.now(UTC)
    with manager.lease("bge-reranker") as model, model.call() as call:
        manager._clock.sleep(0.25)
        call.input_tokens, call.output_tokens = 40, 1
    (record,) = fake.stored.values()
    assert 250 <= record["latency_ms"] < 1250
    assert before <= datetime.fromisoformat(record["occurred_at"]) < before + timedelta(seconds=1)
    assert (record["outcome"], record["input_tokens"], record["output_tokens"]) == ("ok", 40, 1)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ValueError("x"), "error"),
        (TimeoutError(), "timeout"),
        (asyncio.CancelledError(), "cancelled"),
        (KeyboardInterrupt(), "cancelled"),
    ],
)
def test_an_exception_is_the_outcome_of_its_call(
    connect: Connect, fake: FakeManager, error: BaseException, outcome: str
) -> None:
    with pytest.raises(type(error)), connect().lease("bge-reranker") as model, model.call():
        raise error
    (record,) = fake.stored.values()
    assert (record["outcome"], record["error_code"]) == (outcome, type(error).__name__)


def test_a_call_that_failed_without_an_exception_says_so(connect: Connect, fake: FakeManager) -> None:
    with connect().lease("bge-reranker") as model, model.call() as call:
        call.outcome, call.error_code = "error", "empty_answer"
    (record,) = fake.stored.values()
    assert (record["outcome"], record["error_code"]) == ("error", "empty_answer")


def test_without_a_lease_an_id_and_a_time_may_be_given(connect: Connect, fake: FakeManager) -> None:
    manager = connect()
    at = datetime(2026, 11, 18, 9, tzinfo=UTC)
    manager.report("rag-chat", latency_ms=900, outcome="timeout", occurred_at=at, event_id="mine-1", config=3)
    manager.report("rag-chat", latency_ms=900, occurred_at=at, event_id="mine-1")
    assert manager.flush()
    assert fake.stored["mine-1"]["occurred_at"] == "2026-11-18T09:00:00+00:00"
    assert fake.stored["mine-1"]["config"] == 3


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"outcome": "fine"}, "none of ok, error"),
        ({"latency_ms": -1}, "negative"),
        ({"latency_ms": float("nan")}, "finite"),
        ({"latency_ms": float("inf")}, "finite"),
        ({"input_tokens": -1}, "negative"),
        ({"occurred_at": datetime(2026, 1, 1)}, "time zone"),  # noqa: DTZ001
    ],
)
def test_what_the_manager_would_refuse_is_refused_at_once(connect: Connect, wrong: dict, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        connect().report("rag-chat", **({"latency_ms": 1} | wrong))


def test_records_are_sent_in_the_background(connect: Connect, fake: FakeManager) -> None:
    manager = connect(send_every_s=0.05)
    ids = {manager.report("rag-chat", latency_ms=number) for number in range(20)}
    wait_for(lambda: set(fake.stored) == ids, what="all records")


def test_a_batch_holds_at_most_500(connect: Connect, fake: FakeManager) -> None:
    manager = connect()
    for number in range(1201):
        manager.report("rag-chat", latency_ms=number)
    assert manager.flush()
    sizes = [len(batch) for batch in fake.bodies("/usage/records/")]
    assert max(sizes) == 500
    assert sum(sizes) == 1201
    assert (manager.counts.accepted, len(fake.stored)) == (1201, 1201)


def test_a_full_batch_does_not_wait_for_its_time(connect: Connect, fake: FakeManager) -> None:
    manager = connect(send_every_s=60)
    for number in range(500):
        manager.report("rag-chat", latency_ms=number)
    wait_for(lambda: len(fake.stored) == 500, what="the full batch")


def test_without_a_spool_folder_nothing_stays_behind(connect: Connect, fake: FakeManager) -> None:
    manager = connect(spool_dir=None)
    with manager:
        manager.report("rag-chat", latency_ms=1)
        folder = manager._spool.folder
        assert folder.exists()
    assert len(fake.stored) == 1
    assert not folder.exists()


def test_a_manager_that_is_busy_is_not_asked_again_for_every_full_batch(connect: Connect, fake: FakeManager) -> None:
    manager = connect()
    fake.refuse("/usage/records/", 503, "database_unavailable", headers={"Retry-After": "20"})
    for number in range(500):
        manager.report("rag-chat", latency_ms=number)
    wait_for(lambda: fake.bodies("/usage/records/"), what="the first try")
    for number in range(2000):
        manager.report("rag-chat", latency_ms=number)
    assert len(fake.bodies("/usage/records/")) == 1
    assert manager.flush()
    assert len(fake.stored) == 2500
