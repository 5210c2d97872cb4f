"""What else changes when a fact changes, and the status that facts have."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from models_registry.facts import consequences, status_of
from models_registry.models import Provider, RegisteredModel
from models_registry.vocabulary import Observed, Status

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
BEFORE = AT - timedelta(minutes=5)


def model(**facts: Any) -> RegisteredModel:
    return RegisteredModel(name="m", provider=Provider(name="gpu", drain_s=60), **facts)


def follows(changes: dict[str, Any], **facts: Any) -> dict[str, Any]:
    return consequences(model(**facts), changes, AT)


@pytest.mark.parametrize(
    ("error", "leases", "observed", "wanted", "recovered", "expected"),
    [
        ("missing", 3, "ready", True, AT, Status.ERROR),
        ("", 1, "ready", True, AT, Status.IN_USE),
        ("", 1, "unloaded", False, None, Status.IN_USE),
        ("", 0, "ready", True, AT, Status.RECOVERED),
        ("", 0, "ready", True, None, Status.ACTIVE),
        ("", 0, "loading", True, AT, Status.ACTIVATING),
        ("", 0, "unknown", True, None, Status.ACTIVATING),
        ("", 0, "ready", False, AT, Status.REGISTERED),
        ("", 0, "unloaded", False, None, Status.REGISTERED),
    ],
)
def test_status_follows_from_the_facts(
    error: str, leases: int, observed: str, wanted: bool, recovered: datetime | None, expected: Status
):
    found = status_of(error_code=error, open_leases=leases, observed=observed, wanted=wanted, recovered_at=recovered)
    assert found == expected


class TestTheQueue:
    def test_a_wanted_model_that_is_not_ready_waits_from_now_on(self):
        assert follows({"wanted": True}, observed="unloaded")["queued_at"] == AT

    def test_its_place_is_kept_while_it_waits(self):
        new = follows({"observed": "loading"}, wanted=True, observed="unloaded", queued_at=BEFORE)
        assert "queued_at" not in new

    @pytest.mark.parametrize("changes", [{"observed": Observed.READY}, {"wanted": False}])
    def test_ready_or_unwanted_it_waits_no_more_and_explains_nothing(self, changes: dict[str, Any]):
        new = follows(changes, wanted=True, observed="loading", queued_at=BEFORE, waiting={"for": ["x"]})
        assert (new["queued_at"], new["waiting"]) == (None, None)

    def test_an_error_that_ends_starts_the_wait_anew(self):
        """Time spent in an error is no time in the queue: its deadline would have passed already."""
        facts = {"wanted": True, "observed": "absent", "error_code": "missing", "queued_at": BEFORE}
        assert follows({"error_code": "", "observed": "unloaded"}, **facts)["queued_at"] == AT


class TestWaitingForACheck:
    """A model of an API provider waits for a check of it, and for nothing once that has told an error."""

    def test_from_when_it_is_wanted(self):
        assert follows({"wanted": True}, observed="unknown")["queued_at"] == AT

    def test_until_an_error_is_told(self):
        facts = {"wanted": True, "observed": "unknown", "queued_at": BEFORE}
        assert follows({"error_code": "credential_invalid"}, **facts)["queued_at"] is None

    def test_anew_when_the_error_is_forgiven(self):
        facts = {"wanted": True, "observed": "unknown", "error_code": "credential_invalid"}
        assert follows({"error_code": ""}, **facts)["queued_at"] == AT

    def test_on_a_gpu_an_error_leaves_it_in_the_queue(self):
        facts = {"wanted": True, "observed": "unloaded", "queued_at": BEFORE, "on_gpu": True}
        assert "queued_at" not in follows({"error_code": "load_failed"}, **facts)


class TestDraining:
    @pytest.mark.parametrize("observed", ["loading", "ready", "unloading"])
    def test_a_resident_that_nobody_wants_any_more_drains(self, observed: str):
        new = follows({"wanted": False}, wanted=True, observed=observed, on_gpu=True)
        assert new["drain_until"] == AT + timedelta(seconds=60)

    def test_what_an_api_provider_serves_holds_no_gpu_but_its_leases(self):
        unused = follows({"wanted": False}, wanted=True, observed="ready")
        used = follows({"wanted": False}, wanted=True, observed="ready", open_leases=1)
        assert (unused.get("drain_until"), used["drain_until"]) == (None, AT + timedelta(seconds=60))

    def test_the_deadline_set_first_stands(self):
        assert "drain_until" not in follows({"wanted": False}, wanted=True, observed="ready", drain_until=BEFORE)

    @pytest.mark.parametrize("observed", ["unknown", "absent", "unloaded"])
    def test_what_is_not_loaded_has_nothing_to_drain(self, observed: str):
        assert "drain_until" not in follows({"wanted": False}, wanted=True, observed=observed)

    def test_wanted_again_ends_it(self):
        assert follows({"wanted": True}, wanted=False, observed="ready", drain_until=AT)["drain_until"] is None

    def test_unloaded_ends_it_and_forgets_what_was_loaded(self):
        new = follows({"observed": "unloaded"}, observed="unloading", drain_until=AT, loaded_config_id=7)
        assert (new["drain_until"], new["loaded_config_id"]) == (None, None)


class TestRecovery:
    def test_an_error_that_ends_on_a_wanted_ready_model_is_a_recovery(self):
        facts = {"wanted": True, "observed": "unloaded", "error_code": "not_loaded"}
        assert follows({"observed": "ready", "error_code": ""}, **facts)["recovered_at"] == AT

    @pytest.mark.parametrize(("wanted", "observed"), [(False, "ready"), (True, "unloaded"), (False, "unloaded")])
    def test_nothing_else_is(self, wanted: bool, observed: str):
        new = follows({"error_code": ""}, wanted=wanted, observed=observed, error_code="load_failed")
        assert "recovered_at" not in new

    def test_a_new_error_ends_it(self):
        new = follows({"error_code": "not_loaded"}, wanted=True, observed="ready", recovered_at=BEFORE)
        assert (new["recovered_at"], new["error_since"]) == (None, AT)

    def test_switching_off_ends_it(self):
        assert follows({"wanted": False}, wanted=True, observed="ready", recovered_at=BEFORE)["recovered_at"] is None

    def test_an_error_that_ends_takes_its_words_with_it(self):
        new = follows({"error_code": ""}, error_code="load_failed", error_message="CUDA", error_since=BEFORE)
        assert (new["error_message"], new["error_since"]) == ("", None)


def test_a_model_that_got_ready_has_no_failures_behind_it():
    new = follows({"observed": "ready"}, observed="loading", failures=3, retry_at=AT)
    assert (new["failures"], new["retry_at"]) == (0, None)


def test_no_consequence_contradicts_another():
    """Over all changes from all states: who is ready or unwanted never waits, who waits has a since."""
    for wanted, observed, new_wanted, new_observed in product([True, False], Observed, [True, False], Observed):
        facts = model(wanted=wanted, observed=observed, queued_at=BEFORE if wanted and observed != "ready" else None)
        out = consequences(facts, {"wanted": new_wanted, "observed": new_observed}, AT)
        waits = out.get("queued_at", facts.queued_at) is not None
        assert waits == (new_wanted and new_observed != Observed.READY)
        drains = out.get("drain_until", facts.drain_until) is not None
        assert not drains or (not new_wanted and new_observed in ("loading", "ready", "unloading"))


@pytest.mark.parametrize("error", ["provider_unreachable", "credential_invalid"])
def test_a_provider_that_cannot_be_used_is_no_fault_of_what_nobody_wants(error: str):
    new = follows({"wanted": False}, wanted=True, observed="unloaded", error_code=error, error_message="silent")
    assert (new["error_code"], new["error_message"], new["error_since"]) == ("", "", None)


@pytest.mark.parametrize("error", ["missing", "not_offered", "load_failed", "activation_timeout"])
def test_errors_of_the_model_itself_stay_when_nobody_wants_it(error: str):
    assert "error_code" not in follows({"wanted": False}, wanted=True, observed="unloaded", error_code=error)


def test_another_error_does_not_keep_the_reason_of_the_one_before():
    before = {"wanted": True, "observed": "ready", "error_code": "provider_unreachable", "error_message": "silent"}
    assert follows({"error_code": "not_loaded"}, **before)["error_message"] == ""
