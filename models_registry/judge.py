"""What an answer about a model makes of what we believed. Pure: values in, values out."""

from dataclasses import dataclass, field
from typing import Any

from models_registry.providers.observation import RemoteModel, RemoteState
from models_registry.vocabulary import ErrorCode, Observed

MISSES_TO_ERROR = 3


@dataclass(frozen=True)
class Belief:
    """What we held true of a model before we asked."""

    wanted: bool
    observed: Observed
    error_code: str = ""


@dataclass(frozen=True)
class Judgement:
    """New facts (columns and values) and the event that tells them."""

    changes: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    message: str = ""


def judge(belief: Belief, seen: RemoteModel, *, still_ready: bool = False) -> Judgement:
    """New facts of a Triton model without a running operation; the operation speaks for the others.

    `seen` is the index's word; absent only when it was so twice in a row. `still_ready`: the model is
    absent from the index, yet answers `ready` (removed from disk while loaded): it stays a resident.
    """
    match seen.state:
        case RemoteState.ABSENT:
            observed = Observed.READY if still_ready else Observed.ABSENT
            return _judgement(belief, observed, ErrorCode.MISSING, code=ErrorCode.MISSING)
        case RemoteState.READY:
            return _judgement(belief, Observed.READY, "", code="recovered" if belief.error_code else "ready")
        case RemoteState.LOADING | RemoteState.UNLOADING:
            return _judgement(belief, Observed(seen.state.value), _kept(belief), code=seen.state.value)
        case _:
            return _not_loaded(belief)


def judge_silence(belief: Belief, *, misses: int) -> Judgement:
    """New facts when the server did not answer `misses` times in a row: three make an error of what is wanted."""
    if misses < MISSES_TO_ERROR or not belief.wanted or belief.error_code:
        return Judgement()
    return Judgement({"error_code": ErrorCode.PROVIDER_UNREACHABLE}, ErrorCode.PROVIDER_UNREACHABLE)


def _not_loaded(belief: Belief) -> Judgement:
    if belief.wanted and belief.observed == Observed.READY:
        return _judgement(belief, Observed.UNLOADED, ErrorCode.NOT_LOADED, code=ErrorCode.NOT_LOADED)
    code = "recovered" if belief.error_code and not _kept(belief) else Observed.UNLOADED
    return _judgement(belief, Observed.UNLOADED, _kept(belief), code=code)


def _kept(belief: Belief) -> str:
    """The error that an answer which lists the model leaves standing."""
    settled = (ErrorCode.MISSING, ErrorCode.PROVIDER_UNREACHABLE)
    return "" if belief.error_code in settled else belief.error_code


def _judgement(belief: Belief, observed: Observed, error_code: str, *, code: str) -> Judgement:
    changes: dict[str, Any] = {}
    if observed != belief.observed:
        changes["observed"] = observed
    if error_code != belief.error_code:
        changes["error_code"] = error_code
    return Judgement(changes, str(code)) if changes else Judgement()
