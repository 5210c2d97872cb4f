"""`/leases/`: a lease, its renewal and its end, as the client that holds it sees them."""

from datetime import timedelta
from typing import Any

import pytest

from models_registry.models import RegisteredModel
from tests.api.calls import Caller, a_caller, done, invalid, is_utc, refused
from tests.monitoring.world import World
from usage.models import Client, Lease
from usage.services.clients import issue_key

FIELDS = {
    *("id", "model", "client", "instance", "config", "connection", "granted_at", "expires_at"),
    *("renew_after_s", "verified_at", "verify_ms", "closed_at", "close_reason"),
}


@pytest.fixture
def ready(world: World) -> World:
    world.add("embedder", remote_version="1")
    world.make_ready("embedder")
    return world


def lease_of(caller: Caller, **wish: Any) -> dict[str, Any]:
    shown: dict[str, Any] = done(caller.post("leases/", {"model": "embedder", **wish}), 201)
    return shown


def test_a_lease_tells_everything_a_caller_needs(ready: World, chatbot: Caller) -> None:
    lease = lease_of(chatbot, instance="pod-1")
    assert set(lease) == FIELDS
    assert (lease["model"], lease["client"], lease["instance"]) == ("embedder", "chatbot", "pod-1")
    assert lease["config"] == {"number": 1, "values": {}}
    assert lease["connection"] == {
        "kind": "triton",
        "url": "http://127.0.0.1:18000",
        "model_name": "embedder",
        "model_version": "1",
    }
    assert lease["granted_at"] == lease["verified_at"] == "2026-11-24T09:00:00Z"
    assert (lease["expires_at"], lease["renew_after_s"]) == ("2026-11-24T09:01:00Z", 30)
    assert lease["verify_ms"] >= 0
    assert (lease["closed_at"], lease["close_reason"]) == (None, "")
    assert done(chatbot.get(f"leases/{lease['id']}/")) == lease
    assert done(chatbot.get("leases/"))["results"] == [lease]


def test_clients_are_told_the_client_url(ready: World, chatbot: Caller, manager: Caller) -> None:
    done(manager.patch("providers/gpu/", {"client_url": "http://triton.example:8000"}))
    assert lease_of(chatbot)["connection"]["url"] == "http://triton.example:8000"


def test_a_lease_makes_the_model_in_use(ready: World, chatbot: Caller) -> None:
    lease = lease_of(chatbot)
    shown = done(chatbot.get("models/embedder/"))
    assert (shown["status"], shown["open_leases"]) == ("in_use", 1)
    done(chatbot.post(f"leases/{lease['id']}/release/"))
    shown = done(chatbot.get("models/embedder/"))
    assert (shown["status"], shown["open_leases"]) == ("active", 0)
    assert is_utc(shown["last_used_at"])


@pytest.mark.parametrize("ttl_s", [5, 3600])
def test_a_lease_lasts_as_long_as_was_asked(ready: World, chatbot: Caller, ttl_s: int) -> None:
    lease = lease_of(chatbot, ttl_s=ttl_s, wait_s=0)
    assert Lease.objects.get(pk=lease["id"]).expires_at == ready.at(ttl_s)
    assert lease["renew_after_s"] == ttl_s / 2


@pytest.mark.parametrize(
    ("wish", "errors"),
    [
        ({"ttl_s": 4}, {"ttl_s": "min_value"}),
        ({"ttl_s": 3601}, {"ttl_s": "max_value"}),
        ({"ttl_s": "60"}, {"ttl_s": "invalid"}),
        ({"ttl_s": None}, {"ttl_s": "null"}),
        ({"wait_s": -0.1}, {"wait_s": "min_value"}),
        ({"wait_s": 60.1}, {"wait_s": "max_value"}),
        ({"wait_s": True}, {"wait_s": "invalid"}),
        ({"instance": "x" * 201}, {"instance": "max_length"}),
        ({"instance": {}}, {"instance": "invalid"}),
        ({"model": ""}, {"model": "blank"}),
        ({"model": ["embedder"]}, {"model": "invalid"}),
        ({"wait": 1}, {"wait": "unknown_field"}),
    ],
    ids=str,
)
def test_a_strange_wish_is_refused(ready: World, chatbot: Caller, wish: dict[str, Any], errors: dict[str, str]) -> None:
    invalid(chatbot.post("leases/", {"model": "embedder", **wish}), **errors)
    assert not Lease.objects.exists()


def test_a_lease_needs_a_model(ready: World, chatbot: Caller) -> None:
    invalid(chatbot.post("leases/"), model="required")


