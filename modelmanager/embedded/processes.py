"""What /proc tells about processes: who belongs to a session, who carries our mark."""

import contextlib
import os
import signal
from pathlib import Path

PROC = Path("/proc")
MARK = "MODELMANAGER_RUN"  # in the environment of everything a supervisor starts; inherited by their children


def sessions() -> dict[int, list[int]]:
    """Every session with its living processes, by one walk through /proc."""
    found: dict[int, list[int]] = {}
    for pid in _all_pids():
        leader = _session(pid)
        if leader is not None:
            found.setdefault(leader, []).append(pid)
    return found


def members_of_session(leader: int) -> list[int]:
    """Living processes of the session that `leader` opened, the leader first."""
    return sorted(sessions().get(leader, []), key=lambda pid: (pid != leader, pid))


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    return _session(pid) is not None


def kill_marked(run_id: str) -> int:
    """SIGKILL every process that was started under `run_id`; how many there were.

    The mark is read after the process was pinned by a descriptor, so a recycled pid is never hit.
    """
    return sum(_kill_if_marked(pid, f"{MARK}={run_id}".encode()) for pid in _all_pids() if pid != os.getpid())


def _kill_if_marked(pid: int, mark: bytes) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if mark not in (PROC / str(pid) / "environ").read_bytes().split(b"\0") or not is_alive(pid):
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        return True
    except OSError:  # gone meanwhile, or another user's
        return False
    finally:
        os.close(handle)


def kill_session(leader: int) -> None:
    """SIGKILL what is left of a session whose leader was our child."""
    for pid in members_of_session(leader):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir(PROC) if name.isdigit()]  # noqa: PTH208


def _session(pid: int) -> int | None:
    """The session of a living process, from `/proc/PID/stat`: pid (comm) state ppid pgrp session …"""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return int(fields[3]) if fields[0] not in (b"Z", b"X") else None
