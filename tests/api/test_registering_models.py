"""`POST /models/`: registers, and asks a Triton server whether it lists the model."""

from typing import Any

import pytest

from models_registry.models import ConfigVersion, RegisteredModel
from tests.api.calls import Caller, done, invalid, is_utc, refused
from tests.monitoring.world import World
from tests.triton.fake import FakeModel

FIELDS = {
    *("name", "display_name", "description", "kind", "provider", "remote_name", "remote_version", "gpu_memory_mb"),
    *("priority", "pinned", "activation_policy", "window", "idle_ttl_s", "switch", "input_price", "output_price"),
    *("tags", "status", "status_detail", "wanted", "waiting", "observed", "open_leases", "bindings", "config"),
    *("created_at", "updated_at", "last_used_at"),
}


def a_model(**fields: Any) -> dict[str, Any]:
    return {"name": "e5", "provider": "gpu", "remote_name": "e5-small"} | fields


@pytest.fixture
def listed(world: World) -> World:
    """The server lists e5-small, not loaded."""
    world.fake.add(FakeModel("e5-small"))
    return world


def test_a_registered_model_is_shown_with_its_fields(listed: World, manager: Caller) -> None:
    shown = done(manager.post("models/", a_model()), 201)
    assert set(shown) >= FIELDS
    told = {field: shown[field] for field in ("name", "provider", "remote_name", "remote_version", "kind", "status")}
    assert told == {
        "name": "e5",
        "provider": "gpu",
        "remote_name": "e5-small",
        "remote_version": "",
        "kind": "other",
        "status": "registered",
    }
    assert shown["switch"] == {"state": "auto", "until": None}
    assert (shown["activation_policy"], shown["window"], shown["waiting"]) == ("manual", None, None)
    assert (shown["wanted"], shown["pinned"], shown["priority"]) == (False, False, 0)
    assert shown["config"] == {"number": 1, "values": {}}
    assert (shown["open_leases"], shown["bindings"], shown["tags"]) == (0, 0, [])
    assert (shown["observed"]["state"], shown["observed"]["reason"]) == ("unloaded", "")
    assert set(shown["status_detail"]) == {"code", "message", "since"}
    assert all(is_utc(at) for at in (shown["created_at"], shown["updated_at"], shown["observed"]["at"]))
    assert shown == done(manager.get("models/e5/"))


def test_everything_that_can_be_said_is_kept(listed: World, manager: Caller) -> None:
    said = {
        "display_name": "E5 소형",
        "description": "Embeds.",
        "kind": "embedding",
        "remote_version": "1",
        "gpu_memory_mb": 500,
        "priority": -3,
        "pinned": True,
        "activation_policy": "on_demand",
        "idle_ttl_s": 30,
        "tags": ["rag", "한국어"],
        "input_price": "0.150000",
        "output_price": None,
        "window": None,
    }
    shown = done(manager.post("models/", a_model(**said)), 201)
    assert {field: shown[field] for field in said} == said
    assert done(manager.patch("models/e5/", {"input_price": 0.25}))["input_price"] == "0.250000"


def test_a_model_that_the_server_does_not_list_is_refused(listed: World, manager: Caller) -> None:
    invalid(manager.post("models/", a_model(remote_name="nothing")), remote_name="not_listed")
    assert not RegisteredModel.all_objects.exists()


@pytest.mark.parametrize("how", ["query", "body"])
def test_verification_can_be_left_out(listed: World, manager: Caller, how: str) -> None:
    listed.fake.down = True
    path, more = ("models/?verify=false", {}) if how == "query" else ("models/", {"verify": False})
    shown = done(manager.post(path, a_model(remote_name="later", **more)), 201)
    assert shown["observed"]["state"] == "unknown"


def test_a_silent_server_refuses_a_registration(listed: World, manager: Caller) -> None:
    listed.fake.down = True
    assert refused(manager.post("models/", a_model()), 503, "provider_unreachable")["retry_after_s"] > 0
    assert not RegisteredModel.all_objects.exists()


def test_a_model_found_loaded_is_switched_on(listed: World, manager: Caller) -> None:
    listed.fake.load_behind_our_back("e5-small")
    shown = done(manager.post("models/", a_model()), 201)
    assert (shown["switch"]["state"], shown["wanted"], shown["status"]) == ("on", True, "active")
    listed.settle()
    assert listed.resident() == ["e5-small"]
    assert listed.posts() == []


