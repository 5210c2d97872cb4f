"""Telling running tasks that the cluster wants to end, so that none holds it up."""

from multiprocessing.sharedctypes import RawValue

# Shared with the processes forked later. Without a lock: one that is killed while holding it would hang the others.
_stopping = RawValue("b", 0)


def announce_stop() -> None:
    """Ask every running task of this cluster to finish where it can."""
    _stopping.value = 1


def is_stopping() -> bool:
    """Whether the cluster that runs this task was asked to end; always false elsewhere."""
    return bool(_stopping.value)
