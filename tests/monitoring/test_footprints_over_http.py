"""Several models on one GPU, measured by the server's recorded metrics page, all over HTTP."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from models_registry.models import Provider
from models_registry.providers.triton import HttpTritonGateway, use_gateways
from tests.monitoring.world import World
from tests.triton.fake_server import FakeTritonServer
from tests.triton.metrics_page import MetricsPage

GPU_MB = 1000


@dataclass
class Host:
    """A GPU host: a Triton server, and the page that tells what is used of its GPU."""

    world: World
    page: MetricsPage

    def add(self, name: str, *, declared_mb: int, takes_mb: int) -> str:
        """A model that takes something else than was declared."""
        self.world.add(name, gpu_memory_mb=declared_mb)
        self.world.fake.add(name, size_mb=takes_mb)
        return name

    def bring_up(self, name: str) -> None:
        """Switched on, ready, and long enough so to be measured."""
        self.world.bring_up(name)
        self.world.run_for(6)

    def measured(self) -> dict[str, int | None]:
        return {model.name: model.measured_memory_mb for model in self.world.provider.models.all()}


@pytest.fixture
def host(db: None, build: Callable[..., World]) -> Iterator[Host]:
    world = build(max_loaded_models=None)
    world.fake.budget_mb = GPU_MB
    Provider.objects.update(gpu_memory_mb=GPU_MB)
    with (
        FakeTritonServer(world.fake) as server,
        MetricsPage(world.fake.used_mb, total_mb=GPU_MB) as page,
        use_gateways(lambda url: HttpTritonGateway(server.url, metrics_url=page.url, timeout_s=1)),
    ):
        yield Host(world, page)


def test_several_models_are_measured_and_share_the_gpu_by_what_they_take(host: Host):
    for name, takes_mb in (("bge", 400), ("rerank", 350)):
        host.bring_up(host.add(name, declared_mb=300, takes_mb=takes_mb))
    assert host.measured() == {"bge": 400, "rerank": 350}
    assert host.world.resident() == ["bge", "rerank"]

    # By what was declared it would fit beside them, and fail with out-of-memory.
    host.bring_up(host.add("chat", declared_mb=300, takes_mb=300))

    assert host.world.posts()[2:] == [("unload", "bge"), ("load", "chat")]
    assert host.world.resident() == ["chat", "rerank"]
    assert host.measured() == {"bge": 400, "rerank": 350, "chat": 300}
    assert all(operation.error == "" for operation in host.world.operations())


def test_a_model_nobody_registered_counts_as_one_and_is_not_measured_as_part_of_another(host: Host):
    Provider.objects.update(max_loaded_models=2)
    host.world.fake.add("theirs", size_mb=500)
    host.world.fake.load_behind_our_back("theirs")
    host.bring_up(host.add("bge", declared_mb=100, takes_mb=200))
    assert host.measured() == {"bge": 200}

    host.bring_up(host.add("rerank", declared_mb=100, takes_mb=200))

    assert host.world.posts()[1:] == [("unload", "bge"), ("load", "rerank")]
    assert host.world.resident() == ["rerank", "theirs"]


def test_memory_kept_by_the_server_holds_the_next_load_until_the_page_says_that_it_is_back(host: Host):
    host.bring_up(host.add("bge", declared_mb=400, takes_mb=400))
    host.add("chat", declared_mb=900, takes_mb=900)
    host.world.switch_off("bge")
    host.world.look()
    host.world.fake.leaked_mb = 400
    host.world.switch_on("chat")
    host.world.run_for(70)
    assert host.world.provider_row().memory_held_since is not None
    assert host.world.posts()[1:] == [("unload", "bge")]

    host.world.fake.leaked_mb = 0
    host.world.run_for(10)

    assert host.world.posts()[1:] == [("unload", "bge"), ("load", "chat")]
    assert host.world.status("chat") == "active"


def test_a_page_that_hangs_delays_a_load_and_stops_none(host: Host):
    host.page.silent = True
    host.bring_up(host.add("bge", declared_mb=300, takes_mb=400))
    assert host.page.asked >= 1
    assert (host.world.status("bge"), host.measured()) == ("active", {"bge": None})
