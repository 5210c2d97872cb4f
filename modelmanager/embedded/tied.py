"""Runs a program that dies with the one that asked for it: `tied.py PARENT_PID PROGRAM ARGUMENT…`.

Run as a file, by `python -I -S`, in 10 ms. The kernel sends SIGKILL when the parent is gone, even by kill -9;
the wish survives exec. (A `preexec_fn` would do the same, but may deadlock beside threads.)
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, *, by: int = signal.SIGKILL) -> None:
    """Ask the kernel to send `by` when our parent ends; does nothing where the kernel cannot (not Linux)."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(by), 0, 0, 0)
    if os.getppid() != parent:  # it ended before we could ask
        os.kill(os.getpid(), by)


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606
