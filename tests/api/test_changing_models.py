"""`PATCH`, `DELETE`, `restore` and `impact` of a model."""

from typing import Any

import pytest

from models_registry.models import RegisteredModel
from tests.api.calls import Caller, done, invalid, is_utc, refused
from tests.monitoring.world import World


@pytest.fixture
def embedder(world: World) -> World:
    world.add("embedder")
    return world


def test_only_what_is_sent_is_changed(embedder: World, manager: Caller) -> None:
    before = done(manager.get("models/embedder/"))
    embedder.advance(5)
    after = done(manager.patch("models/embedder/", {"display_name": "Embedder"}))
    assert after["display_name"] == "Embedder"
    assert after["updated_at"] > before["updated_at"]
    same = set(before) - {"display_name", "updated_at"}
    assert {field: after[field] for field in same} == {field: before[field] for field in same}


def test_what_was_read_can_be_sent_back(embedder: World, manager: Caller) -> None:
    shown = done(manager.get("models/embedder/"))
    again = done(manager.patch("models/embedder/", shown))
    assert {**again, "updated_at": ""} == {**shown, "updated_at": ""}


def test_the_name_never_changes(embedder: World, manager: Caller) -> None:
    invalid(manager.patch("models/embedder/", {"name": "other"}), name="immutable")
    done(manager.patch("models/embedder/", {"name": "embedder"}))


@pytest.mark.parametrize("change", [{"remote_name": "other"}, {"provider": "second"}], ids=str)
def test_what_a_wanted_model_stands_for_does_not_change(
    embedder: World, manager: Caller, change: dict[str, Any]
) -> None:
    body = {"name": "second", "kind": "triton", "base_url": "http://127.0.0.1:9", "allow_private_network": True}
    done(manager.post("providers/", body), 201)
    done(manager.post("models/embedder/activate/"), 202)
    refused(manager.patch("models/embedder/", {**change, "display_name": "x"}), 409, "model_in_use")
    shown = done(manager.get("models/embedder/"))
    assert (shown["remote_name"], shown["provider"], shown["display_name"]) == ("embedder", "gpu", "")
    done(manager.patch("models/embedder/", {"remote_name": "embedder", "provider": "gpu"}))
    done(manager.post("models/embedder/deactivate/"), 202)
    done(manager.patch("models/embedder/", change))


def test_a_remote_name_taken_by_another_model_is_refused(embedder: World, manager: Caller) -> None:
    embedder.add("chat")
    invalid(manager.patch("models/embedder/", {"remote_name": "chat"}), remote_name="unique")


def test_the_switch_goes_back_to_automatic(embedder: World, manager: Caller) -> None:
    done(manager.post("models/embedder/activate/"), 202)
    shown = done(manager.patch("models/embedder/", {"switch": {"state": "auto"}}))
    assert (shown["switch"], shown["wanted"]) == ({"state": "auto", "until": None}, False)


@pytest.mark.parametrize(
    ("switch", "errors"),
    [
        ({}, {"switch__state": "required"}),
        ({"until": None}, {"switch__state": "required"}),
        ({"until": "2030-01-01T00:00:00Z"}, {"switch__state": "required"}),
        ({"state": "auto", "until": "2030-01-01T00:00:00Z"}, {"switch__until": "invalid"}),
        ({"state": "on", "until": "2026-11-24T09:00:00Z"}, {"switch__until": "invalid"}),
        ({"state": "on", "until": "2030-01-01T00:00:00"}, {"switch__until": "no_offset"}),
        ({"state": "on", "until": "tomorrow"}, {"switch__until": "invalid"}),
        ({"state": "on", "until": 5}, {"switch__until": "invalid"}),
        (None, {"switch": "null"}),
    ],
    ids=str,
)
def test_a_strange_wish_for_the_switch_changes_nothing_at_all(
    embedder: World, manager: Caller, switch: Any, errors: dict[str, str]
) -> None:
    before = RegisteredModel.objects.values().get()
    invalid(manager.patch("models/embedder/", {"display_name": "x", "switch": switch}), **errors)
    assert RegisteredModel.objects.values().get() == before


