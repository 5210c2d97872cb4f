"""Reloading a model with other load settings: unload, load, and back again when that fails. Pure."""

from monitoring.vocabulary import OperationKind, Outcome

FAILURES = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST)


def rolls_back(kind: str, outcome: str, *, tried: int | None, replaces: int | None, current: int | None) -> bool:
    """Whether an ended operation makes the version it replaced current again.

    Only a load of the version that is still current, as part of a reload; a person may have been quicker.
    """
    if kind != OperationKind.LOAD or outcome not in FAILURES:
        return False
    return replaces is not None and replaces != tried and tried == current


def is_reloading(kind: str, outcome: str, *, replaces: int | None) -> bool:
    """Whether the newest operation, of a server or of a model, left the model unloaded only to be loaded anew."""
    return replaces is not None and not (kind == OperationKind.LOAD and outcome == Outcome.SUCCEEDED)
