"""`activate`, `deactivate`, `verify`, `history` and `configs` of a model."""

from typing import Any

import pytest

from models_registry.models import StatusEvent
from tests.api.calls import Caller, done, invalid, is_utc, refused
from tests.monitoring.world import World


@pytest.fixture
def embedder(world: World) -> World:
    world.add("embedder")
    return world


def test_activation_is_accepted_and_watched_behind(embedder: World, manager: Caller) -> None:
    shown = done(manager.post("models/embedder/activate/"), 202)
    assert (shown["name"], shown["status"], shown["wanted"]) == ("embedder", "activating", True)
    assert shown["switch"] == {"state": "on", "until": None}
    embedder.settle()
    shown = done(manager.get("models/embedder/"))
    assert (shown["status"], shown["observed"]["state"], shown["waiting"]) == ("active", "ready", None)


def test_until_is_told_in_utc_and_ends_the_switch(embedder: World, manager: Caller) -> None:
    shown = done(manager.post("models/embedder/activate/", {"until": "2026-11-24T19:00:00+09:00"}), 202)
    assert shown["switch"] == {"state": "on", "until": "2026-11-24T10:00:00Z"}
    embedder.advance(3601)
    assert done(manager.get("models/embedder/"))["switch"] == {"state": "auto", "until": None}


@pytest.mark.parametrize("call", ["activate", "deactivate"])
@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"until": "2026-11-24T09:00:00Z"}, {"until": "invalid"}),
        ({"until": "2026-11-25T09:00:00"}, {"until": "no_offset"}),
        ({"until": "0001-01-01T00:00:00+14:00"}, {"until": "overflow"}),
        ({"until": "9999-12-31T23:59:59Z"}, {"until": "invalid"}),
        ({"until": "soon"}, {"until": "invalid"}),
        ({"until": 1}, {"until": "invalid"}),
        ({"untill": None}, {"untill": "unknown_field"}),
    ],
    ids=str,
)
def test_a_strange_wish_is_refused(
    embedder: World, manager: Caller, call: str, body: dict[str, Any], errors: dict[str, str]
) -> None:
    invalid(manager.post(f"models/embedder/{call}/", body), **errors)
    assert not StatusEvent.objects.exists()


def test_a_model_that_could_never_fit_is_not_activated(embedder: World, manager: Caller) -> None:
    embedder.put("embedder", gpu_memory_mb=2000)
    done(manager.patch("providers/gpu/", {"gpu_memory_mb": 1000}))
    refused(manager.post("models/embedder/activate/"), 409, "model_too_large")
    assert done(manager.get("models/embedder/"))["wanted"] is False


def test_a_waiting_model_tells_for_whom_and_how_long(embedder: World, manager: Caller) -> None:
    embedder.add("chat")
    embedder.make_ready("embedder")
    embedder.use("embedder")
    done(manager.post("models/chat/activate/"), 202)
    embedder.look()
    waiting = done(manager.get("models/chat/"))["waiting"]
    assert set(waiting) == {"for", "until", "queue_position", "expected_ready_at"}
    assert (waiting["for"], waiting["queue_position"]) == (["embedder"], 1)


def test_deactivation_drains_open_leases_first(embedder: World, manager: Caller) -> None:
    embedder.make_ready("embedder")
    embedder.use("embedder", ttl_s=3600)
    done(manager.patch("providers/gpu/", {"drain_s": 30}))
    shown = done(manager.post("models/embedder/deactivate/"), 202)
    assert (shown["switch"]["state"], shown["wanted"], shown["status"]) == ("off", False, "in_use")
    embedder.run_for(29)
    assert embedder.resident() == ["embedder"]
    embedder.run_for(5)
    assert embedder.resident() == []
    assert done(manager.get("models/embedder/"))["open_leases"] == 0


def test_a_forced_deactivation_revokes_at_once(embedder: World, manager: Caller) -> None:
    embedder.make_ready("embedder")
    embedder.use("embedder", ttl_s=3600)
    done(manager.post("models/embedder/deactivate/", {"force": True}), 202)
    embedder.settle()
    assert embedder.resident() == []
    lease = done(manager.get("leases/"))["results"][0]
    assert (lease["close_reason"], is_utc(lease["closed_at"])) == ("revoked", True)


