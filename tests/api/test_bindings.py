"""`/bindings/`: said once or twice, it is one binding."""

from typing import Any

import pytest

from tests.api.calls import Caller, a_caller, done, invalid, is_utc, refused
from tests.monitoring.world import World
from usage.models import Binding


@pytest.fixture
def embedder(world: World) -> World:
    world.add("embedder")
    return world


def test_a_binding_is_made_once(embedder: World, chatbot: Caller) -> None:
    body = {"model": "embedder", "reference": "kb-1", "note": "nightly"}
    made = done(chatbot.post("bindings/", body), 201)
    assert {**made, "id": 0, "created_at": ""} == {**body, "id": 0, "client": "chatbot", "created_at": ""}
    assert is_utc(made["created_at"])
    assert done(chatbot.post("bindings/", body)) == made
    assert done(chatbot.get("models/embedder/"))["bindings"] == 1
    assert done(chatbot.post("bindings/", {"model": "embedder", "reference": "kb-2"}), 201)["note"] == ""
    assert done(a_caller("knowledge", "use").post("bindings/", body), 201)["id"] != made["id"]
    assert done(chatbot.get("models/embedder/"))["bindings"] == 3


def test_a_binding_keeps_no_gpu(embedder: World, chatbot: Caller) -> None:
    done(chatbot.post("bindings/", {"model": "embedder", "reference": "kb-1"}), 201)
    shown = done(chatbot.get("models/embedder/"))
    assert (shown["wanted"], shown["status"]) == (False, "registered")


def test_a_binding_is_taken_back(embedder: World, chatbot: Caller) -> None:
    made = done(chatbot.post("bindings/", {"model": "embedder", "reference": "kb-1"}), 201)
    done(chatbot.delete(f"bindings/{made['id']}/"), 204)
    refused(chatbot.delete(f"bindings/{made['id']}/"), 404, "not_found")
    assert done(chatbot.get("models/embedder/"))["bindings"] == 0


def test_a_client_sees_and_removes_its_own_bindings_and_manage_all(
    embedder: World, chatbot: Caller, manager: Caller
) -> None:
    made = done(chatbot.post("bindings/", {"model": "embedder", "reference": "kb-1"}), 201)
    other = a_caller("knowledge", "use")
    assert done(other.get("bindings/"))["count"] == 0
    refused(other.delete(f"bindings/{made['id']}/"), 404, "not_found")
    assert done(manager.get("bindings/", model="embedder", client="chatbot"))["results"] == [made]
    assert done(manager.get("bindings/", model="nothing"))["count"] == 0
    assert done(manager.get("bindings/", client="knowledge"))["count"] == 0
    done(manager.delete(f"bindings/{made['id']}/"), 204)


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"reference": ""}, {"reference": "blank"}),
        ({"reference": 5}, {"reference": "invalid"}),
        ({"reference": "x" * 201}, {"reference": "max_length"}),
        ({"note": "x" * 501}, {"note": "max_length"}),
        ({"note": None}, {"note": "null"}),
        ({"client": "other"}, {"client": "unknown_field"}),
    ],
    ids=str,
)
def test_a_strange_binding_is_refused(
    embedder: World, chatbot: Caller, fields: dict[str, Any], errors: dict[str, str]
) -> None:
    invalid(chatbot.post("bindings/", {"model": "embedder", "reference": "kb-1", **fields}), **errors)
    assert not Binding.objects.exists()


def test_a_binding_needs_a_living_model(embedder: World, chatbot: Caller) -> None:
    refused(chatbot.post("bindings/", {"model": "nothing", "reference": "kb-1"}), 404, "model_not_found")
    invalid(chatbot.post("bindings/", {}), model="required", reference="required")
