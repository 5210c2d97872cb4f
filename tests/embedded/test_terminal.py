"""`make run` in a terminal: Ctrl-C, closing the window and SIGTERM end all that it started, and nothing else."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelmanager.embedded import processes
from modelmanager.embedded.environment import ROOT
from tests.e2e.product import product_env
from tests.embedded.waiting import wait_for

pytestmark = [pytest.mark.triton, pytest.mark.embedded_only, pytest.mark.slow]

ENDED_WITHIN_S = 15.0
CTRL_C = b"\x03"
MAKE = ["make", "--no-print-directory", "--old-file=setup", "run"]  # what it installs is there: the tests run on it


def _take_the_terminal() -> None:
    """As a shell starts its foreground job; whoever runs the tests may do so under nohup, which the product heeds."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Terminal:
    """`make run` as the foreground job of a terminal of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.run_file = data_dir / "run.json"
        self.text = ""
        self._closing = threading.Event()
        self._master, slave = pty.openpty()
        self.make = subprocess.Popen(
            MAKE,
            cwd=ROOT,
            env=product_env(data_dir),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_take_the_terminal,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_for(self._ready_or_over, within_s=120, what="a ready product")
        assert self.make.poll() is None, self.text
        self.pids = [int(pid) for pid in re.findall(r"^\s+(\d+),?$", self.run_file.read_text(), re.M)]
        self.supervisor = int(re.findall(r'"pid": (\d+)', (data_dir / "supervisor.json").read_text())[0])

    def _ready_or_over(self) -> bool:
        return (self.run_file.exists() and "Ctrl-C ends it" in self.text) or self.make.poll() is not None

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while not self._closing.is_set():
                if select.select([self._master], [], [], 0.1)[0]:
                    self.text += os.read(self._master, 65536).decode(errors="replace")

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def close(self) -> None:
        """The terminal is gone: the kernel sends its foreground job SIGHUP, and nobody reads what is printed."""
        self._closing.set()
        self._reader.join()
        os.close(self._master)

    def destroy(self) -> None:
        for pid in (self.supervisor, *self.pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.make.kill()
        self.make.wait()
        if not self._closing.is_set():
            self.close()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.destroy()


@pytest.fixture
def bystander() -> Iterator["subprocess.Popen[bytes]"]:
    """Another program of the same user."""
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield other
    other.kill()
    other.wait()


@pytest.mark.parametrize("way", ["Ctrl-C", "closing the window", "SIGTERM to make", "kill -9 of make"])
def test_everything_ends_within_15_s_and_nothing_else(
    terminal: Terminal, bystander: "subprocess.Popen[bytes]", way: str
) -> None:
    assert len(terminal.pids) >= 1 + 2 + 7, "Triton, web and worker"
    began = time.monotonic()
    match way:
        case "Ctrl-C":
            terminal.type(CTRL_C)
        case "closing the window":
            terminal.close()
        case "SIGTERM to make":
            terminal.make.terminate()
        case _:
            terminal.make.kill()
    wait_for(lambda: not alive(terminal), within_s=ENDED_WITHIN_S, what=f"the end ({way})")
    assert time.monotonic() - began < ENDED_WITHIN_S
    assert bystander.poll() is None
    assert not terminal.run_file.exists()
    terminal.make.wait(timeout=5)


def alive(terminal: Terminal) -> list[int]:
    return [pid for pid in (terminal.supervisor, *terminal.pids) if processes.is_alive(pid)]
