"""One program that the supervisor runs, in a session of its own."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from modelmanager.embedded import processes
from modelmanager.embedded.console import Console, Follower, rotate

TIED = Path(__file__).with_name("tied.py")


@dataclass(frozen=True, slots=True)
class Program:
    """What to run and how to treat it; `env` is complete, `grace_s` is from SIGTERM to SIGKILL."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    grace_s: float = 7.0
    restarts: bool = True
    when_ended: str = "it is not started again"  # told when it ended for good
    talks_to_people: bool = False  # every line it writes is shown, not just events and errors


class Child:
    """A running program: its main process, its session, and the thread that reads its output.

    Start it from the main thread only: the kernel ties a child's life to the *thread* that made it.
    """

    def __init__(self, program: Program, console: Console) -> None:
        self.program = program
        self._console = console
        rotate(program.log)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(TIED), str(os.getpid()), *program.argv],
            env=dict(program.env),
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._process.pid
        assert self._process.stdout is not None  # noqa: S101
        self._reader = threading.Thread(target=self._follow, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def ended(self) -> int | None:
        """The main process's exit status (negative: a signal), None while it runs."""
        return self._process.poll()

    def ask_to_end(self) -> None:
        """SIGTERM to the main process alone: a job cluster hangs when its members get it too."""
        if self.ended() is None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL whatever is left of the session, and collect the main process."""
        processes.kill_session(self.pid)
        if self.ended() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join(timeout=1)

    def _follow(self, output: IO[bytes]) -> None:
        follower = Follower(talks_to_people=self.program.talks_to_people)
        with output, self.program.log.open("ab", buffering=0) as log:
            for line in output:
                log.write(line)
                if text := follower.worth_showing(line.decode(errors="replace").rstrip()):
                    self._console.say(self.program.name, text)


def how_it_ended(status: int) -> str:
    """`killed by SIGKILL` or `exit status 3`."""
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