def test_a_failure_from_before_is_not_the_model_s(world: World, manager: Caller) -> None:
    world.fake.add(FakeModel("e5-small", failure="out of memory"))
    shown = done(manager.post("models/", a_model()), 201)
    assert (shown["status"], shown["observed"]["state"]) == ("registered", "unloaded")


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"name": "taken"}, {"name": "unique"}),
        ({"remote_name": "taken"}, {"remote_name": "unique"}),
        ({"name": "UPPER"}, {"name": "invalid_name"}),
        ({"name": "n"}, {"name": "invalid_name"}),
        ({"name": "n" * 101}, {"name": "invalid_name"}),
        ({"name": "줄임"}, {"name": "invalid_name"}),
        ({"name": None}, {"name": "null"}),
        ({"provider": "nothing"}, {"provider": "does_not_exist"}),
        ({"provider": 1}, {"provider": "invalid"}),
        ({"remote_name": ""}, {"remote_name": "blank"}),
        ({"remote_name": "a/b"}, {"remote_name": "invalid"}),
        ({"remote_version": "latest"}, {"remote_version": "invalid"}),
        ({"kind": "video"}, {"kind": "invalid_choice"}),
        ({"gpu_memory_mb": 0}, {"gpu_memory_mb": "min_value"}),
        ({"gpu_memory_mb": 1.5}, {"gpu_memory_mb": "invalid"}),
        ({"gpu_memory_mb": True}, {"gpu_memory_mb": "invalid"}),
        ({"priority": 1001}, {"priority": "max_value"}),
        ({"priority": "1"}, {"priority": "invalid"}),
        ({"pinned": 1}, {"pinned": "invalid"}),
        ({"activation_policy": "scheduled"}, {"window": "required"}),
        ({"window": "never"}, {"window": "does_not_exist"}),
        ({"idle_ttl_s": -1}, {"idle_ttl_s": "min_value"}),
        ({"input_price": -1}, {"input_price": "min_value"}),
        ({"input_price": "NaN"}, {"input_price": "invalid"}),
        ({"output_price": "1e400"}, {"output_price": "max_digits"}),
        ({"tags": "rag"}, {"tags": "not_a_list"}),
        ({"tags": [1]}, {"tags__0": "invalid"}),
        ({"tags": ['a "quoted" one']}, {"tags": "invalid"}),
        ({"tags": [str(n) for n in range(51)]}, {"tags": "max_length"}),
        ({"switch": {"state": "maybe"}}, {"switch__state": "invalid_choice"}),
        ({"switch": {}}, {"switch__state": "required"}),
        ({"switch": "on"}, {"switch": "invalid"}),
        ({"switch": {"state": "on", "until": "2020-01-01T00:00:00Z"}}, {"switch__until": "invalid"}),
        ({"display_name": ["x"]}, {"display_name": "invalid"}),
        ({"verify": "no"}, {"verify": "invalid"}),
        ({"surprise": 1}, {"surprise": "unknown_field"}),
    ],
    ids=str,
)
def test_a_model_that_breaks_a_rule_is_refused(
    listed: World, manager: Caller, fields: dict[str, Any], errors: dict[str, str]
) -> None:
    listed.add("taken")
    invalid(manager.post("models/", a_model(**fields)), **errors)
    assert RegisteredModel.all_objects.count() == 1
    assert ConfigVersion.objects.count() == 1


def test_a_size_is_required_where_the_server_declares_its_memory(listed: World, manager: Caller) -> None:
    done(manager.patch("providers/gpu/", {"gpu_memory_mb": 1000}))
    invalid(manager.post("models/", a_model()), gpu_memory_mb="required")
    invalid(manager.post("models/", a_model(gpu_memory_mb=1001)), gpu_memory_mb="too_large")
    done(manager.post("models/", a_model(gpu_memory_mb=1000)), 201)


def test_a_wish_for_the_switch_is_kept_with_the_model(listed: World, manager: Caller) -> None:
    until = "2026-11-24T12:00:00+03:00"
    invalid(manager.post("models/", a_model(switch={"state": "on", "until": until})), switch__until="invalid")
    assert not RegisteredModel.all_objects.exists()
    until = "2026-11-24T21:00:00+09:00"
    shown = done(manager.post("models/", a_model(switch={"state": "on", "until": until})), 201)
    assert shown["switch"] == {"state": "on", "until": "2026-11-24T12:00:00Z"}
    assert (shown["wanted"], shown["status"]) == (True, "activating")
