"""What an answer makes of what was believed: the whole table."""

from itertools import product
from typing import Any

import pytest

from models_registry.judge import Belief, judge, judge_silence
from models_registry.providers.observation import RemoteModel, RemoteState, fold
from models_registry.vocabulary import ErrorCode, Observed

ERRORS = ["", "missing", "not_loaded", "load_failed", "activation_timeout", "provider_unreachable"]
KEPT = ["not_loaded", "load_failed", "activation_timeout"]


def seen(state: str, reason: str = "") -> RemoteModel:
    return RemoteModel("m", RemoteState(state), reason)


def after(wanted: bool, observed: str, error: str, state: str, **more: Any) -> tuple[str, str, str]:
    """(observed, error, code of the event) after the answer."""
    found = judge(Belief(wanted, Observed(observed), error), seen(state), **more)
    return (
        str(found.changes.get("observed", observed)),
        str(found.changes.get("error_code", error)),
        found.code if found.changes else "",
    )


@pytest.mark.parametrize(("wanted", "observed", "error"), list(product([True, False], Observed.values, ERRORS)))
class TestEveryBelief:
    def test_absent_is_missing(self, wanted: bool, observed: str, error: str):
        assert after(wanted, observed, error, "absent")[:2] == ("absent", "missing")

    def test_absent_yet_ready_is_missing_but_stays_a_resident(self, wanted: bool, observed: str, error: str):
        assert after(wanted, observed, error, "absent", answers=True)[:2] == ("ready", "missing")

    def test_ready_ends_any_error(self, wanted: bool, observed: str, error: str):
        new_observed, new_error, code = after(wanted, observed, error, "ready")
        assert (new_observed, new_error) == ("ready", "")
        assert code == ("recovered" if error else "" if observed == "ready" else "ready")

    def test_trap_7_listed_as_ready_and_silent_is_a_resident_in_error(self, wanted: bool, observed: str, error: str):
        found = after(wanted, observed, error, "ready", answers=False)
        assert found[:2] == ("ready", error if error in KEPT else "")
        assert (found[2] == "recovered") == (error in ("missing", "provider_unreachable"))

    @pytest.mark.parametrize("state", ["loading", "unloading"])
    def test_work_in_progress_is_recorded(self, wanted: bool, observed: str, error: str, state: str):
        taken_away = state == "unloading" and wanted and observed == "ready"
        left = "not_loaded" if taken_away else error if error in KEPT else ""
        assert after(wanted, observed, error, state)[:2] == (state, left)

    @pytest.mark.parametrize("state", ["unloaded", "failed"])
    def test_not_loaded(self, wanted: bool, observed: str, error: str, state: str):
        new_observed, new_error, code = after(wanted, observed, error, state)
        assert new_observed == "unloaded"
        if wanted and observed == "ready":
            assert new_error == "not_loaded"
            assert code in ("not_loaded", "")
        else:
            assert new_error == (error if error in KEPT else "")

    def test_an_answer_that_says_what_was_believed_changes_nothing(self, wanted: bool, observed: str, error: str):
        states = {s.value for s in RemoteState}
        if observed in states and not error and observed not in ("absent", "failed"):
            assert not judge(Belief(wanted, Observed(observed), ""), seen(observed)).changes


def test_trap_9_every_form_of_the_index_has_its_own_outcome():
    rows = [
        {"name": "name-only"},
        {"name": "unloaded", "version": "1", "state": "UNAVAILABLE", "reason": "unloaded"},
        {"name": "failed", "version": "1", "state": "UNAVAILABLE", "reason": "out of memory"},
        {"name": "bare", "version": "1", "state": "UNAVAILABLE", "reason": ""},
        {"name": "loading", "version": "1", "state": "LOADING"},
        {"name": "unloading", "version": "1", "state": "UNLOADING"},
        {"name": "ready", "version": "1", "state": "READY"},
        {"name": "mixed", "version": "1", "state": "UNAVAILABLE", "reason": "unloaded"},
        {"name": "mixed", "version": "2", "state": "READY"},
        {"name": "swapping", "version": "1", "state": "UNLOADING"},
        {"name": "swapping", "version": "2", "state": "READY"},
        {"name": "growing", "version": "1", "state": "READY"},
        {"name": "growing", "version": "2", "state": "LOADING"},
    ]
    observation = fold(rows)
    believed = Belief(wanted=True, observed=Observed.READY)
    outcome = {}
    for name in [*dict.fromkeys(row["name"] for row in rows), "nowhere"]:
        found = judge(believed, observation.of(name))
        outcome[name] = (str(found.changes.get("observed", "ready")), str(found.changes.get("error_code", "")))
    assert outcome == {
        "name-only": ("unloaded", "not_loaded"),
        "unloaded": ("unloaded", "not_loaded"),
        "failed": ("unloaded", "not_loaded"),
        "bare": ("unloaded", "not_loaded"),
        "loading": ("loading", ""),
        "unloading": ("unloading", "not_loaded"),
        "ready": ("ready", ""),
        "mixed": ("ready", ""),
        "swapping": ("unloading", ""),
        "growing": ("loading", ""),
        "nowhere": ("absent", "missing"),
    }


def test_trap_9_never_loaded_is_not_missing():
    assert after(False, "unknown", "", "unloaded") == ("unloaded", "", "unloaded")


def test_a_model_listed_again_has_recovered():
    assert after(True, "absent", "missing", "unloaded") == ("unloaded", "", "recovered")


def test_a_failure_from_an_earlier_load_is_no_news():
    assert after(True, "unloaded", "", "failed") == ("unloaded", "", "")
    assert after(False, "unknown", "", "failed") == ("unloaded", "", "unloaded")


class TestSilence:
    @pytest.mark.parametrize("misses", [0, 1, 2])
    def test_trap_13_one_or_two_misses_change_nothing(self, misses: int):
        assert not judge_silence(Belief(True, Observed.READY), misses=misses).changes

    @pytest.mark.parametrize("misses", [3, 4, 100])
    def test_three_misses_make_an_error_of_what_is_wanted(self, misses: int):
        found = judge_silence(Belief(True, Observed.READY), misses=misses)
        assert found.changes == {"error_code": ErrorCode.PROVIDER_UNREACHABLE}

    def test_what_nobody_wants_stays_as_it_is(self):
        assert not judge_silence(Belief(False, Observed.READY), misses=9).changes

    @pytest.mark.parametrize("error", ERRORS[1:])
    def test_an_error_that_is_there_stays(self, error: str):
        assert not judge_silence(Belief(True, Observed.READY, error), misses=9).changes
