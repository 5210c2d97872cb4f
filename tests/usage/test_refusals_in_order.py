"""Of several reasons to refuse a lease, the first that applies is told; none leaves a trace of a lease."""

from collections.abc import Callable
from typing import Any

import pytest

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Refusal
from models_registry.models import Provider
from models_registry.refusals import ProviderUnreachable
from models_registry.services.switching import activate, deactivate
from models_registry.vocabulary import ErrorCode, Observed
from tests.monitoring.world import World
from usage.models import Lease
from usage.refusals import GpuBusy, ModelActivating, ModelError, ModelInactive, ModelNotFound

ACTOR = "user:kim"


def refused(world: World, name: str, kind: type[Refusal]) -> Refusal:
    """The refusal of a lease, which must be of this very kind."""
    with pytest.raises(Refusal) as raised:
        world.use(name)
    assert type(raised.value) is kind
    assert not Lease.objects.exists()
    return raised.value


# Each makes the lease fail for one reason; earlier ones outrank later ones.


def gone(world: World) -> None:
    world.put("chat", deleted_at=now())


def switched_off(world: World) -> None:
    world.put("chat", switch_state="off", wanted=False)


def silent(world: World) -> None:
    world.fake.down = True


def missing(world: World) -> None:
    world.put("chat", error_code=ErrorCode.MISSING)


def loading(world: World) -> None:
    world.fake.unload_behind_our_back("chat")
    world.put("chat", observed=Observed.LOADING)


REASONS = [
    (gone, ModelNotFound, 404, "model_not_found"),
    (switched_off, ModelInactive, 409, "model_inactive"),
    (silent, ProviderUnreachable, 503, "provider_unreachable"),
    (missing, ModelError, 409, "model_error"),
    (loading, ModelActivating, 503, "model_activating"),
]


@pytest.mark.parametrize("first", range(len(REASONS)))
def test_the_first_reason_outranks_all_that_follow(world: World, chat: str, first: int) -> None:
    for spoil, *_told in REASONS[first:]:
        spoil(world)
    _spoil, kind, status, code = REASONS[first]

    refusal = refused(world, chat, kind)

    assert (refusal.status, refusal.code) == (status, code)


def test_without_any_reason_it_is_granted(world: World, chat: str) -> None:
    assert world.use(chat).lease_id == Lease.objects.get().pk


@pytest.mark.parametrize("name", ["other", "", "Chat", "x" * 5000, "챗봇", "a'b", "%s"])
def test_a_name_nobody_has(world: World, chat: str, name: str) -> None:
    assert len(refused(world, name, ModelNotFound).detail) < 200


def test_an_inactive_model_tells_when_it_opens(world: World, chat: str) -> None:
    deactivate(world.model(chat), actor=ACTOR)
    assert refused(world, chat, ModelInactive).extra == {"next_opening": None}


def test_a_switch_that_ran_out_is_seen_at_the_moment_of_use(world: World, chat: str) -> None:
    activate(world.model(chat), actor=ACTOR, until=world.at(30))
    world.advance(30)
    refused(world, chat, ModelInactive)
    assert (world.model(chat).wanted, world.codes(chat)[-1]) == (False, "unwanted")


def test_a_switch_off_that_ran_out_gives_the_model_back_to_its_policy(world: World, chat: str) -> None:
    world.put(chat, activation_policy="on_demand", switch_state="off", switch_until=world.at(30), wanted=False)
    refused(world, chat, ModelInactive)
    world.advance(30)
    assert world.use(chat).lease_id


def test_a_disabled_provider_is_not_asked(world: World, chat: str) -> None:
    Provider.objects.filter(pk=world.provider.pk).update(enabled=False)
    assert refused(world, chat, ProviderUnreachable).retry_after_s
    assert world.fake.calls == {}


