"""`/providers/`: registering, showing, changing, deleting and restoring."""

from typing import Any

import pytest

from models_registry.models import Provider
from tests.api.calls import Caller, done, invalid, is_utc, refused
from tests.monitoring.world import World

FIELDS = {
    *("name", "kind", "base_url", "client_url", "metrics_url", "api_version", "api_key_hint"),
    *("allow_private_network", "gpu_memory_mb", "max_loaded_models", "drain_s", "enabled", "health"),
}


def a_provider(**fields: Any) -> dict[str, Any]:
    fine = {"name": "second", "kind": "triton", "base_url": "http://127.0.0.1:9000", "allow_private_network": True}
    return fine | fields


def test_a_provider_is_shown_with_its_fields_and_without_its_key(world: World, manager: Caller) -> None:
    body = a_provider(api_key="sk-0123456789abcd", client_url="http://triton.example:8000", gpu_memory_mb=24000)
    created = manager.post("providers/", body)
    shown = done(created, 201)
    assert set(shown) >= FIELDS
    assert "api_key" not in shown
    assert "sk-0123456789" not in created.content.decode()
    assert shown["api_key_hint"] == "…abcd"
    assert shown["client_url"] == "http://triton.example:8000"
    assert (shown["gpu_memory_mb"], shown["max_loaded_models"], shown["enabled"]) == (24000, 1, True)
    assert shown["health"] == {
        "state": "unknown",
        "checked_at": None,
        "error": "",
        "consecutive_failures": 0,
        "outcome": "",
        "since": None,
        "flaps": 0,
    }
    assert shown == done(manager.get("providers/second/"))


def test_health_follows_the_looks_at_the_server(world: World, chatbot: Caller) -> None:
    world.settle()
    health = done(chatbot.get("providers/gpu/"))["health"]
    assert (health["state"], health["error"], health["consecutive_failures"]) == ("ok", "", 0)
    assert is_utc(health["checked_at"])
    world.fake.down = True
    world.advance(60)
    world.look()
    health = done(chatbot.get("providers/gpu/"))["health"]
    assert health["state"] == "failing"
    assert health["consecutive_failures"] == 1
    assert health["error"]


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"name": "gpu"}, {"name": "unique"}),
        ({"name": "Upper"}, {"name": "invalid_name"}),
        ({"name": "with space"}, {"name": "invalid_name"}),
        ({"name": " padded "}, {"name": "invalid_name"}),
        ({"name": "n"}, {"name": "invalid_name"}),
        ({"name": 12}, {"name": "invalid"}),
        ({"kind": "other"}, {"kind": "invalid_choice"}),
        ({"base_url": "http://127.0.0.1:18000"}, {"base_url": "unique"}),
        ({"base_url": "http://localhost:18000/"}, {"base_url": "unique"}),
        ({"base_url": "ftp://127.0.0.1"}, {"base_url": "invalid_url"}),
        ({"base_url": "http://[::1"}, {"base_url": "invalid_url"}),
        ({"base_url": "http://127.0.0.1:99999999"}, {"base_url": "invalid_url"}),
        ({"base_url": "http://127.0.0.1:x"}, {"base_url": "invalid_url"}),
        ({"base_url": "http://"}, {"base_url": "invalid_url"}),
        ({"base_url": "http://user:pass@127.0.0.1:9000"}, {"base_url": "invalid_url"}),
        ({"base_url": "http://169.254.169.254/"}, {"base_url": "invalid_url"}),
        ({"base_url": "http://[fe80::1]:8000"}, {"base_url": "invalid_url"}),
        ({"base_url": ""}, {"base_url": "blank"}),
        ({"allow_private_network": False}, {"base_url": "invalid_url"}),
        ({"metrics_url": "nonsense"}, {"metrics_url": "invalid_url"}),
        ({"max_loaded_models": None}, {"max_loaded_models": "required"}),
        ({"max_loaded_models": 0}, {"max_loaded_models": "min_value"}),
        ({"gpu_memory_mb": 2**31}, {"gpu_memory_mb": "max_value"}),
        ({"drain_s": -1}, {"drain_s": "min_value"}),
        ({"enabled": "yes"}, {"enabled": "invalid"}),
        ({"api_key": None}, {"api_key": "null"}),
        ({"surprise": 1}, {"surprise": "unknown_field"}),
    ],
    ids=str,
)
def test_a_provider_that_breaks_a_rule_is_refused(
    world: World, manager: Caller, fields: dict[str, Any], errors: dict[str, str]
) -> None:
    invalid(manager.post("providers/", a_provider(**fields)), **errors)
    assert Provider.all_objects.count() == 1


