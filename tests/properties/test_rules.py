"""judge, follow and wanted over all inputs; plan has a file of its own."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models_registry.judge import Belief, judge, judge_silence
from models_registry.providers.observation import RemoteModel, RemoteState
from models_registry.vocabulary import RESIDENT, ErrorCode, Observed, Policy, SwitchState
from models_registry.wanted import Switch, wanted
from monitoring.models import OperationKind, Outcome
from monitoring.rules.follow import follow
from tests.properties.values import AT, beliefs, many, maybe, remote


class TestJudge:
    @many
    @given(belief=beliefs, seen=remote, answers=st.sampled_from([None, True, False]))
    def test_judging_the_same_answer_again_changes_nothing(self, belief: Belief, seen: RemoteModel, answers: Any):
        first = judge(belief, seen, answers=answers)
        after = Belief(
            belief.wanted,
            Observed(first.changes.get("observed", belief.observed)),
            first.changes.get("error_code", belief.error_code),
        )
        again = judge(after, seen, answers=answers)
        if seen.state != RemoteState.UNLOADING:  # first taken away from us, then simply on its way out
            assert not again.changes

    @many
    @given(belief=beliefs, seen=remote, answers=st.sampled_from([None, True, False]))
    def test_it_believes_what_the_server_says(self, belief: Belief, seen: RemoteModel, answers: Any):
        observed = judge(belief, seen, answers=answers).changes.get("observed", belief.observed)
        is_there = seen.state in ("loading", "ready", "unloading") or (seen.state == "absent" and answers is True)
        assert (observed in RESIDENT) == is_there

    @many
    @given(belief=beliefs, seen=remote, answers=st.sampled_from([None, True, False]))
    def test_every_change_is_told_and_nothing_else(self, belief: Belief, seen: RemoteModel, answers: Any):
        found = judge(belief, seen, answers=answers)
        assert bool(found.changes) == bool(found.code)
        assert set(found.changes) <= {"observed", "error_code"}

    @many
    @given(belief=beliefs, seen=remote, answers=st.sampled_from([None, True, False]))
    def test_an_answer_never_blames_a_load(self, belief: Belief, seen: RemoteModel, answers: Any):
        error = judge(belief, seen, answers=answers).changes.get("error_code")
        assert error in (None, "", ErrorCode.MISSING, ErrorCode.NOT_LOADED)

    @many
    @given(belief=beliefs, misses=st.integers(0, 10))
    def test_silence_changes_no_observation_and_overwrites_no_error(self, belief: Belief, misses: int):
        changes = judge_silence(belief, misses=misses).changes
        assert "observed" not in changes
        assert not changes or (misses >= 3 and belief.wanted and not belief.error_code)


class TestFollow:
    @many
    @given(
        kind=st.sampled_from(OperationKind.values),
        answers=st.lists(st.tuples(remote, st.booleans()), min_size=1, max_size=60),
        reason=st.sampled_from(["", "CUDA out of memory"]),
        tick=st.sampled_from([0.2, 5, 10]),
    )
    def test_it_ends_by_its_deadline_whatever_the_server_says(
        self, kind: str, answers: list[tuple[RemoteModel, bool]], reason: str, tick: float
    ):
        deadline = AT + timedelta(seconds=60)
        at, busy_seen, quiet_since = AT, False, None
        turn = 0
        while True:
            seen, ready = answers[turn % len(answers)]
            step = follow(
                kind,
                seen,
                ready=ready,
                reason_before=reason,
                busy_seen=busy_seen,
                quiet_since=quiet_since,
                deadline_at=deadline,
                lost_after_s=10,
                at=at,
            )
            assert at <= deadline
            if step.outcome is not None:
                break
            assert step.observed is None and not step.error
            busy_seen, quiet_since = step.busy_seen, step.quiet_since
            turn, at = turn + 1, min(at + timedelta(seconds=tick), deadline) if at < deadline else at + timedelta(1)
        assert step.outcome in (Outcome.SUCCEEDED, Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST)
        assert step.observed is not None
        if step.outcome == Outcome.SUCCEEDED:
            assert step.observed == (Observed.READY if kind == OperationKind.LOAD else Observed.UNLOADED)
        if step.outcome == Outcome.FAILED:
            assert step.error and kind == OperationKind.LOAD

    @many
    @given(seen=remote, ready=st.booleans(), reason=st.sampled_from(["", "CUDA out of memory"]), quiet=maybe)
    def test_a_load_succeeds_only_where_index_and_ready_agree(
        self, seen: RemoteModel, ready: bool, reason: str, quiet: datetime | None
    ):
        step = follow(
            OperationKind.LOAD,
            seen,
            ready=ready,
            reason_before=reason,
            busy_seen=False,
            quiet_since=quiet,
            deadline_at=AT + timedelta(minutes=5),
            lost_after_s=10,
            at=AT,
        )
        assert (step.outcome == Outcome.SUCCEEDED) == (seen.state == RemoteState.READY and ready)


@dataclass(frozen=True)
class AnyWindow:
    is_open: bool

    def contains(self, at: datetime) -> bool:
        return self.is_open

    def next_opening(self, at: datetime) -> datetime | None:
        return None

    def next_closing(self, at: datetime) -> datetime | None:
        return None


@many
@given(
    state=st.sampled_from(SwitchState),
    until=maybe,
    policy=st.sampled_from(Policy),
    window=st.one_of(st.none(), st.builds(AnyWindow, st.booleans())),
    demand_until=maybe,
    open_leases=st.integers(0, 3),
)
def test_a_person_s_word_outranks_everything_while_it_holds(
    state: SwitchState,
    until: datetime | None,
    policy: Policy,
    window: AnyWindow | None,
    demand_until: datetime | None,
    open_leases: int,
):
    inputs: dict[str, Any] = {"demand_until": demand_until, "open_leases": open_leases, "at": AT}
    found = wanted(Switch(state, until), policy, window, **inputs)
    holds = state != SwitchState.AUTO and (until is None or until > AT)
    assert found == (state == SwitchState.ON if holds else wanted(Switch(), policy, window, **inputs))