def test_force_is_true_or_false(embedder: World, manager: Caller) -> None:
    invalid(manager.post("models/embedder/deactivate/", {"force": "yes"}), force="invalid")
    invalid(manager.post("models/embedder/activate/", {"force": True}), force="unknown_field")


def test_verification_asks_the_server_and_loads_nothing(embedder: World, chatbot: Caller) -> None:
    told = done(chatbot.get("models/embedder/verify/"))
    assert set(told) == {"ready", "observed", "checked_at", "latency_ms", "detail"}
    assert (told["ready"], told["observed"]) == (False, "unloaded")
    assert is_utc(told["checked_at"])
    embedder.fake.load_behind_our_back("embedder")
    told = done(chatbot.get("models/embedder/verify/"))
    assert (told["ready"], told["observed"]) == (True, "ready")
    assert embedder.posts() == []
    assert done(chatbot.get("models/embedder/"))["observed"]["state"] == "unknown"


def test_an_error_is_told_with_its_code_and_since_when(embedder: World, chatbot: Caller, manager: Caller) -> None:
    embedder.add("broken", failure="CUDA out of memory")
    done(manager.post("models/broken/activate/"), 202)
    embedder.settle()
    shown = done(chatbot.get("models/broken/"))
    assert (shown["status"], shown["status_detail"]["code"]) == ("error", "load_failed")
    assert "CUDA out of memory" in shown["status_detail"]["message"]
    assert is_utc(shown["status_detail"]["since"])


def test_history_tells_what_changed_newest_first(embedder: World, manager: Caller) -> None:
    done(manager.post("models/embedder/activate/"), 202)
    embedder.settle()
    events = done(manager.get("models/embedder/history/"))["results"]
    assert all(set(event) == {"at", "from", "to", "code", "message", "actor"} for event in events)
    assert all(is_utc(event["at"]) for event in events)
    assert [(e["from"], e["to"], e["code"], e["actor"]) for e in events][-1] == (
        *("registered", "activating", "switched_on", "client:operator"),
    )
    assert (events[0]["from"], events[0]["to"]) == ("activating", "active")


def test_history_is_paged_by_cursor(embedder: World, manager: Caller) -> None:
    for _turn in range(4):
        done(manager.post("models/embedder/activate/"), 202)
        done(manager.post("models/embedder/deactivate/"), 202)
    first = done(manager.get("models/embedder/history/", page_size=3))
    assert set(first) == {"next", "previous", "results"}
    assert (len(first["results"]), first["previous"]) == (3, None)
    rest, seen = first, list(first["results"])
    done(manager.post("models/embedder/activate/"), 202)  # arrives meanwhile, shifts nothing
    while rest["next"]:
        rest = done(manager.get(rest["next"].partition("/api/v1/")[2]))
        seen += rest["results"]
    assert len(seen) == 8
    assert [event["code"] for event in seen] == ["switched_off", "switched_on"] * 4


def test_the_first_config_version_is_empty(embedder: World, chatbot: Caller) -> None:
    listed = done(chatbot.get("models/embedder/configs/"))
    assert (listed["count"], listed["next"], listed["previous"]) == (1, None, None)
    version = listed["results"][0]
    assert (version["number"], version["values"]) == (1, {})
    assert is_utc(version["created_at"])
    assert done(chatbot.get("models/embedder/configs/1/")) == version
    refused(chatbot.get("models/embedder/configs/2/"), 404, "not_found")


def test_the_config_in_force_at_a_time(embedder: World, chatbot: Caller) -> None:
    def numbers(at: str) -> list[int]:
        return [v["number"] for v in done(chatbot.get("models/embedder/configs/", at=at))["results"]]

    assert numbers("2026-11-24T18:00:01+09:00") == [1]
    assert numbers("2026-11-24T08:00:00Z") == []
    invalid(chatbot.get("models/embedder/configs/", at="2026-11-24T08:00:00"), at="no_offset")
    invalid(chatbot.get("models/embedder/configs/", at="yesterday"), at="invalid")