def test_a_change_and_a_refused_switch_change_nothing(embedder: World, manager: Caller) -> None:
    done(manager.patch("models/embedder/", {"gpu_memory_mb": 800}))
    done(manager.patch("providers/gpu/", {"gpu_memory_mb": 800}))
    embedder.put("embedder", gpu_memory_mb=900)
    before = RegisteredModel.objects.values().get()
    refused(manager.patch("models/embedder/", {"switch": {"state": "on"}}), 409, "model_too_large")
    response = manager.patch("models/embedder/", {"display_name": "x", "switch": {"state": "on"}})
    invalid(response, gpu_memory_mb="too_large")
    assert RegisteredModel.objects.values().get() == before


def test_an_idle_model_is_deleted_and_frees_its_name(embedder: World, manager: Caller) -> None:
    done(manager.delete("models/embedder/"), 204)
    refused(manager.get("models/embedder/"), 404, "not_found")
    refused(manager.delete("models/embedder/"), 404, "not_found")
    assert done(manager.get("models/"))["count"] == 0
    done(manager.post("models/", {"name": "embedder", "provider": "gpu", "remote_name": "embedder"}), 201)


def test_a_leased_model_stays_and_tells_what_would_break(embedder: World, manager: Caller) -> None:
    embedder.make_ready("embedder")
    lease = embedder.use("embedder", instance="pod-1")
    problem = refused(manager.delete("models/embedder/"), 409, "model_in_use")
    impact = problem["impact"]
    assert impact == done(manager.get("models/embedder/impact/"))
    assert (impact["open_leases"], impact["wanted"], impact["observed"]) == (1, True, "ready")
    assert [(row["id"], row["client"], row["instance"]) for row in impact["leases"]] == [
        (lease.lease_id, "chatbot", "pod-1")
    ]
    assert (impact["bindings"], impact["window"]) == ([], None)
    assert is_utc(impact["last_used_at"])


def test_a_bound_model_stays(embedder: World, manager: Caller, chatbot: Caller) -> None:
    done(chatbot.post("bindings/", {"model": "embedder", "reference": "kb-1"}), 201)
    impact = refused(manager.delete("models/embedder/"), 409, "model_in_use")["impact"]
    assert [(row["client"], row["reference"]) for row in impact["bindings"]] == [("chatbot", "kb-1")]


@pytest.mark.parametrize("observed", ["loading", "ready", "unloading"])
def test_a_model_on_the_gpu_stays(embedder: World, manager: Caller, observed: str) -> None:
    embedder.put("embedder", observed=observed)
    assert refused(manager.delete("models/embedder/"), 409, "model_in_use")["impact"]["observed"] == observed


def test_a_wanted_model_stays(embedder: World, manager: Caller) -> None:
    done(manager.post("models/embedder/activate/"), 202)
    assert refused(manager.delete("models/embedder/"), 409, "model_in_use")["impact"]["wanted"] is True


def test_a_restored_model_is_switched_off_and_not_observed(embedder: World, manager: Caller) -> None:
    done(manager.delete("models/embedder/"), 204)
    shown = done(manager.post("models/embedder/restore/"))
    assert (shown["switch"]["state"], shown["observed"]["state"], shown["status"]) == ("off", "unknown", "registered")
    assert done(manager.get("models/embedder/")) == shown
    assert done(manager.post("models/embedder/restore/")) == shown


def test_a_name_taken_meanwhile_is_not_restored(embedder: World, manager: Caller) -> None:
    done(manager.delete("models/embedder/"), 204)
    body = {"name": "embedder", "provider": "gpu", "remote_name": "other", "verify": False}
    done(manager.post("models/", body), 201)
    refused(manager.post("models/embedder/restore/"), 409, "name_taken")


def test_a_remote_model_taken_meanwhile_is_not_restored(embedder: World, manager: Caller) -> None:
    done(manager.delete("models/embedder/"), 204)
    done(manager.post("models/", {"name": "other", "provider": "gpu", "remote_name": "embedder"}), 201)
    refused(manager.post("models/embedder/restore/"), 409, "remote_taken")


def test_a_model_of_a_deleted_provider_is_not_restored(embedder: World, manager: Caller) -> None:
    done(manager.delete("models/embedder/"), 204)
    done(manager.delete("providers/gpu/"), 204)
    refused(manager.post("models/embedder/restore/"), 409, "provider_deleted")
    done(manager.post("providers/gpu/restore/"))
    done(manager.post("models/embedder/restore/"))
    refused(manager.post("models/nothing/restore/"), 404, "not_found")
