"""What an answer about a model makes of what we believed. Pure: values in, values out."""

from dataclasses import dataclass, field
from typing import Any

from models_registry.providers.observation import RemoteModel, RemoteState
from models_registry.vocabulary import ErrorCode, Observed

MISSES_TO_ERROR = 3
GIVE_UP_AFTER = 5  # failed loads in a row, until somebody asks again


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


def judge(belief: Belief, seen: RemoteModel, *, answers: bool | None = None) -> Judgement:
    """New facts of a Triton model without a running operation; the operation speaks for the others.

    `seen` is the index's word; absent only when it was so twice in a row. `answers` is what `ready` said
    where it was asked. A model that is absent and answers was removed from disk while loaded: it stays a
    resident. One that is listed as ready and does not answer is a resident too, and keeps its error.
    """
    match seen.state:
        case RemoteState.ABSENT:
            observed = Observed.READY if answers else Observed.ABSENT
            return judgement(belief, observed, ErrorCode.MISSING, code=ErrorCode.MISSING)
        case RemoteState.READY:
            error = _kept(belief) if answers is False else ""
            return judgement(belief, Observed.READY, error, code=_code_of_ready(belief, error))
        case RemoteState.UNLOADING if _is_taken_away(belief, seen):
            return judgement(belief, Observed.UNLOADING, ErrorCode.NOT_LOADED, code=ErrorCode.NOT_LOADED)
        case RemoteState.LOADING | RemoteState.UNLOADING:
            return judgement(belief, Observed(seen.state.value), _kept(belief), code=seen.state.value)
        case _:
            return _not_loaded(belief)


def judge_silence(belief: Belief, *, misses: int) -> Judgement:
    """New facts when the server did not answer `misses` times in a row: three make an error of what is wanted."""
    if misses < MISSES_TO_ERROR or not belief.wanted or belief.error_code:
        return Judgement()
    return Judgement({"error_code": ErrorCode.PROVIDER_UNREACHABLE}, ErrorCode.PROVIDER_UNREACHABLE)


def _is_taken_away(belief: Belief, seen: RemoteModel) -> bool:
    """Whether somebody unloads what is wanted and in use; while another version serves, versions are swapped."""
    return belief.wanted and belief.observed == Observed.READY and not seen.versions_ready


def _not_loaded(belief: Belief) -> Judgement:
    if belief.wanted and belief.observed == Observed.READY:
        return judgement(belief, Observed.UNLOADED, ErrorCode.NOT_LOADED, code=ErrorCode.NOT_LOADED)
    code = "recovered" if belief.error_code and not _kept(belief) else Observed.UNLOADED
    return judgement(belief, Observed.UNLOADED, _kept(belief), code=code)


def _code_of_ready(belief: Belief, error: str) -> str:
    return "recovered" if belief.error_code and not error else "ready"


def _kept(belief: Belief) -> str:
    """The error that an answer which lists the model leaves standing."""
    settled = (ErrorCode.MISSING, ErrorCode.PROVIDER_UNREACHABLE)
    return "" if belief.error_code in settled else belief.error_code


def judgement(belief: Belief, observed: Observed, error_code: str, *, code: str) -> Judgement:
    """What differs from the belief, as new facts; nothing when nothing does."""
    changes: dict[str, Any] = {}
    if observed != belief.observed:
        changes["observed"] = observed
    if error_code != belief.error_code:
        changes["error_code"] = error_code
    return Judgement(changes, str(code)) if changes else Judgement()
