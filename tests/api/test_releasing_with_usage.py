"""A release may report the calls made under the lease: both happen, or neither."""

from typing import Any

from tests.api.calls import Caller, a_caller, done, invalid, refused
from tests.monitoring.world import World
from tests.usage.reporting import report
from usage.models import Lease, UsageHour, UsageRecord


def leased(world: World, caller: Caller) -> dict[str, Any]:
    world.make_ready("embedder")
    lease: dict[str, Any] = done(caller.post("leases/", {"model": "embedder"}), 201)
    return lease


def of_lease(**fields: Any) -> dict[str, Any]:
    """A report without the model, which the lease knows."""
    return {name: value for name, value in report(**fields).items() if name != "model"}


def test_a_release_keeps_the_calls_made_under_the_lease(everything: World, chatbot: Caller) -> None:
    lease = leased(everything, chatbot)
    told = [of_lease(), report(), report(lease=lease["id"], config=1)]
    ended = done(chatbot.post(f"leases/{lease['id']}/release/", {"usage": told}))
    assert ended["close_reason"] == "released"
    assert ended["usage"] == {"accepted": 3, "duplicates": 0}
    assert set(UsageRecord.objects.values_list("lease", "model__name")) == {(lease["id"], "embedder")}
    assert everything.model("embedder").open_leases == 0


def test_a_release_sent_again_is_the_same_as_once(everything: World, chatbot: Caller) -> None:
    lease = leased(everything, chatbot)
    body = {"usage": [of_lease(), of_lease()]}
    first = done(chatbot.post(f"leases/{lease['id']}/release/", body))
    again = done(chatbot.post(f"leases/{lease['id']}/release/", body))
    assert again == first | {"usage": {"accepted": 0, "duplicates": 2}}
    assert sum(UsageHour.objects.values_list("calls", flat=True)) == 2
    assert everything.model("embedder").open_leases == 0


def test_a_lease_stays_open_when_a_report_is_wrong(everything: World, chatbot: Caller) -> None:
    lease = leased(everything, chatbot)
    wrong = {"usage": [of_lease(), of_lease(latency_ms=-1), report(model="nobody")]}
    invalid(chatbot.post(f"leases/{lease['id']}/release/", wrong), usage__1__latency_ms="min_value")
    wrong = {"usage": [of_lease(), report(model="nobody"), of_lease(config=7)]}
    errors = {"usage__1__model": "does_not_exist", "usage__2__config": "does_not_exist"}
    invalid(chatbot.post(f"leases/{lease['id']}/release/", wrong), **errors)
    assert Lease.objects.get().closed_at is None
    assert everything.model("embedder").open_leases == 1
    assert not UsageRecord.objects.exists()


def test_calls_of_a_lease_that_ran_out_are_kept_with_its_release(everything: World, chatbot: Caller) -> None:
    lease = leased(everything, chatbot)
    everything.advance(3600)
    everything.settle()
    ended = done(chatbot.post(f"leases/{lease['id']}/release/", {"usage": [of_lease()]}))
    assert (ended["close_reason"], ended["usage"]["accepted"]) == ("expired", 1)


def test_a_release_without_reports_tells_of_none(everything: World, chatbot: Caller) -> None:
    lease = leased(everything, chatbot)
    assert done(chatbot.post(f"leases/{lease['id']}/release/", {"usage": []}))["usage"] is None


def test_what_is_no_list_of_reports_is_refused(everything: World, chatbot: Caller) -> None:
    path = f"leases/{leased(everything, chatbot)['id']}/release/"
    invalid(chatbot.post(path, {"usage": None}), usage="null")
    refused(chatbot.post(path, {"usage": of_lease()}), 400, "invalid")
    invalid(chatbot.post(path, {"calls": []}), calls="unknown_field")
    invalid(chatbot.post(path, {"usage": [of_lease()] * 1001}), usage="max_length")
    assert Lease.objects.get().closed_at is None


def test_calls_reported_by_an_operator_are_those_of_the_leases_client(everything: World, chatbot: Caller) -> None:
    lease = leased(everything, chatbot)
    done(a_caller("operator", "manage").post(f"leases/{lease['id']}/release/", {"usage": [of_lease()]}))
    assert UsageRecord.objects.get().client.name == "chatbot"


def test_a_lease_of_another_client_or_model_is_not_taken(everything: World, chatbot: Caller) -> None:
    everything.add("reranker")
    lease = leased(everything, chatbot)
    mixed = report(lease=lease["id"], model="reranker")
    invalid(chatbot.post("usage/records/", mixed), lease="invalid")
    stranger = a_caller("knowledge", "use")
    invalid(stranger.post("usage/records/", report(lease=lease["id"])), lease="does_not_exist")
