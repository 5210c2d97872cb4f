"""What the manager refuses, as types; and what patience does about it."""

import pickle
from typing import Any

import pytest
from model_manager_client import (
    GpuBusy,
    Invalid,
    ModelActivating,
    ModelError,
    ModelInactive,
    ModelNotFound,
    NoAnswer,
    NotAuthenticated,
    PermissionDenied,
    ProviderUnreachable,
    Refused,
    Throttled,
    TooManyWaiters,
)

from tests.client.conftest import Connect, Stopwatch
from tests.client.fake_manager import FakeManager

TYPES = [
    (403, "permission_denied", PermissionDenied),
    (404, "model_not_found", ModelNotFound),
    (409, "model_inactive", ModelInactive),
    (409, "model_error", ModelError),
    (503, "model_activating", ModelActivating),
    (503, "gpu_busy", GpuBusy),
    (503, "provider_unreachable", ProviderUnreachable),
    (503, "too_many_waiters", TooManyWaiters),
    (429, "throttled", Throttled),
    (400, "invalid", Invalid),
    (418, "something_new", Refused),
]


@pytest.mark.parametrize(("status", "code", "kind"), TYPES, ids=[code for _, code, _ in TYPES])
def test_each_code_has_its_type(connect: Connect, fake: FakeManager, status: int, code: str, kind: type) -> None:
    fake.refuse("/leases/", status, code)
    with pytest.raises(Refused) as caught:
        connect().acquire("bge-reranker")
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.status) == (code, status)
    assert code in caught.value.detail


def test_a_wrong_key_is_told(connect: Connect) -> None:
    with pytest.raises(NotAuthenticated):
        connect(key="mm_wrong").acquire("bge-reranker")


def test_what_a_refusal_tells_beyond_its_code(connect: Connect, fake: FakeManager) -> None:
    told: dict[str, Any] = {"held_by": ["rag-chat"], "queue_position": 2, "expected_wait_s": 7.5, "retry_after_s": 5}
    fake.refuse("/leases/", 503, "gpu_busy", headers={"Retry-After": "5"}, **told)
    with pytest.raises(GpuBusy) as busy:
        connect().acquire("bge-reranker")
    assert (busy.value.held_by, busy.value.queue_position) == (["rag-chat"], 2)
    assert (busy.value.expected_wait_s, busy.value.retry_after_s) == (7.5, 5.0)
    again = pickle.loads(pickle.dumps(busy.value))  # noqa: S301 - our own
    assert (type(again), again.held_by, again.retry_after_s) == (GpuBusy, ["rag-chat"], 5.0)

    fake.refuse("/leases/", 409, "model_inactive", next_opening="2026-11-25T08:00:00Z")
    with pytest.raises(ModelInactive) as inactive:
        connect().acquire("bge-reranker")
    assert inactive.value.next_opening == "2026-11-25T08:00:00Z"


def test_patience_asks_again_when_the_manager_says(connect: Connect, fake: FakeManager, clock: Stopwatch) -> None:
    fake.refuse("/leases/", 503, "gpu_busy", headers={"Retry-After": "5"})
    fake.refuse("/leases/", 503, "model_activating", headers={"Retry-After": "7"})
    with connect().lease("bge-reranker", patience_s=30):
        assert clock.slept == [5.0, 7.0]
    assert len(fake.bodies("/leases/")) == 3


def test_patience_ends_before_a_wait_that_is_too_long(connect: Connect, fake: FakeManager, clock: Stopwatch) -> None:
    fake.refuse("/leases/", 503, "gpu_busy", headers={"Retry-After": "60"})
    with pytest.raises(GpuBusy):
        connect().acquire("bge-reranker", patience_s=30)
    assert clock.slept == []


def test_what_waiting_does_not_mend_is_not_waited_for(connect: Connect, fake: FakeManager, clock: Stopwatch) -> None:
    fake.refuse("/leases/", 409, "model_error", cause="load_failed")
    with pytest.raises(ModelError) as caught:
        connect().acquire("bge-reranker", patience_s=30)
    assert caught.value.cause == "load_failed"
    assert clock.slept == []


def test_a_request_waits_no_longer_than_patience_has_left(
    connect: Connect, fake: FakeManager, clock: Stopwatch
) -> None:
    fake.refuse("/leases/", 503, "model_activating", headers={"Retry-After": "10"})
    with connect().lease("bge-reranker", wait_s=40):
        pass
    first, second = fake.bodies("/leases/")
    assert first["wait_s"] == pytest.approx(40, abs=1)
    assert second["wait_s"] == pytest.approx(30, abs=1)


def test_without_patience_a_manager_that_is_away_is_told_at_once(connect: Connect, clock: Stopwatch) -> None:
    away = FakeManager()
    with away.serving():
        pass
    with pytest.raises(NoAnswer) as caught:
        connect(url=away.url).acquire("bge-reranker")
    assert "mm_" not in str(caught.value)
    assert clock.slept == []


def test_a_manager_started_again_is_found_although_a_connection_was_kept(connect: Connect) -> None:
    manager = FakeManager()
    with manager.serving():
        client = connect(url=manager.url)
        client.acquire("bge-reranker").release()
    with manager.serving():
        client.acquire("bge-reranker").release()
    assert len(manager.leases) == 2


def test_a_kept_connection_that_closes_under_a_request_is_no_failure(connect: Connect, fake: FakeManager) -> None:
    client = connect()
    client.acquire("bge-reranker").release()
    fake.cuts = 1
    client.acquire("bge-reranker").release()
    fake.cuts = 2
    with pytest.raises(NoAnswer):
        client.acquire("bge-reranker")


def test_a_redirect_is_not_followed(connect: Connect, fake: FakeManager) -> None:
    fake.refuse("/leases/", 307, "", headers={"Location": f"{fake.url}/elsewhere"})
    with pytest.raises(Refused) as caught:
        connect().acquire("bge-reranker")
    assert caught.value.status == 307
    assert [path for path, _ in fake.asked] == ["/api/v1/leases/"]
