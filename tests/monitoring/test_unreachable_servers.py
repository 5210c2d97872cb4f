"""A server that does not answer: no model is blamed for it, and what is wanted says so after three misses."""

import pytest
from django.conf import settings

from models_registry.services.switching import activate, deactivate
from models_registry.vocabulary import Observed
from tests.monitoring.world import World


@pytest.fixture
def gone(db: None, build) -> World:
    world = build(max_loaded_models=2)
    for name in ("chat", "embed", "spare"):
        world.add(name)
    world.bring_up("chat", "embed")
    world.fake.down = True
    return world


def errors(world: World) -> dict[str, str]:
    return {name: world.error(name) for name in ("chat", "embed", "spare")}


def test_trap_13_before_the_third_miss_nothing_changes(gone: World):
    for _miss in range(2):
        gone.look()
    assert errors(gone) == {"chat": "", "embed": "", "spare": ""}
    assert gone.provider_row().consecutive_failures == 2


def test_trap_10_the_third_marks_what_is_wanted_and_nothing_else(gone: World):
    for _miss in range(3):
        gone.look()
    assert errors(gone) == {"chat": "provider_unreachable", "embed": "provider_unreachable", "spare": ""}
    assert gone.model("chat").observed == Observed.READY  # nobody has said anything else
    assert "connection refused" in gone.model("chat").error_message


def test_looks_that_requests_bring_on_at_once_are_one_miss(gone: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "MISSES_APART_S", 3)
    for _request in range(5):
        gone.look()
        gone.advance(0.4)
    assert gone.provider_row().consecutive_failures == 1
    assert errors(gone) == {"chat": "", "embed": "", "spare": ""}
    gone.run_for(20)
    assert errors(gone) == {"chat": "provider_unreachable", "embed": "provider_unreachable", "spare": ""}


def test_it_is_looked_at_again_after_5_and_then_every_10_seconds(gone: World):
    waits = []
    for _miss in range(4):
        gone.look()
        wake_at = gone.provider_row().wake_at
        assert wake_at is not None
        waits.append((wake_at - gone.at(0)).total_seconds())
        gone.advance(waits[-1])
    assert waits == [5, 10, 10, 10]


def test_it_is_told_once(gone: World):
    for _miss in range(10):
        gone.look()
    assert gone.codes("chat").count("provider_unreachable") == 1


def test_the_first_answer_clears_it_and_what_still_runs_has_recovered(gone: World):
    for _miss in range(3):
        gone.look()
    gone.fake.down = False
    gone.look()
    assert gone.status("chat") == gone.status("embed") == "recovered"
    assert gone.provider_row().consecutive_failures == 0
    assert gone.posts() == [("load", "chat"), ("load", "embed")]


def test_another_error_is_not_overwritten(gone: World):
    gone.put("chat", error_code="load_failed", error_message="CUDA")
    for _miss in range(3):
        gone.look()
    assert gone.error("chat") == "load_failed"


def test_a_hung_server_is_the_same(gone: World):
    gone.fake.down, gone.fake.hang = False, True
    for _miss in range(3):
        gone.look()
    assert gone.error("chat") == "provider_unreachable"


def test_trap_10_a_restarted_server_that_lost_everything_is_repaired(gone: World):
    for _miss in range(3):
        gone.look()
    gone.fake.restart()
    gone.run_for(15)
    assert gone.resident() == ["chat", "embed"]
    assert gone.status("chat") == gone.status("embed") == "recovered"


def test_trap_10_a_quick_restart_between_two_looks_is_repaired_too(gone: World):
    gone.fake.restart()
    gone.look()
    assert {gone.error(n) for n in ("chat", "embed")} <= {"not_loaded", ""}
    gone.settle()
    assert gone.status("chat") == gone.status("embed") == "recovered"
    assert "not_loaded" in gone.codes("chat") and "not_loaded" in gone.codes("embed")


def test_what_nobody_wants_any_more_is_not_blamed_for_it(gone: World):
    for _miss in range(3):
        gone.look()
    deactivate(gone.model("chat"), actor="user:kim")
    gone.look()
    assert (gone.status("chat"), gone.model("chat").error_message) == ("registered", "")
    assert gone.error("embed") == "provider_unreachable"


def test_what_is_wanted_again_is_marked_by_the_next_miss(gone: World):
    for _miss in range(3):
        gone.look()
    deactivate(gone.model("chat"), actor="user:kim")
    activate(gone.model("chat"), actor="user:kim")
    gone.look()
    assert gone.error("chat") == "provider_unreachable"