def test_a_renewal_counts_from_now(ready: World, chatbot: Caller) -> None:
    lease = lease_of(chatbot)
    ready.advance(50)
    again = done(chatbot.post(f"leases/{lease['id']}/renew/"))
    assert again["expires_at"] == "2026-11-24T09:01:50Z"
    longer = done(chatbot.post(f"leases/{lease['id']}/renew/", {"ttl_s": 600}))
    assert (longer["expires_at"], longer["renew_after_s"]) == ("2026-11-24T09:10:50Z", 300)
    assert longer["granted_at"] == lease["granted_at"]
    invalid(chatbot.post(f"leases/{lease['id']}/renew/", {"ttl_s": 4}), ttl_s="min_value")
    invalid(chatbot.post(f"leases/{lease['id']}/renew/", {"ttl": 5}), ttl="unknown_field")


def test_a_renewal_passes_no_drain_deadline(ready: World, chatbot: Caller, manager: Caller) -> None:
    lease = lease_of(chatbot)
    done(manager.patch("providers/gpu/", {"drain_s": 30}))
    done(manager.post("models/embedder/deactivate/"), 202)
    renewed = done(chatbot.post(f"leases/{lease['id']}/renew/", {"ttl_s": 3600}))
    assert renewed["expires_at"] == "2026-11-24T09:00:30Z"


def test_an_expired_lease_is_closed(ready: World, chatbot: Caller) -> None:
    lease = lease_of(chatbot, ttl_s=5)
    ready.advance(5)
    refused(chatbot.post(f"leases/{lease['id']}/renew/"), 409, "lease_closed")
    ready.settle()
    assert done(chatbot.get(f"leases/{lease['id']}/"))["close_reason"] == "expired"
    refused(chatbot.post(f"leases/{lease['id']}/renew/"), 409, "lease_closed")


def test_a_release_is_the_same_twice(ready: World, chatbot: Caller) -> None:
    lease = lease_of(chatbot)
    ready.advance(1)
    first = done(chatbot.post(f"leases/{lease['id']}/release/"))
    assert (first["closed_at"], first["close_reason"]) == ("2026-11-24T09:00:01Z", "released")
    ready.advance(1)
    assert done(chatbot.post(f"leases/{lease['id']}/release/", {"usage": []})) == first
    assert RegisteredModel.objects.get().open_leases == 0
    refused(chatbot.post(f"leases/{lease['id']}/renew/"), 409, "lease_closed")


def test_a_client_sees_and_closes_its_own_leases_and_manage_all(ready: World, chatbot: Caller, manager: Caller) -> None:
    other = a_caller("knowledge", "use")
    lease = lease_of(chatbot)
    for call in (
        lambda: other.get(f"leases/{lease['id']}/"),
        lambda: other.post(f"leases/{lease['id']}/renew/"),
        lambda: other.post(f"leases/{lease['id']}/release/"),
    ):
        refused(call(), 404, "not_found")
    assert done(other.get("leases/"))["count"] == 0
    assert done(other.get("leases/", client="chatbot"))["count"] == 0
    assert done(manager.get("leases/", client="chatbot"))["count"] == 1
    assert done(manager.get(f"leases/{lease['id']}/"))["id"] == lease["id"]
    assert done(manager.post(f"leases/{lease['id']}/renew/"))["client"] == "chatbot"
    assert done(manager.post(f"leases/{lease['id']}/release/"))["close_reason"] == "released"


def test_a_second_key_of_the_client_sees_them_too(ready: World, chatbot: Caller) -> None:
    lease = lease_of(chatbot)
    second = Caller(issue_key(Client.objects.get(name="chatbot"), scopes=["use"], actor="user:kim")[0])
    assert done(second.get(f"leases/{lease['id']}/"))["id"] == lease["id"]


def test_leases_are_filtered(ready: World, chatbot: Caller, manager: Caller) -> None:
    ended, open_ = lease_of(chatbot), lease_of(chatbot)
    done(chatbot.post(f"leases/{ended['id']}/release/"))

    def found(**query: str) -> list[int]:
        return [lease["id"] for lease in done(manager.get("leases/", **query))["results"]]

    assert found() == [open_["id"], ended["id"]]
    assert found(open="true") == [open_["id"]]
    assert found(open="false") == [ended["id"]]
    assert found(model="embedder", client="chatbot") == [open_["id"], ended["id"]]
    assert found(model="nothing") == found(client="nothing") == []
    invalid(manager.get("leases/", open="maybe"), open="invalid_choice")


def test_the_newest_lease_is_first_and_ids_grow(ready: World, chatbot: Caller) -> None:
    ids = [lease_of(chatbot)["id"] for _turn in range(3)]
    ready.traveller.shift(timedelta(seconds=1))
    assert ids == sorted(ids)
    assert [lease["id"] for lease in done(chatbot.get("leases/"))["results"]] == ids[::-1]
