"""Asking a provider through the API: check, catalog, verify, residents; and leaving a disabled one alone."""

import pytest

from tests.api.calls import Caller, done, invalid, is_utc, refused
from tests.monitoring.world import World


def test_a_check_tells_how_the_server_is(world: World, manager: Caller) -> None:
    told = done(manager.post("providers/gpu/check/"))
    assert set(told) == {"ok", "latency_ms", "detail", "server_version", "outcome"}
    assert (told["ok"], told["server_version"]) == (True, "2.51.0")
    assert told["latency_ms"] >= 0


def test_a_check_of_a_silent_server_is_a_result(world: World, manager: Caller) -> None:
    world.fake.down = True
    told = done(manager.post("providers/gpu/check/"))
    assert told["ok"] is False
    assert told["detail"]


def test_the_catalog_lists_what_the_server_offers(world: World, chatbot: Caller) -> None:
    world.add("embedder")
    world.fake.add("stranger")
    world.fake.add("broken", failure="out of memory")
    world.fake.load_behind_our_back("stranger")
    no_more = {"reason": "", "underlying": ""}
    with_failure = {"remote_name": "broken", "state": "unloaded", "registered_as": None} | no_more
    listed = done(chatbot.get("providers/gpu/catalog/"))
    assert (listed["count"], listed["next"], listed["previous"]) == (3, None, None)
    assert listed["results"] == [
        with_failure,
        {"remote_name": "embedder", "state": "unloaded", "registered_as": "embedder"} | no_more,
        {"remote_name": "stranger", "state": "ready", "registered_as": None} | no_more,
    ]
    second = done(chatbot.get("providers/gpu/catalog/", page=2, page_size=2))
    assert [entry["remote_name"] for entry in second["results"]] == ["stranger"]


def test_a_model_is_looked_at_before_it_is_registered(world: World, manager: Caller) -> None:
    world.fake.add("e5")
    told = done(manager.post("providers/gpu/verify/", {"remote_name": "e5"}))
    assert (told["remote_name"], told["state"], told["ready"], told["registered_as"]) == ("e5", "unloaded", False, None)
    world.fake.load_behind_our_back("e5")
    told = done(manager.post("providers/gpu/verify/", {"remote_name": "e5", "remote_version": "1"}))
    assert (told["state"], told["ready"]) == ("ready", True)
    assert done(manager.post("providers/gpu/verify/", {"remote_name": "nothing"}))["state"] == "absent"
    invalid(manager.post("providers/gpu/verify/", {}), remote_name="required")


def test_residents_tell_who_is_on_the_gpu_who_waits_and_what_is_done(world: World, chatbot: Caller) -> None:
    world.add("embedder")
    world.add("chat", load_s=30)
    world.make_ready("embedder")
    world.use("embedder")
    world.put("chat", switch_state="on", wanted=True, queued_at=world.at(0))
    world.look()
    told = done(chatbot.get("providers/gpu/residents/"))
    assert [(r["remote_name"], r["state"], r["registered_as"], r["open_leases"]) for r in told["residents"]] == [
        ("embedder", "ready", "embedder", 1)
    ]
    assert [entry["model"] for entry in told["queue"]] == ["chat"]
    assert is_utc(told["queue"][0]["since"])
    assert told["operation"] is None
    assert told["max_loaded_models"] == 1


def test_residents_show_the_running_operation(world: World, chatbot: Caller, manager: Caller) -> None:
    world.add("chat", load_s=30)
    done(manager.post("models/chat/activate/"), 202)
    world.look()
    operation = done(chatbot.get("providers/gpu/residents/"))["operation"]
    assert (operation["kind"], operation["model"], operation["outcome"]) == ("load", "chat", "running")


LOOKS = [("get", "providers/gpu/catalog/"), ("get", "providers/gpu/residents/"), ("get", "models/embedder/verify/")]


@pytest.mark.parametrize(("method", "path"), LOOKS)
def test_a_silent_server_is_unreachable(world: World, manager: Caller, method: str, path: str) -> None:
    world.add("embedder")
    world.fake.down = True
    problem = refused(manager.send(method, path), 503, "provider_unreachable")
    assert problem["retry_after_s"] > 0


@pytest.mark.parametrize(("method", "path"), LOOKS)
def test_a_disabled_provider_is_not_asked(world: World, manager: Caller, method: str, path: str) -> None:
    world.add("embedder")
    done(manager.patch("providers/gpu/", {"enabled": False}))
    world.fake.calls.clear()
    refused(manager.send(method, path), 503, "provider_unreachable")
    refused(manager.post("providers/gpu/verify/", {"remote_name": "embedder"}), 503, "provider_unreachable")
    assert done(manager.post("providers/gpu/check/"))["ok"] is False
    assert world.fake.calls == {}


def test_a_disabled_provider_gives_no_leases_and_takes_no_models(world: World, manager: Caller) -> None:
    world.add("embedder")
    world.make_ready("embedder")
    world.fake.add("e5")
    done(manager.patch("providers/gpu/", {"enabled": False}))
    refused(manager.post("leases/", {"model": "embedder"}), 503, "provider_unreachable")
    body = {"name": "e5", "provider": "gpu", "remote_name": "e5"}
    refused(manager.post("models/", body), 503, "provider_unreachable")
    world.look()
    assert world.resident() == ["embedder"]
    assert world.posts() == []


def test_a_client_cannot_have_a_provider_checked(world: World, chatbot: Caller) -> None:
    refused(chatbot.post("providers/gpu/check/"), 403, "permission_denied")
