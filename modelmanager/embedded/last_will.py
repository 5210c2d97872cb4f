"""Ends whatever is left of a run once its supervisor is gone, however it went.

The kernel ends each program with its supervisor (`tied.py`), but nothing that a program started: the process
of a model whose Triton is killed in the middle of a load waits for ever.
"""

import os
import subprocess
import sys
import time

from modelmanager.embedded import processes
from modelmanager.embedded.environment import ROOT

ROUNDS, PAUSE_S = 20, 0.1


class LastWill:
    """A process of its own that reads from us and notices our end, even by kill -9, as the end of the pipe."""

    def __init__(self, run_id: str) -> None:
        self._executor = subprocess.Popen(
            [sys.executable, "-m", "modelmanager.embedded.last_will", run_id],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != processes.MARK},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def carry_out(self) -> None:
        """Have it done now, after an orderly end, and wait for it."""
        self._executor.communicate()


def end_all(run_id: str) -> None:
    """Kill what carries the mark of `run_id`, until a look finds nothing: a process may fork while it is killed."""
    for _round in range(ROUNDS):
        if not processes.kill_marked(run_id):
            return
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    end_all(sys.argv[1])
