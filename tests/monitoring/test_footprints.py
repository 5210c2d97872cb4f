"""How much a model really takes is measured around its load, and an unload must give it back."""

from typing import Any

import pytest

from models_registry.models import Provider
from models_registry.refusals import ModelTooLarge
from models_registry.services.switching import activate, deactivate
from monitoring import footprints
from monitoring.rules.follow import MEMORY_KEPT
from tests.monitoring.world import World


@pytest.fixture
def metered(world: World) -> World:
    """The server tells its GPU memory, 1000 MB; one model at a time."""
    world.fake.exposes_gpu_memory = True
    world.fake.budget_mb = 1000
    return world


def switch_on(world: World, name: str) -> None:
    activate(world.model(name), actor="user:kim")
    world.settle()


def measured(world: World, name: str) -> int | None:
    return world.model(name).measured_memory_mb


def grow(world: World, name: str, size_mb: int) -> None:
    """What the model really takes, whatever was declared."""
    world.fake.add(name, size_mb=size_mb)


def test_a_load_is_measured_once_the_figures_have_settled(metered: World):
    metered.add("chat", load_s=2)
    grow(metered, "chat", 400)
    switch_on(metered, "chat")
    assert measured(metered, "chat") is None
    metered.provider.refresh_from_db()
    assert metered.provider.wake_at is not None
    metered.advance(3)
    metered.look()
    assert measured(metered, "chat") == 400
    assert [(o.memory_before_mb, o.memory_after_mb) for o in metered.operations()] == [(0, 400)]


def test_it_is_measured_once_only(metered: World):
    metered.add("chat")
    grow(metered, "chat", 400)
    switch_on(metered, "chat")
    metered.advance(3)
    metered.look()
    metered.fake.leaked_mb = 300
    metered.run_for(10)
    assert measured(metered, "chat") == 400


def test_a_figure_that_came_too_late_tells_nothing(metered: World):
    metered.add("chat")
    grow(metered, "chat", 400)
    switch_on(metered, "chat")
    metered.advance(31)
    metered.look()
    assert measured(metered, "chat") is None


def test_two_loads_in_a_row_are_not_mixed_up(metered: World):
    Provider.objects.update(max_loaded_models=2)
    for name in ("chat", "rerank"):
        metered.add(name)
        grow(metered, name, 400)
        activate(metered.model(name), actor="user:kim")
    metered.settle()
    metered.advance(3)
    metered.look()
    assert (measured(metered, "chat"), measured(metered, "rerank")) == (None, None)


def test_the_larger_of_declared_and_measured_counts(metered: World):
    metered.add("chat", gpu_memory_mb=100)
    assert metered.model("chat").size_mb == 100
    metered.put("chat", measured_memory_mb=400)
    assert metered.model("chat").size_mb == 400
    metered.put("chat", gpu_memory_mb=500)
    assert metered.model("chat").size_mb == 500


def test_what_is_measured_decides_what_fits(metered: World):
    Provider.objects.update(max_loaded_models=None, gpu_memory_mb=1000)
    for name in ("chat", "rerank"):
        metered.add(name, gpu_memory_mb=100)
    metered.put("chat", measured_memory_mb=950)
    metered.make_ready("chat")
    metered.use("chat", ttl_s=600)
    switch_on(metered, "rerank")
    assert metered.posts() == []
    waiting = metered.model("rerank").waiting
    assert waiting is not None and waiting["for"] == ["chat"]


def test_a_model_measured_larger_than_its_server_is_refused(metered: World):
    Provider.objects.update(gpu_memory_mb=1000)
    metered.add("chat", gpu_memory_mb=100)
    metered.put("chat", measured_memory_mb=1001)
    with pytest.raises(ModelTooLarge):
        activate(metered.model("chat"), actor="user:kim")


def loaded_and_measured(world: World, name: str, size_mb: int) -> None:
    world.add(name, load_s=1, unload_s=1)
    grow(world, name, size_mb)
    switch_on(world, name)
    world.advance(3)
    world.look()
    assert measured(world, name) == size_mb