def test_a_required_field_that_is_left_out_is_named(world: World, manager: Caller) -> None:
    invalid(manager.post("providers/", {}), name="required", kind="required", base_url="required")


def test_only_what_is_sent_is_changed(world: World, manager: Caller) -> None:
    before = done(manager.get("providers/gpu/"))
    world.advance(5)
    after = done(manager.patch("providers/gpu/", {"drain_s": 5}))
    assert after["drain_s"] == 5
    assert after["updated_at"] > before["updated_at"]
    same = set(before) - {"drain_s", "updated_at"}
    assert {field: after[field] for field in same} == {field: before[field] for field in same}


def test_what_was_read_can_be_sent_back(world: World, manager: Caller) -> None:
    shown = done(manager.get("providers/gpu/"))
    again = done(manager.patch("providers/gpu/", shown))
    assert {**again, "updated_at": ""} == {**shown, "updated_at": ""}


def test_the_masked_key_sent_back_keeps_the_key(world: World, manager: Caller) -> None:
    done(manager.patch("providers/gpu/", {"api_key": "sk-0123456789abcd"}))
    hint = done(manager.get("providers/gpu/"))["api_key_hint"]
    done(manager.patch("providers/gpu/", {"api_key": hint}))
    assert Provider.objects.get(name="gpu").api_key == "sk-0123456789abcd"


@pytest.mark.parametrize("field", ["name", "kind"])
def test_name_and_kind_never_change(world: World, manager: Caller, field: str) -> None:
    invalid(manager.patch("providers/gpu/", {field: "openai"}), **{field: "immutable"})
    done(manager.patch("providers/gpu/", {field: getattr(world.provider, field)}))


def test_a_change_to_another_provider_s_server_is_refused(world: World, manager: Caller) -> None:
    done(manager.post("providers/", a_provider()), 201)
    invalid(manager.patch("providers/second/", {"base_url": "http://LOCALHOST:18000"}), base_url="unique")


def test_a_provider_of_living_models_stays(world: World, manager: Caller) -> None:
    world.add("embedder")
    problem = refused(manager.delete("providers/gpu/"), 409, "provider_in_use")
    assert problem["models"] == ["embedder"]
    assert done(manager.get("providers/gpu/"))["enabled"] is True


def test_a_deleted_provider_is_gone_and_can_be_restored(world: World, manager: Caller) -> None:
    done(manager.delete("providers/gpu/"), 204)
    refused(manager.get("providers/gpu/"), 404, "not_found")
    refused(manager.delete("providers/gpu/"), 404, "not_found")
    assert done(manager.get("providers/"))["count"] == 0
    restored = done(manager.post("providers/gpu/restore/"))
    assert (restored["name"], restored["enabled"], restored["health"]["state"]) == ("gpu", True, "unknown")
    assert done(manager.get("providers/gpu/")) == restored


def test_a_deleted_provider_frees_its_name_and_url(world: World, manager: Caller) -> None:
    done(manager.delete("providers/gpu/"), 204)
    done(manager.post("providers/", a_provider(name="gpu", base_url="http://127.0.0.1:18000")), 201)
    refused(manager.post("providers/gpu/restore/"), 409, "name_taken")


def test_a_server_taken_meanwhile_is_not_restored(world: World, manager: Caller) -> None:
    done(manager.delete("providers/gpu/"), 204)
    done(manager.post("providers/", a_provider(base_url="http://127.0.0.1:18000")), 201)
    refused(manager.post("providers/gpu/restore/"), 409, "url_taken")


def test_restoring_what_lives_changes_nothing(world: World, manager: Caller) -> None:
    assert done(manager.post("providers/gpu/restore/")) == done(manager.get("providers/gpu/"))
    refused(manager.post("providers/nothing/restore/"), 404, "not_found")
