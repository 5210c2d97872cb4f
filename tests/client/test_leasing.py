"""A lease, as a downstream system takes and leaves it."""

import pytest
from model_manager_client import LeaseLost

from tests.client.conftest import Connect
from tests.client.fake_manager import FakeManager
from tests.embedded.waiting import wait_for


def is_released(fake: FakeManager, number: int = 1) -> bool:
    return fake.leases[number]["closed_at"] is not None


def test_a_lease_tells_how_to_call_the_model_and_ends_with_the_block(connect: Connect, fake: FakeManager) -> None:
    with connect(instance="pod-1").lease("bge-reranker", ttl_s=90) as model:
        assert model.connection["model_name"] == "reranker"
        assert model.config is not None
        assert model.config["values"] == {"temperature": 0.2}
        assert not is_released(fake)
    assert is_released(fake)
    assert fake.bodies("/leases/") == [{"model": "bge-reranker", "ttl_s": 90, "instance": "pod-1", "wait_s": 0.0}]


def test_an_exception_in_the_block_releases_and_goes_on(connect: Connect, fake: FakeManager) -> None:
    with pytest.raises(ZeroDivisionError), connect().lease("bge-reranker"):
        _ = 1 / 0
    assert is_released(fake)


def test_a_release_that_finds_no_answer_is_repeated_behind_the_scenes(connect: Connect, fake: FakeManager) -> None:
    fake.refuse("/release/", 503, "database_unavailable")
    fake.refuse("/release/", 502, "")
    with connect().lease("bge-reranker") as model:
        model.report(latency_ms=1)
    wait_for(lambda: is_released(fake), what="a release")
    assert len(fake.bodies("/release/")) == 3


def test_a_release_that_is_refused_spoils_nothing(connect: Connect, fake: FakeManager) -> None:
    fake.refuse("/release/", 403, "permission_denied")
    with connect().lease("bge-reranker"):
        pass
    assert len(fake.bodies("/release/")) == 1


def test_it_is_renewed_while_the_block_lasts(connect: Connect, fake: FakeManager) -> None:
    fake.ttl_s = 2.0
    with connect().lease("bge-reranker") as model:
        first = fake.leases[1]["expires_at"]
        wait_for(lambda: fake.bodies("/renew/"), what="a renewal")
        assert not model.is_lost
        assert fake.leases[1]["expires_at"] > first
    count = len(fake.bodies("/renew/"))
    assert is_released(fake)
    assert len(fake.bodies("/renew/")) == count


def test_a_revoked_lease_is_lost_and_refuses_the_next_use(connect: Connect, fake: FakeManager) -> None:
    fake.ttl_s = 2.0
    with connect().lease("bge-reranker") as model:
        fake.leases[1]["closed_at"] = "now"
        wait_for(lambda: model.is_lost, what="the loss to be noticed")
        assert "lease_closed" in model.lost_because
        with pytest.raises(LeaseLost, match="bge-reranker"):
            _ = model.connection
        with pytest.raises(LeaseLost), model.call():
            pytest.fail("a lost lease must not be used")


@pytest.mark.slow
def test_renewing_is_tried_until_the_lease_runs_out(connect: Connect, fake: FakeManager) -> None:
    fake.ttl_s = 2.0
    manager = connect()
    with manager.lease("bge-reranker") as model:
        for _attempt in range(20):
            fake.refuse("/renew/", 503, "database_unavailable")
        wait_for(lambda: len(fake.bodies("/renew/")) >= 2, what="a second try")
        assert not model.is_lost
        wait_for(lambda: model.is_lost, what="the lease to run out")
        assert model.lost_because == "it was not renewed in time"


@pytest.mark.slow
def test_a_renewal_after_failures_keeps_the_lease(connect: Connect, fake: FakeManager) -> None:
    fake.ttl_s = 6.0
    with connect().lease("bge-reranker") as model:
        fake.refuse("/renew/", 503, "database_unavailable")
        fake.refuse("/renew/", 502, "")
        wait_for(lambda: len(fake.bodies("/renew/")) >= 3, what="the third try")
        assert not model.is_lost


def test_two_leases_are_renewed_side_by_side(connect: Connect, fake: FakeManager) -> None:
    fake.ttl_s = 2.0
    manager = connect()
    with manager.lease("bge-reranker"), manager.lease("rag-chat"):
        wait_for(
            lambda: {path for path, _ in fake.asked} >= {"/api/v1/leases/1/renew/", "/api/v1/leases/2/renew/"},
            what="both renewals",
        )


def test_the_key_is_not_shown(connect: Connect) -> None:
    assert "mm_" not in repr(connect())
