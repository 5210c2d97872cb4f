"""`/audit/`: newest first, filtered, for those who manage."""

from tests.api.calls import Caller, a_caller, done, invalid, refused
from tests.monitoring.world import World


def test_what_a_client_changes_is_told_with_its_name(everything: World, manager: Caller) -> None:
    done(manager.patch("providers/gpu/", {"drain_s": 5, "api_key": "sk-canary-0123456789"}))
    newest = done(manager.get("audit/"))["results"][0]
    assert (newest["kind"], newest["name"], newest["action"], newest["actor"], newest["reason"]) == (
        "provider",
        "gpu",
        "changed",
        "client:operator",
        "",
    )
    assert newest["changes"] == {"drain_s": {"from": 60, "to": 5}, "api_key": {"secret": "set"}}


def test_it_is_filtered_by_object_action_and_actor(everything: World, manager: Caller) -> None:
    done(manager.patch("providers/gpu/", {"drain_s": 5}))
    done(manager.patch("windows/night/", {"drain_s": 5}))
    done(a_caller("second", "manage").delete("windows/night/"), 204)

    def told(**query: str) -> list[tuple[str, str]]:
        return [(row["name"], row["action"]) for row in done(manager.get("audit/", **query))["results"]]

    assert told(kind="window") == [("night", "deleted"), ("night", "changed")]
    assert told(kind="window", name="night", action="changed") == [("night", "changed")]
    assert told(name="gpu") == [("gpu", "changed")]
    assert told(actor="client:second") == [("night", "deleted")]
    assert told(actor="client:nobody") == []
    invalid(manager.get("audit/", kind="lease"), kind="invalid_choice")
    invalid(manager.get("audit/", action="looked"), action="invalid_choice")


def test_it_is_paged_by_cursor(everything: World, manager: Caller) -> None:
    for drain_s in range(1, 6):
        done(manager.patch("providers/gpu/", {"drain_s": drain_s}))
    first = done(manager.get("audit/", page_size=3, name="gpu"))
    second = done(manager.get(first["next"].partition("/api/v1/")[2]))
    told = [row["changes"]["drain_s"]["to"] for row in first["results"] + second["results"]]
    assert told == [5, 4, 3, 2, 1]
    assert second["next"] is None


def test_reading_is_not_enough(everything: World) -> None:
    refused(a_caller("reader", "read", "use", "secrets").get("audit/"), 403, "permission_denied")


def test_nobody_writes_it(everything: World, manager: Caller) -> None:
    for method in ("post", "patch", "put", "delete"):
        refused(manager.send(method, "audit/", {}), 405, "method_not_allowed")
