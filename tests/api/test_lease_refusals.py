"""Why a lease is refused: the first reason that applies, with what a caller needs to know of it."""

import threading

import pytest

from tests.api.calls import Caller, done, refused
from tests.monitoring.world import World
from usage.models import Lease
from usage.services import acquire


def wish(caller: Caller, model: str = "embedder", **more: object) -> object:
    return caller.post("leases/", {"model": model, **more})


@pytest.fixture
def embedder(world: World) -> World:
    world.add("embedder")
    return world


def test_no_such_model(embedder: World, chatbot: Caller, manager: Caller) -> None:
    refused(wish(chatbot, "nothing"), 404, "model_not_found")
    done(manager.delete("models/embedder/"), 204)
    refused(wish(chatbot), 404, "model_not_found")


def test_a_model_that_is_not_wanted_is_inactive_even_when_its_server_is_silent(
    embedder: World, chatbot: Caller
) -> None:
    embedder.fake.down = True
    problem = refused(wish(chatbot), 409, "model_inactive")
    assert problem["next_opening"] is None


def test_a_scheduled_model_tells_when_it_opens(everything: World, chatbot: Caller, manager: Caller) -> None:
    done(manager.patch("models/embedder/", {"activation_policy": "scheduled", "window": "night"}))
    everything.advance(8 * 3600)  # 02:00 in Seoul, open; nine hours later it is closed
    everything.advance(8 * 3600)
    problem = refused(wish(chatbot), 409, "model_inactive")
    assert problem["next_opening"] == "2026-11-25T08:00:00Z"


def test_a_disabled_or_silent_provider_is_unreachable(embedder: World, chatbot: Caller, manager: Caller) -> None:
    embedder.make_ready("embedder")
    embedder.fake.down = True
    assert refused(wish(chatbot), 503, "provider_unreachable")["retry_after_s"] > 0
    embedder.fake.down = False
    done(manager.patch("providers/gpu/", {"enabled": False}))
    assert refused(wish(chatbot), 503, "provider_unreachable")["retry_after_s"] > 0


def test_an_error_tells_its_cause(embedder: World, chatbot: Caller) -> None:
    embedder.make_ready("embedder")
    embedder.fake.unload_behind_our_back("embedder")
    problem = refused(wish(chatbot), 409, "model_error")
    assert problem["cause"] == "not_loaded"


def test_a_failed_load_tells_its_cause(world: World, chatbot: Caller, manager: Caller) -> None:
    world.add("embedder", failure="CUDA out of memory")
    done(manager.post("models/embedder/activate/"), 202)
    world.settle()
    problem = refused(wish(chatbot), 409, "model_error")
    assert problem["cause"] == "load_failed"
    assert "CUDA out of memory" in problem["detail"]


def test_a_model_on_its_way_is_activating(world: World, chatbot: Caller, manager: Caller) -> None:
    world.add("embedder", load_s=30)
    done(manager.post("models/embedder/activate/"), 202)
    world.look()
    problem = refused(wish(chatbot), 503, "model_activating")
    assert {"queue_position", "expected_wait_s", "held_by", "retry_after_s"} <= set(problem)
    assert problem["held_by"] == []


def test_a_gpu_that_others_hold_is_busy(embedder: World, chatbot: Caller, manager: Caller) -> None:
    embedder.add("chat")
    embedder.make_ready("embedder")
    embedder.use("embedder")
    done(manager.post("models/chat/activate/"), 202)
    embedder.look()
    problem = refused(wish(chatbot, "chat"), 503, "gpu_busy")
    assert problem["held_by"] == ["embedder"]
    assert problem["queue_position"] == 1
    assert problem["expected_wait_s"] is None or problem["expected_wait_s"] >= 0
    assert problem["retry_after_s"] > 0


def test_too_many_that_wait(world: World, chatbot: Caller, manager: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add("embedder", load_s=30)
    done(manager.post("models/embedder/activate/"), 202)
    monkeypatch.setattr(acquire, "_waiters", threading.BoundedSemaphore(1))
    acquire._waiters.acquire()
    assert refused(wish(chatbot, wait_s=5), 503, "too_many_waiters")["retry_after_s"] > 0
    refused(wish(chatbot), 503, "model_activating")


def test_refusals_leave_no_lease(embedder: World, chatbot: Caller) -> None:
    refused(wish(chatbot), 409, "model_inactive")
    assert not Lease.objects.exists()
    assert embedder.model("embedder").open_leases == 0
