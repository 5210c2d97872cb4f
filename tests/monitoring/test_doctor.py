"""`manage.py doctor` names every wait, who ends it and what to do, and fails when something is stuck."""

from io import StringIO

import pytest
from django.core.management import call_command

from modelmanager.lib.clock import now
from models_registry.models import ConfigVersion, Provider, RegisteredModel
from models_registry.providers.errors import ProviderRefused
from models_registry.services.switching import activate, deactivate
from models_registry.services.windows import create_window
from models_registry.vocabulary import Observed
from monitoring import duties, operations
from tests.monitoring.world import World
from usage.models import Lease


def doctor() -> tuple[str, int]:
    """What it prints, and its exit code."""
    out = StringIO()
    try:
        call_command("doctor", stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


@pytest.fixture
def healthy(world: World) -> World:
    duties.show_life("worker")
    return world


def later(world: World, seconds: float) -> None:
    """Time passes; the worker lives on, but nobody looks at the server."""
    world.advance(seconds)
    duties.show_life("worker")


def test_a_healthy_installation_has_nothing_to_tell(healthy: World):
    healthy.make_ready(healthy.add("chat"))
    healthy.settle()
    assert doctor() == ("Nothing waits.\n", 0)


def test_a_waiting_model_is_told_with_who_holds_the_room_its_age_and_deadline(healthy: World):
    healthy.make_ready(healthy.add("chat"))
    healthy.use("chat", ttl_s=3600)
    activate(healthy.model(healthy.add("rerank")), actor="user:kim")
    healthy.settle()
    later(healthy, 60)
    assert doctor() == (
        ".. rerank: waits for room, number 1, for 1 min 0 s, 14 min 0 s left."
        " Ends by: chat. Do: wait, or deactivate chat.\n0 stuck, 1 waiting.\n",
        0,
    )


def test_a_queue_whose_deadline_nobody_minds_is_stuck(healthy: World):
    healthy.make_ready(healthy.add("chat"))
    healthy.use("chat", ttl_s=7200)
    activate(healthy.model(healthy.add("rerank")), actor="user:kim")
    healthy.settle()
    Provider.objects.update(wake_at=None)
    later(healthy, 1100)
    text, code = doctor()
    assert code == 1
    assert "!! rerank: waits for room, number 1, for 18 min 20 s, overdue by 3 min 20 s" in text


def test_a_running_operation_is_watched_until_its_deadline_and_stuck_long_after(healthy: World):
    name = healthy.add("chat", load_s=900)
    activate(healthy.model(name), actor="user:kim")
    healthy.look()
    text, code = doctor()
    assert code == 0
    assert ".. gpu: load of chat is running, for 0 s, 5 min 0 s left. Ends by: worker." in text
    Provider.objects.update(wake_at=None)
    later(healthy, 500)
    text, code = doctor()
    assert code == 1
    assert "!! gpu: load of chat is running" in text
    assert "sync_triton" in text


def test_an_operation_that_nobody_posted_says_so(healthy: World):
    name = healthy.add("chat")
    healthy.put(name, observed=Observed.UNLOADED, wanted=True, switch_state="on")
    model = healthy.model(name)
    assert operations.claim_load(model, seen=healthy.fake.observe().of(name), after=0, at=now())
    assert "load of chat is to be posted" in doctor()[0]


def test_draining_leases_are_told_and_stuck_when_nobody_revokes_them(healthy: World):
    healthy.make_ready(healthy.add("chat"))
    healthy.use("chat", ttl_s=3600)
    deactivate(healthy.model("chat"), actor="user:kim")
    healthy.look()
    later(healthy, 20)
    assert ".. chat: drains 1 open leases before it is unloaded, for 20 s, 40 s left." in doctor()[0]
    Provider.objects.update(wake_at=None)
    later(healthy, 280)
    text, code = doctor()
    assert (code, "overdue by 4 min 0 s" in text) == (1, True)


def test_what_is_late_on_a_disabled_server_is_for_whoever_enables_it(healthy: World):
    healthy.make_ready(healthy.add("chat"))
    healthy.use("chat", ttl_s=3600)
    activate(healthy.model(healthy.add("rerank", load_s=900)), actor="user:kim")
    Provider.objects.update(max_loaded_models=2)
    healthy.look()
    deactivate(healthy.model("chat"), actor="user:kim")
    Provider.objects.update(enabled=False)
    later(healthy, 600)
    late = [line for line in doctor()[0].splitlines() if "overdue" in line]
    assert len(late) == 2
    assert all("Ends by: operator. Do: enable gpu:" in line for line in late)


def test_a_failing_model_is_tried_again_and_then_left_to_a_person(healthy: World):
    name = healthy.add("broken", failure="no such file")
    activate(healthy.model(name), actor="user:kim")
    healthy.look()
    text, code = doctor()
    assert code == 0
    assert "no such file" in text
    assert "it is tried again (failures so far: 1)" in text
    healthy.put(name, failures=5)
    text, code = doctor()
    assert code == 1
    assert "Ends by: operator. Do: read the server's reason" in text


def test_a_silent_server_is_stuck(healthy: World):
    healthy.fake.down = True
    healthy.look()
    text, code = doctor()
    assert (code, "!! gpu: does not answer" in text) == (1, True)


def test_a_server_that_nobody_looks_at_is_stuck(healthy: World):
    Provider.objects.update(wake_at=healthy.at(0))
    later(healthy, 121)
    text, code = doctor()
    assert (code, "!! gpu: waits to be looked at, for 2 min 1 s" in text) == (1, True)


def test_memory_that_did_not_come_back_is_stuck(healthy: World):
    Provider.objects.update(memory_awaited_mb=80, memory_held_since=healthy.at(0))
    later(healthy, 60)
    text, code = doctor()
    assert (code, "more than 80 MB in use), for 1 min 0 s. Ends by: operator." in text) == (1, True)


def test_an_expired_lease_that_is_open_still_is_stuck(healthy: World):
    healthy.make_ready(healthy.add("chat"))
    healthy.use("chat", ttl_s=5)
    later(healthy, 126)
    text, code = doctor()
    assert code == 1
    assert "of chatbot has expired and is still open, for 2 min 6 s, overdue by 2 min 1 s" in text


def test_a_missing_worker_is_stuck(world: World):
    text, code = doctor()
    assert (code, "!! worker: no worker has been seen" in text) == (1, True)


def test_a_counter_that_lies_is_stuck(healthy: World):
    healthy.make_ready(healthy.add("chat"))
    RegisteredModel.objects.update(bindings=2)
    text, code = doctor()
    assert (code, "counts 0 leases and 2 bindings; there are 0 and 0" in text) == (1, True)


def test_it_asks_a_fixed_number_of_questions(healthy: World, django_assert_max_num_queries):
    for number in range(20):
        name = healthy.add(f"model-{number}")
        healthy.make_ready(name)
        Lease.objects.create(
            model=healthy.model(name),
            client=healthy.client,
            config=ConfigVersion.objects.get(model__name=name),
            ttl_s=5,
            granted_at=healthy.at(-600),
            verified_at=healthy.at(-600),
            expires_at=healthy.at(-500),
            verify_ms=1,
        )
    with django_assert_max_num_queries(14):
        assert doctor()[1] == 1


def test_the_worst_comes_first(healthy: World):
    healthy.make_ready(healthy.add("chat"))
    healthy.use("chat", ttl_s=3600)
    activate(healthy.model(healthy.add("rerank")), actor="user:kim")
    healthy.settle()
    healthy.put("chat", bindings=3)
    assert [line[:2] for line in doctor()[0].splitlines()[:2]] == ["!!", ".."]


def test_one_that_somebody_unloaded_is_not_stuck_while_it_is_about_to_be_loaded_again(healthy: World):
    healthy.make_ready(healthy.add("chat", load_s=5))
    healthy.fake.unload_behind_our_back("chat")
    healthy.put("chat", observed=Observed.UNLOADED, error_code="not_loaded", error_since=healthy.at(0))
    text, code = doctor()
    assert (code, ".. chat: not_loaded" in text) == (0, True)
    later(healthy, 130)
    assert doctor()[1] == 1


def test_a_retry_that_nobody_takes_is_stuck_and_one_that_waits_for_room_is_not(healthy: World):
    healthy.add("chat", failure="no such file")
    activate(healthy.model("chat"), actor="user:kim")
    healthy.look()
    healthy.put("chat", waiting={"for": ["rerank"], "until": None, "queue_position": 1, "expected_ready_at": None})
    Provider.objects.update(wake_at=None)
    later(healthy, 200)
    text, code = doctor()
    assert code == 0
    assert "Ends by: rerank. Do: nothing: it is tried again once there is room" in text
    healthy.put("chat", waiting=None)
    text, code = doctor()
    assert (code, "!! chat: load_failed" in text) == (1, True)


def test_a_model_that_waits_for_a_disabled_server_is_stuck(healthy: World):
    healthy.add("chat")
    Provider.objects.update(enabled=False)
    activate(healthy.model("chat"), actor="user:kim")
    text, code = doctor()
    assert (code, "!! chat: waits for gpu, which is disabled, for 0 s. Ends by: operator." in text) == (1, True)


def test_a_model_that_can_never_fit_any_more_is_stuck(healthy: World):
    healthy.add("chat", gpu_memory_mb=800)
    activate(healthy.model("chat"), actor="user:kim")
    Provider.objects.update(gpu_memory_mb=500)
    text, code = doctor()
    assert (code, "!! chat: can never fit: 800 MB on gpu of 500 MB" in text) == (1, True)


def test_an_unload_that_the_server_refuses_again_and_again_is_told(healthy: World, monkeypatch: pytest.MonkeyPatch):
    healthy.make_ready(healthy.add("chat"))
    healthy.settle()

    def refuse(name: str) -> None:
        raise ProviderRefused("not now", status=400)

    monkeypatch.setattr(healthy.fake, "post_unload", refuse)
    deactivate(healthy.model("chat"), actor="user:kim")
    healthy.look()
    text, code = doctor()
    assert code == 0
    assert ".. chat: cannot be unloaded (failures so far: 1), for 0 s, 10 s left. Ends by: worker." in text
    healthy.run_for(400)
    duties.show_life("worker")
    text, code = doctor()
    assert (code, "!! chat: cannot be unloaded" in text) == (1, True)


def test_a_window_that_never_opens_again_is_told_while_a_model_follows_it(healthy: World):
    over = {"from": "2026-11-24T08:00+00:00", "to": "2026-11-24T10:00+00:00", "open": True}
    once = create_window(name="once", timezone="UTC", rules=[], exceptions=[over], actor="user:kim")
    healthy.add("chat", activation_policy="scheduled", window=once)
    healthy.settle()
    assert doctor() == ("Nothing waits.\n", 0)
    healthy.run_for(2 * 3600)
    duties.show_life("worker")
    text, code = doctor()
    assert (code, "!! once: never opens again; its models stay off. Ends by: operator." in text) == (1, True)
    deactivate(healthy.model("chat"), actor="user:kim")
    healthy.settle()
    assert doctor() == ("Nothing waits.\n", 0)
