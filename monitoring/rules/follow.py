"""What an answer means for the operation that is running. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models_registry.providers.observation import RemoteModel, RemoteState
from models_registry.vocabulary import Observed
from monitoring.vocabulary import OperationKind, Outcome

TIMED_OUT = "not done when its time was up"
MEMORY_KEPT = "the model is unloaded, but its GPU memory did not come back"
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
    memory_back: bool = True,
    version: str = "",
) -> Step:
    """Judge one answer of the index and of `ready` about the model of a posted operation.

    Some milliseconds after a post the index still shows the old row, and a failure told before the post
    may stand there for ever: a quiet server is believed only after `lost_after_s` of answers. So is one that
    serves the model in other versions than the one asked for (`version`; empty: whichever).
    """
    unserved = _unserved(seen, version) if kind == OperationKind.LOAD and not ready else ""
    if kind == OperationKind.LOAD:
        end = _end_of_load(seen, ready=ready, is_new=busy_seen or seen.reason != reason_before)
        at_work = seen.state in (RemoteState.LOADING, RemoteState.READY, RemoteState.UNLOADING) and not unserved
    else:
        end = _end_of_unload(seen, ready=ready)
        if end is not None and not memory_back:
            return replace(end, error=MEMORY_KEPT) if at >= deadline_at else Step(busy_seen=True)
        at_work = seen.state in (RemoteState.LOADING, RemoteState.UNLOADING)
    if end is not None:
        return end
    left = _observed(seen, ready=ready)
    if at >= deadline_at:
        return Step(Outcome.TIMED_OUT, TIMED_OUT, left)
    if at_work:
        return Step(busy_seen=True)
    since = quiet_since or at
    if at - since >= timedelta(seconds=lost_after_s):
        return Step(Outcome.FAILED, unserved, left) if unserved else Step(Outcome.LOST, LOST, left)
    return Step(busy_seen=busy_seen, quiet_since=since)


def _unserved(seen: RemoteModel, version: str) -> str:
    """Why a model that is loaded does not answer, where that is because of its version; else empty."""
    if seen.state != RemoteState.READY or not version or not seen.versions_ready or version in seen.versions_ready:
        return ""
    served = ", ".join(seen.versions_ready)
    return f"the server serves version {served} of it, not {version}: switch it off and correct its version"


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


def _observed(seen: RemoteModel, *, ready: bool) -> Observed:
    """What an ended operation leaves: the index's word, but an old failure is simply not loaded.

    One removed from disk while it is loaded is not listed, and holds its memory.
    """
    if seen.state == RemoteState.ABSENT and ready:
        return Observed.READY
    return Observed.UNLOADED if seen.state == RemoteState.FAILED else Observed(seen.state.value)
