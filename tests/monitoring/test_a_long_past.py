"""What a look and a poll read does not grow with the operations that a server has been through."""

import pytest

from modelmanager.lib.clock import now
from monitoring import operations, served
from monitoring.models import Operation, OperationKind, Outcome
from tests.monitoring.world import World
from tests.rows_read import learn_sizes, rows_read

PAST = 2000


@pytest.fixture
def old(shared_world: World) -> World:
    """A server with a loaded model that was loaded and unloaded a thousand times before."""
    world = shared_world
    for name in ("chat", "rerank"):
        world.add(name)
    ended = {"outcome": Outcome.SUCCEEDED, "started_at": now(), "posted_at": now(), "finished_at": now()}
    shared = {"provider": world.provider, "model": world.model("chat"), "deadline_at": now(), **ended}
    kinds = (OperationKind.LOAD, OperationKind.UNLOAD) * (PAST // 2)
    Operation.objects.bulk_create(Operation(kind=kind, requested_by="user:kim", **shared) for kind in kinds)
    world.bring_up("chat")
    learn_sizes(Operation)
    return world


@pytest.mark.mariadb
def test_the_newest_operation_is_found_by_its_index(old: World) -> None:
    assert operations.last_on(old.provider.pk) == Operation.objects.latest("pk")
    assert rows_read(lambda: operations.last_on(old.provider.pk)) < 100


@pytest.mark.mariadb
def test_the_last_load_of_each_model_is_found_by_its_index(old: World) -> None:
    old.fake.call("chat")
    assert rows_read(lambda: served.read(old.provider.pk)) < 200


@pytest.mark.mariadb
def test_a_look_at_a_server_at_rest_reads_little(old: World) -> None:
    old.settle()
    assert rows_read(old.look) < 500
