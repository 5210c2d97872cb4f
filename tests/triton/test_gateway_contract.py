"""What every TritonGateway promises, shown on the fake, on the fake over HTTP, and on the real server."""

import time
from collections.abc import Iterator

import pytest

from models_registry.providers.errors import ProviderRefused, ProviderUnavailable
from models_registry.providers.observation import RemoteState
from tests.triton.worlds import (
    TIMEOUT_S,
    InProcess,
    OverHttp,
    Real,
    World,
    changed,
    loaded,
    note_of,
    wait_for,
    wait_until,
)

UNLOADED, LOADING, READY = RemoteState.UNLOADED, RemoteState.LOADING, RemoteState.READY
UNLOADING, FAILED, ABSENT = RemoteState.UNLOADING, RemoteState.FAILED, RemoteState.ABSENT
SLOW_S = 4.5  # longer than the gateways here wait for the answer to a post


@pytest.fixture(scope="module")
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    request.getfixturevalue("triton_installation")
    world = Real(tmp_path_factory.mktemp("contract"))
    yield world
    world.close()


@pytest.fixture(params=["fake", "fake over http", pytest.param("real", marks=pytest.mark.triton)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "real":
        yield request.getfixturevalue("real")
        return
    made = InProcess() if request.param == "fake" else OverHttp()
    yield made
    made.close()


def test_a_model_never_loaded_is_listed_as_unloaded(world: World) -> None:
    world.add("never-loaded")
    assert world.gateway.observe().of("never-loaded").state == UNLOADED
    assert not world.gateway.is_ready("never-loaded")


def test_an_unknown_model_is_absent_and_not_ready(world: World) -> None:
    assert world.gateway.observe().of("nobody").state == ABSENT
    assert not world.gateway.is_ready("nobody")
    assert world.gateway.effective_config("nobody") is None


def test_a_quick_load_is_answered_with_true(world: World) -> None:
    world.add("quick")
    assert world.gateway.post_load("quick") is True
    assert world.gateway.observe().of("quick").versions_ready == ("1",)
    assert "quick" in world.gateway.observe().resident()
    assert world.gateway.is_ready("quick")


def test_ready_is_told_for_each_version(world: World) -> None:
    loaded(world, "versioned")
    assert world.gateway.is_ready("versioned", "1")
    assert not world.gateway.is_ready("versioned", "2")


@pytest.mark.slow
def test_a_slow_load_goes_on_without_the_one_who_posted_it(world: World) -> None:
    world.add("slow", load_s=SLOW_S)
    assert world.gateway.post_load("slow") is False
    wait_for(world, "slow", LOADING)
    assert not world.gateway.is_ready("slow")
    wait_for(world, "slow", READY)
    assert world.gateway.is_ready("slow")


def test_a_failed_load_is_refused_with_the_backends_reason(world: World) -> None:
    world.add("broken", failure="the weights are damaged")
    with pytest.raises(ProviderRefused, match=r"load failed for model 'broken'.*the weights are damaged") as refusal:
        world.gateway.post_load("broken")
    assert refusal.value.status == 400
    told = world.gateway.observe().of("broken")
    assert (told.state, told.reason) == (FAILED, "Internal: RuntimeError: the weights are damaged")
    assert not world.gateway.is_ready("broken")


@pytest.mark.slow
def test_a_failure_after_the_post_was_given_up_is_in_the_index(world: World) -> None:
    world.add("slowly-broken", load_s=SLOW_S, failure="no such layer")
    assert world.gateway.post_load("slowly-broken") is False
    wait_for(world, "slowly-broken", FAILED)
    assert "no such layer" in world.gateway.observe().of("slowly-broken").reason


def test_a_mended_model_loads_after_a_failure(world: World) -> None:
    world.add("mended", failure="the weights are damaged")
    with pytest.raises(ProviderRefused):
        world.gateway.post_load("mended")
    loaded(world, "mended")
    assert world.gateway.is_ready("mended")


def test_loading_what_is_not_in_the_repository_is_refused(world: World) -> None:
    with pytest.raises(ProviderRefused, match="failed to poll from model repository") as refusal:
        world.gateway.post_load("nobody")
    assert refusal.value.status == 500


def test_an_unload_is_answered_before_it_is_done(world: World) -> None:
    loaded(world, "leaving")
    world.gateway.post_unload("leaving")
    wait_for(world, "leaving", UNLOADING)
    assert "leaving" in world.gateway.observe().resident()
    assert not world.gateway.is_ready("leaving")
    wait_for(world, "leaving", UNLOADED)
    assert "leaving" not in world.gateway.observe().resident()
    assert world.gateway.effective_config("leaving") is None


def test_unloading_an_unknown_name_proves_nothing(world: World) -> None:
    world.gateway.post_unload("nobody")
    assert world.gateway.observe().of("nobody").state == ABSENT


@pytest.mark.slow
def test_an_unload_waits_for_the_load_that_runs(world: World) -> None:
    world.add("turned-back", load_s=SLOW_S)
    world.gateway.post_load("turned-back")
    wait_for(world, "turned-back", LOADING)
    world.gateway.post_unload("turned-back")
    assert world.gateway.observe().of("turned-back").state == LOADING
    wait_for(world, "turned-back", UNLOADED)


def test_a_model_can_be_loaded_again_after_its_unload(world: World) -> None:
    loaded(world, "returning")
    world.gateway.post_unload("returning")
    wait_for(world, "returning", UNLOADED)
    world.gateway.post_load("returning")
    wait_for(world, "returning", READY)


@pytest.mark.slow
def test_a_load_posted_into_the_same_load_ends_ready(world: World) -> None:
    world.add("twice", load_s=SLOW_S)
    world.gateway.post_load("twice")
    wait_for(world, "twice", LOADING)
    world.gateway.post_load("twice")
    wait_for(world, "twice", READY)


@pytest.mark.slow
def test_a_ready_model_serves_on_while_a_changed_copy_loads_beside_it(world: World) -> None:
    loaded(world, "reloaded", load_s=SLOW_S)
    config = changed(world.gateway.effective_config("reloaded"))
    assert world.gateway.post_load("reloaded", config=config) is False
    assert world.gateway.observe().of("reloaded").state == READY
    assert world.gateway.is_ready("reloaded")
    wait_until(world, lambda: note_of(world.gateway.effective_config("reloaded")) == "changed")


def test_a_second_copy_that_does_not_fit_fails_and_the_first_stays(world: World) -> None:
    world.set_budget(1000)
    loaded(world, "too-big-twice", size_mb=600)
    with pytest.raises(ProviderRefused, match=r"CUDA out of memory. Tried to allocate 600 MiB"):
        world.gateway.post_load("too-big-twice", config=changed(world.gateway.effective_config("too-big-twice")))
    assert world.gateway.observe().of("too-big-twice").state == READY
    assert world.gateway.is_ready("too-big-twice")
    world.gateway.post_unload("too-big-twice")
    wait_for(world, "too-big-twice", UNLOADED)


def test_of_two_models_that_do_not_fit_together_one_runs_out_of_memory(world: World) -> None:
    world.set_budget(1000)
    loaded(world, "first", size_mb=600)
    world.add("second", size_mb=600)
    with pytest.raises(ProviderRefused, match="CUDA out of memory"):
        world.gateway.post_load("second")
    world.gateway.post_unload("first")
    wait_for(world, "first", UNLOADED)
    assert world.gateway.post_load("second") is True
    world.gateway.post_unload("second")
    wait_for(world, "second", UNLOADED)


def test_a_configuration_sent_with_the_load_drives_the_model(world: World) -> None:
    loaded(world, "configured")
    plain = world.gateway.effective_config("configured")
    assert note_of(plain) == ""
    world.gateway.post_unload("configured")
    wait_for(world, "configured", UNLOADED)
    assert world.gateway.post_load("configured", config=changed(plain)) is True
    assert note_of(world.gateway.effective_config("configured")) == "changed"


def test_a_model_removed_from_the_repository_while_loaded_stays_resident(world: World) -> None:
    loaded(world, "removed")
    world.forget("removed")
    assert world.gateway.observe().of("removed").state == ABSENT
    assert world.gateway.is_ready("removed")
    world.gateway.post_unload("removed")
    wait_until(world, lambda: not world.gateway.is_ready("removed"))


def test_the_server_tells_what_it_is(world: World) -> None:
    told = world.gateway.server_info()
    assert (told.name, told.version) == ("triton", "2.51.0")
    assert "model_repository" in told.extensions


def test_without_a_gpu_no_memory_is_told(world: World) -> None:
    assert world.gateway.gpu_memory() is None


def test_a_killed_server_is_unavailable_and_its_successor_is_reached_by_the_same_gateway(world: World) -> None:
    loaded(world, "survivor")
    world.kill()
    refuses_everything(world)
    world.start()
    told = world.gateway.observe()
    assert (told.of("survivor").state, told.resident()) == (UNLOADED, [])
    assert not world.gateway.is_ready("survivor")
    assert world.gateway.post_load("survivor") is True


@pytest.mark.slow
def test_a_server_that_accepts_and_never_answers_is_unavailable_in_time(world: World) -> None:
    loaded(world, "behind-glass")
    world.freeze()
    try:
        refuses_everything(world)
    finally:
        world.thaw()
    wait_until(world, lambda: answers(world))
    assert world.gateway.is_ready("behind-glass")


def refuses_everything(world: World) -> None:
    gateway = world.gateway
    questions = (
        gateway.observe,
        lambda: gateway.is_ready("any"),
        lambda: gateway.post_load("any"),
        lambda: gateway.post_unload("any"),
        lambda: gateway.effective_config("any"),
        gateway.server_info,
    )
    for question in questions:
        began = time.monotonic()
        with pytest.raises(ProviderUnavailable):
            question()
        assert time.monotonic() - began < TIMEOUT_S + 1.0
    assert gateway.gpu_memory() is None


def answers(world: World) -> bool:
    try:
        world.gateway.observe()
    except ProviderUnavailable:
        return False
    return True


def counted(world: World, name: str) -> list[tuple[str, int, int]]:
    return [(one.version, one.succeeded, one.failed) for one in world.gateway.counters() if one.name == name]


def test_calls_are_counted_by_version_from_the_load_on(world: World) -> None:
    loaded(world, "counting")
    assert counted(world, "counting") == [("1", 0, 0)]
    world.call("counting")
    world.call("counting")
    world.call("counting", fails=True)
    assert counted(world, "counting") == [("1", 2, 1)]
    (counters,) = [one for one in world.gateway.counters() if one.name == "counting"]
    assert counters.last_at is not None


def test_what_is_not_loaded_is_not_counted_and_a_load_counts_from_zero(world: World) -> None:
    loaded(world, "counting-anew")
    world.call("counting-anew")
    world.gateway.post_unload("counting-anew")
    wait_for(world, "counting-anew", UNLOADED)
    assert counted(world, "counting-anew") == []
    world.gateway.post_load("counting-anew")
    wait_for(world, "counting-anew", READY)
    assert counted(world, "counting-anew") == [("1", 0, 0)]


def test_a_reload_beside_the_ready_copy_counts_from_zero(world: World) -> None:
    loaded(world, "counting-reloaded")
    world.call("counting-reloaded")
    config = changed(world.gateway.effective_config("counting-reloaded"))
    world.gateway.post_load("counting-reloaded", config=config)
    wait_until(world, lambda: counted(world, "counting-reloaded") == [("1", 0, 0)])
