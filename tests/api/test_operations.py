"""`/operations/`: loads and unloads, newest first."""

from tests.api.calls import Caller, done, is_utc, refused
from tests.monitoring.world import World

FIELDS = {"id", "provider", "model", "kind", "requested_by", "started_at", "finished_at", "outcome", "error"}


def test_a_running_load_and_its_end(world: World, chatbot: Caller, manager: Caller) -> None:
    world.add("embedder", load_s=5)
    done(manager.post("models/embedder/activate/"), 202)
    world.look()
    operation = done(chatbot.get("operations/"))["results"][0]
    assert set(operation) >= FIELDS
    assert (operation["provider"], operation["model"], operation["kind"]) == ("gpu", "embedder", "load")
    assert (operation["outcome"], operation["finished_at"], operation["error"]) == ("running", None, None)
    assert is_utc(operation["started_at"])
    world.settle()
    ended = done(chatbot.get(f"operations/{operation['id']}/"))
    assert (ended["outcome"], ended["error"]) == ("succeeded", None)
    assert is_utc(ended["finished_at"])


def test_a_failed_load_tells_the_server_s_reason(world: World, chatbot: Caller, manager: Caller) -> None:
    world.add("broken", failure="CUDA out of memory")
    done(manager.post("models/broken/activate/"), 202)
    world.settle()
    operation = done(chatbot.get("operations/"))["results"][0]
    assert operation["outcome"] == "failed"
    assert "CUDA out of memory" in operation["error"]


def test_operations_are_listed_newest_first_and_filtered(world: World, chatbot: Caller, manager: Caller) -> None:
    world.add("embedder")
    world.add("chat")
    for name in ("embedder", "chat"):
        done(manager.post(f"models/{name}/activate/"), 202)
        world.settle()

    def found(**query: str) -> list[tuple[str, str]]:
        return [(o["kind"], o["model"]) for o in done(chatbot.get("operations/", **query))["results"]]

    assert found() == [("load", "chat"), ("unload", "embedder"), ("load", "embedder")]
    assert found(model="chat") == [("load", "chat")]
    assert found(provider="gpu") == found()
    assert found(provider="other") == found(model="other") == []
    ids = [o["id"] for o in done(chatbot.get("operations/"))["results"]]
    assert ids == sorted(ids, reverse=True)
    refused(chatbot.get("operations/999999/"), 404, "not_found")