@pytest.mark.parametrize("fault", ["down", "hang"])
def test_a_silent_provider_is_woken_and_no_model_changes(
    world: World, chat: str, fault: str, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    setattr(world.fake, fault, True)
    with django_capture_on_commit_callbacks(execute=True):
        refused(world, chat, ProviderUnreachable)
    assert Provider.objects.get().wake_at == now()
    assert (world.model(chat).revision, world.codes(chat)) == (0, [])


@pytest.mark.parametrize("code", [ErrorCode.MISSING, ErrorCode.CREDENTIAL_INVALID, ErrorCode.NOT_OFFERED])
def test_an_error_that_loading_does_not_mend_is_told_with_its_cause(world: World, code: ErrorCode) -> None:
    name = world.add("chat")
    world.put(name, wanted=True, switch_state="on", observed=Observed.UNLOADED, error_code=code, error_message="why")
    refusal = refused(world, name, ModelError)
    assert refusal.extra == {"cause": code}
    assert "why" in refusal.detail


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"failures": 1, "retry_at": 10}, ModelError),
        ({"failures": 1, "retry_at": -10}, ModelActivating),
        ({"failures": 5}, ModelError),
        ({"failures": 4}, ModelActivating),
        ({}, ModelActivating),
    ],
)
def test_a_failed_load_is_an_error_until_it_is_tried_again(
    world: World, facts: dict[str, Any], kind: type[Refusal]
) -> None:
    name = world.add("chat")
    if "retry_at" in facts:
        facts = facts | {"retry_at": world.at(facts["retry_at"])}
    world.put(name, wanted=True, switch_state="on", observed=Observed.UNLOADED, error_code="load_failed", **facts)
    refused(world, name, kind)


def test_a_model_removed_from_the_disk_is_not_leased_though_it_still_answers(world: World, chat: str) -> None:
    world.fake.forget(chat)
    world.look()
    assert world.error(chat) == "missing"
    refused(world, chat, ModelError)


def test_one_that_does_not_answer_any_more_either_is_still_missing(world: World, chat: str) -> None:
    world.fake.forget(chat)
    world.look()
    world.fake.unload_behind_our_back(chat)
    world.put(chat, activation_policy="on_demand")
    assert refused(world, chat, ModelError).extra["cause"] == "missing"
    assert world.error(chat) == "missing"


def test_a_model_on_its_way_tells_when_it_is_expected(world: World, chat: str) -> None:
    loading(world)
    waiting: dict[str, Any] = {
        "for": [],
        "until": None,
        "queue_position": 2,
        "expected_ready_at": world.at(12).isoformat(),
    }
    world.put(chat, waiting=waiting, queued_at=now())
    refusal = refused(world, chat, ModelActivating)
    assert (refusal.extra["queue_position"], refusal.extra["expected_wait_s"]) == (2, 12.0)
    assert refusal.retry_after_s


def test_the_first_refusal_tells_the_place_and_the_usual_load_times_too(world: World, chat: str) -> None:
    world.fake.unload_behind_our_back(chat)
    world.put(chat, switch_state="auto", wanted=False, observed=Observed.UNLOADED, activation_policy="on_demand")
    assert refused(world, chat, ModelActivating).extra["expected_wait_s"] is None  # it was never loaded
    world.put(chat, usual_load_s=4.0)
    refusal = refused(world, chat, ModelActivating)
    assert (refusal.extra["queue_position"], refusal.extra["expected_wait_s"]) == (1, 4.0)

    other = world.add("rerank", usual_load_s=2.5, activation_policy="on_demand", observed=Observed.UNLOADED)
    refusal = refused(world, other, ModelActivating)
    assert (refusal.extra["queue_position"], refusal.extra["expected_wait_s"]) == (2, 6.5)


def test_a_wait_that_took_longer_than_expected_is_not_negative(world: World, chat: str) -> None:
    loading(world)
    world.put(chat, waiting={"for": [], "queue_position": 0, "expected_ready_at": world.at(-5).isoformat()})
    assert refused(world, chat, ModelActivating).extra["expected_wait_s"] == 0


def test_a_gpu_held_by_others_says_by_whom(world: World, chat: str) -> None:
    other = world.add("rerank")
    lease = world.use(chat)
    activate(world.model(other), actor=ACTOR)
    world.look()

    with pytest.raises(GpuBusy) as refusal:
        world.use(other)

    assert refusal.value.extra["held_by"] == [chat]
    assert (refusal.value.status, refusal.value.code, refusal.value.extra["queue_position"]) == (503, "gpu_busy", 1)
    assert lease.lease_id


def test_a_draining_model_takes_no_new_lease(world: World, chat: str) -> None:
    world.put(chat, drain_until=world.at(30))
    refused(world, chat, ModelActivating)


def test_a_refusal_keeps_the_demand_up_until_the_client_comes_back(world: World, chat: str) -> None:
    loading(world)
    refusal = refused(world, chat, ModelActivating)
    assert refusal.retry_after_s is not None
    assert world.model(chat).demand_until == world.at(2 * refusal.retry_after_s)


def test_a_later_demand_is_not_brought_forward(world: World, chat: str) -> None:
    loading(world)
    world.put(chat, demand_until=world.at(500))
    refused(world, chat, ModelActivating)
    assert world.model(chat).demand_until == world.at(500)
