"""What makes the supervisor end: a closed terminal does, but not under nohup."""

import fcntl
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Iterator

import pytest

from modelmanager.embedded.environment import ROOT

SUPERVISOR = """
from modelmanager.embedded.wishes import Wishes
wishes = Wishes()
wishes.listen()
print("up", flush=True)
wishes.pause({seconds})
raise SystemExit(17 if wishes.stop else 18)
"""
ENDS, GOES_ON = 17, 18


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    yield master, slave
    os.close(slave)


# A shell that leads the session, waits, and tells nobody: what `make` is in a terminal of its own.
SHELL = ["sh", "-c", 'trap "" HUP; "$@"; exit $?', "sh"]


def start(slave: int, *, seconds: float, nohup: bool) -> "subprocess.Popen[str]":
    heeds_hangup = ["env"] if nohup else ["env", "--default-signal=HUP"]
    started = subprocess.Popen(
        [*SHELL, *heeds_hangup, sys.executable, "-c", SUPERVISOR.format(seconds=seconds)],
        cwd=ROOT,
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "up\n"
    return started


@pytest.mark.parametrize(("nohup", "seconds", "expected"), [(False, 60, ENDS), (True, 1, GOES_ON)])
def test_a_closed_terminal_ends_it_unless_under_nohup(
    terminal: tuple[int, int], nohup: bool, seconds: float, expected: int
) -> None:
    master, slave = terminal
    started = start(slave, seconds=seconds, nohup=nohup)
    os.close(master)
    assert started.wait(timeout=30) == expected
    assert started.stdout is not None
    started.stdout.close()
