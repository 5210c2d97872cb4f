"""What an answer means for the operation that is running. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from models_registry.providers.observation import RemoteModel, RemoteState
from models_registry.vocabulary import Observed
from monitoring.models import OperationKind, Outcome

TIMED_OUT = "not done when its time was up"
LOST = "the server answers, and shows no sign of it"


@dataclass(frozen=True)
class Step:
    """The end of an operation, with what it leaves observed; or (no outcome) what to remember of it."""

    outcome: Outcome | None = None
    error: str = ""
    observed: Observed | None = None
    busy_seen: bool = False
    quiet_since: datetime | None = None


def follow(
    kind: str,
    seen: RemoteModel,
    *,
    ready: bool,
    reason_before: str,
    busy_seen: bool,
    quiet_since: datetime | None,
    deadline_at: datetime,
    lost_after_s: float,
    at: datetime,
) -> Step:
    """Judge one answer of the index and of `ready` about the model of a posted operation.

    Some milliseconds after a post the index still shows the old row, and a failure told before the post
    may stand there for ever: a quiet server is believed only after `lost_after_s` of answers.
    """
    if kind == OperationKind.LOAD:
        end = _end_of_load(seen, ready=ready, is_new=busy_seen or seen.reason != reason_before)
        at_work = seen.state in (RemoteState.LOADING, RemoteState.READY, RemoteState.UNLOADING)
    else:
        end = _end_of_unload(seen, ready=ready)
        at_work = seen.state in (RemoteState.LOADING, RemoteState.UNLOADING)
    if end is not None:
        return end
    left = _observed(seen)
    if at >= deadline_at:
        return Step(Outcome.TIMED_OUT, TIMED_OUT, left)
    if at_work:
        return Step(busy_seen=True)
    since = quiet_since or at
    if at - since >= timedelta(seconds=lost_after_s):
        return Step(Outcome.LOST, LOST, left)
    return Step(busy_seen=busy_seen, quiet_since=since)


def _end_of_load(seen: RemoteModel, *, ready: bool, is_new: bool) -> Step | None:
    if seen.state == RemoteState.READY and ready:
        return Step(Outcome.SUCCEEDED, observed=Observed.READY)
    if seen.state == RemoteState.FAILED and is_new:
        return Step(Outcome.FAILED, seen.reason, Observed.UNLOADED)
    return None


def _end_of_unload(seen: RemoteModel, *, ready: bool) -> Step | None:
    gone = seen.state == RemoteState.ABSENT and not ready  # one removed from disk is absent while still loaded
    if gone or seen.state in (RemoteState.UNLOADED, RemoteState.FAILED):
        return Step(Outcome.SUCCEEDED, observed=Observed.UNLOADED)
    return None


def _observed(seen: RemoteModel) -> Observed:
    """What an ended operation leaves: the index's word; an old failure is simply not loaded."""
    return Observed.UNLOADED if seen.state == RemoteState.FAILED else Observed(seen.state.value)