def test_memory_that_comes_back_late_is_waited_for(metered: World):
    loaded_and_measured(metered, "chat", 400)
    metered.add("rerank")
    metered.fake.leaked_mb = 0
    deactivate(metered.model("chat"), actor="user:kim")
    metered.look()
    metered.fake.leaked_mb = 400
    metered.run_for(20)
    activate(metered.model("rerank"), actor="user:kim")
    metered.run_for(5)
    assert metered.posts()[1:] == [("unload", "chat")]
    metered.fake.leaked_mb = 0
    metered.settle()
    assert metered.posts()[1:] == [("unload", "chat"), ("load", "rerank")]
    assert metered.operations()[1].error == ""


def held(world: World) -> None:
    """An unload of 400 MB has given nothing back for a minute, and another model waits."""
    loaded_and_measured(world, "chat", 400)
    world.add("rerank")
    deactivate(world.model("chat"), actor="user:kim")
    world.look()
    world.fake.leaked_mb = 400
    activate(world.model("rerank"), actor="user:kim")
    world.run_for(65)


def test_trap_8_memory_that_does_not_come_back_blocks_the_next_load_and_is_told(metered: World):
    held(metered)
    provider = Provider.objects.get()
    assert (provider.memory_awaited_mb, provider.memory_held_since is not None) == (80, True)
    assert metered.operations()[-1].error == MEMORY_KEPT
    assert metered.status("chat") == "registered"
    assert metered.posts()[1:] == [("unload", "chat")]


def test_it_goes_on_by_itself_once_the_memory_is_back(metered: World):
    held(metered)
    metered.fake.leaked_mb = 60
    metered.run_for(10)
    assert metered.posts()[-1] == ("load", "rerank")
    assert Provider.objects.get().memory_held_since is None


def test_a_person_may_let_it_go(metered: World):
    held(metered)
    footprints.acknowledge(Provider.objects.get())
    metered.settle()
    assert metered.posts()[-1] == ("load", "rerank")


def test_a_little_that_allocators_keep_is_no_hold(metered: World):
    loaded_and_measured(metered, "chat", 400)
    deactivate(metered.model("chat"), actor="user:kim")
    metered.look()
    metered.fake.leaked_mb = 80
    metered.settle()
    assert Provider.objects.get().memory_held_since is None
    assert metered.outcomes()[-1] == ("unload", "chat", "succeeded")


def test_a_server_that_tells_nothing_is_not_waited_for(world: World):
    world.add("chat")
    world.put("chat", measured_memory_mb=400)
    world.make_ready("chat")
    deactivate(world.model("chat"), actor="user:kim")
    world.settle()
    assert world.outcomes() == [("unload", "chat", "succeeded")]
    assert world.operations()[0].memory_before_mb is None


def test_a_figure_that_still_counts_what_was_unloaded_just_before_tells_nothing(
    metered: World, monkeypatch: pytest.MonkeyPatch
):
    """The server renews its figures every two seconds; nobody knows what the one before took."""
    metered.add("chat")
    grow(metered, "chat", 400)
    metered.make_ready("chat")
    metered.add("rerank")
    grow(metered, "rerank", 600)
    before = metered.fake.gpu_memory()
    with monkeypatch.context() as patched:
        patched.setattr(metered.fake, "gpu_memory", lambda: before)
        switch_on(metered, "rerank")
    assert metered.posts() == [("unload", "chat"), ("load", "rerank")]
    metered.advance(3)
    metered.look()
    assert measured(metered, "rerank") is None


def test_killed_between_the_end_of_an_unload_and_its_hold_the_hold_is_set_all_the_same(
    metered: World, monkeypatch: pytest.MonkeyPatch
):
    loaded_and_measured(metered, "chat", 400)
    metered.add("rerank")
    deactivate(metered.model("chat"), actor="user:kim")
    metered.look()
    metered.fake.leaked_mb = 400
    activate(metered.model("rerank"), actor="user:kim")
    metered.run_for(58)

    def killed(*_operation: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(footprints, "hold", killed)
        metered.run_for(5)
    metered.run_for(30)

    assert Provider.objects.get().memory_held_since is not None
    assert metered.posts()[1:] == [("unload", "chat")]
