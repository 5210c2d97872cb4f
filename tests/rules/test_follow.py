"""What an answer means for the operation that is running."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models_registry.providers.observation import RemoteModel, RemoteState
from models_registry.vocabulary import Observed
from monitoring.models import Outcome
from monitoring.rules.follow import Step, follow

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
EARLIER = AT - timedelta(seconds=10)


def load(state: str, *, reason: str = "", **more: Any) -> Step:
    return _follow("load", state, reason, **more)


def unload(state: str, *, reason: str = "", **more: Any) -> Step:
    return _follow("unload", state, reason, **more)


def _follow(kind: str, state: str, reason: str, **more: Any) -> Step:
    known: dict[str, Any] = {
        "ready": state == "ready",
        "reason_before": "",
        "busy_seen": False,
        "quiet_since": None,
        "deadline_at": AT + timedelta(minutes=5),
        "lost_after_s": 10,
        "at": AT,
    }
    seen = RemoteModel("m", RemoteState(state), reason, versions_ready=more.pop("versions", ()))
    return follow(kind, seen, **(known | more))


class TestLoading:
    def test_ready_in_the_index_and_by_ready_is_success(self):
        assert load("ready") == Step(Outcome.SUCCEEDED, observed=Observed.READY)

    def test_trap_7_ready_in_the_index_alone_is_no_proof(self):
        assert load("ready", ready=False).outcome is None

    def test_trap_7_one_that_never_answers_ready_times_out(self):
        assert load("ready", ready=False, deadline_at=AT).outcome == Outcome.TIMED_OUT

    def test_loading_is_watched_on_and_remembered(self):
        assert load("loading", quiet_since=EARLIER) == Step(busy_seen=True)

    @pytest.mark.parametrize("state", ["unloaded", "absent"])
    def test_a_stale_index_right_after_the_post_ends_nothing(self, state: str):
        step = load(state)
        assert (step.outcome, step.quiet_since) == (None, AT)

    @pytest.mark.parametrize("state", ["unloaded", "absent"])
    def test_ten_seconds_of_answers_without_a_sign_and_it_is_lost(self, state: str):
        assert load(state, quiet_since=EARLIER + timedelta(seconds=0.1)).outcome is None
        assert load(state, quiet_since=EARLIER).outcome == Outcome.LOST

    def test_a_server_that_restarted_in_the_middle_is_lost_too(self):
        began = load("loading")
        quiet = load("unloaded", busy_seen=began.busy_seen)
        assert (quiet.outcome, quiet.busy_seen) == (None, True)
        assert load("unloaded", busy_seen=True, quiet_since=EARLIER).outcome == Outcome.LOST

    def test_a_sign_of_work_ends_the_silence(self):
        assert load("loading", quiet_since=EARLIER).quiet_since is None

    def test_an_old_failure_in_the_index_is_not_this_loads(self):
        assert load("failed", reason="CUDA out of memory", reason_before="CUDA out of memory").outcome is None

    def test_a_new_failure_is(self):
        step = load("failed", reason="no such file", reason_before="CUDA out of memory")
        assert step == Step(Outcome.FAILED, "no such file", Observed.UNLOADED)

    def test_the_same_failure_once_more_is_new_when_it_was_seen_loading(self):
        step = load("failed", reason="CUDA", reason_before="CUDA", busy_seen=True)
        assert step.outcome == Outcome.FAILED

    def test_an_old_failure_that_stays_is_lost_in_the_end(self):
        assert load("failed", reason="x", reason_before="x", quiet_since=EARLIER).outcome == Outcome.LOST

    @pytest.mark.parametrize("state", ["loading", "unloading", "unloaded", "absent"])
    def test_trap_5_the_deadline_ends_it_and_leaves_what_the_index_says(self, state: str):
        step = load(state, deadline_at=AT)
        assert (step.outcome, step.observed) == (Outcome.TIMED_OUT, Observed(state))
        assert step.error

    def test_ready_at_the_very_deadline_is_success(self):
        assert load("ready", deadline_at=AT).outcome == Outcome.SUCCEEDED

    def test_served_in_other_versions_only_for_ten_seconds_it_has_failed_and_stays_a_resident(self):
        other = {"ready": False, "version": "9", "versions": ("1", "2")}
        assert load("ready", **other) == Step(quiet_since=AT)
        step = load("ready", quiet_since=EARLIER, **other)
        assert (step.outcome, step.observed) == (Outcome.FAILED, Observed.READY)
        assert "version 1, 2" in step.error and "not 9" in step.error

    @pytest.mark.parametrize(
        ("version", "versions"), [("", ("1",)), ("1", ("1",)), ("9", ())], ids=["any", "listed", "a server that hides"]
    )
    def test_of_the_version_asked_for_the_deadline_decides(self, version: str, versions: tuple[str, ...]):
        more = {"ready": False, "version": version, "versions": versions}
        assert load("ready", quiet_since=EARLIER, **more) == Step(busy_seen=True)

    @pytest.mark.parametrize("outcome_at", ["deadline", "lost"])
    def test_removed_from_disk_while_loading_and_yet_ready_stays_a_resident(self, outcome_at: str):
        more = {"deadline_at": AT} if outcome_at == "deadline" else {"quiet_since": EARLIER}
        assert load("absent", ready=True, **more).observed == Observed.READY


class TestUnloading:
    @pytest.mark.parametrize("state", ["unloaded", "failed"])
    def test_not_loaded_is_success(self, state: str):
        assert unload(state) == Step(Outcome.SUCCEEDED, observed=Observed.UNLOADED)

    def test_trap_6_still_unloading_is_not_done(self):
        assert unload("unloading") == Step(busy_seen=True)

    def test_of_a_model_removed_from_disk_is_done_when_it_no_longer_answers(self):
        assert unload("absent", ready=True).outcome is None
        assert unload("absent", ready=False).outcome == Outcome.SUCCEEDED

    def test_a_stale_ready_right_after_the_post_ends_nothing(self):
        step = unload("ready")
        assert (step.outcome, step.quiet_since) == (None, AT)

    def test_ready_for_ten_seconds_is_lost(self):
        step = unload("ready", quiet_since=EARLIER)
        assert (step.outcome, step.observed) == (Outcome.LOST, Observed.READY)

    @pytest.mark.parametrize("state", ["unloading", "ready", "loading"])
    def test_the_deadline_ends_it(self, state: str):
        assert unload(state, deadline_at=AT).outcome == Outcome.TIMED_OUT
