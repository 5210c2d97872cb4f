"""One supervisor for a DATA_DIR; a killed one's leftovers end, and nothing else does."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelmanager.embedded import processes
from modelmanager.embedded.environment import ROOT
from modelmanager.embedded.exclusive import AlreadyRunning, Claim, running_supervisor
from tests.embedded.waiting import wait_for

CLAIM_AND_START = """
import os, subprocess, sys, time
from pathlib import Path
from modelmanager.embedded.environment import ROOT
from modelmanager.embedded.exclusive import Claim
from modelmanager.embedded.processes import MARK
claim = Claim(Path(sys.argv[1]), url="http://127.0.0.1:1")
left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                        env={**os.environ, MARK: claim.run_id}, start_new_session=True)
print(left.pid, claim._will._executor.pid, flush=True)
time.sleep(60)
"""


def test_a_second_claim_is_refused_in_one_sentence(tmp_path: Path) -> None:
    claim = Claim(tmp_path, url="http://127.0.0.1:8000")
    with pytest.raises(AlreadyRunning) as refusal:
        Claim(tmp_path, url="http://127.0.0.1:9000")
    assert str(refusal.value) == (
        f"Model Manager already runs on {tmp_path} at http://127.0.0.1:8000 (process {os.getpid()}): "
        "end it first, or choose another DATA_DIR."
    )
    assert running_supervisor(tmp_path) == os.getpid()
    claim.release()
    assert running_supervisor(tmp_path) is None
    Claim(tmp_path, url="http://127.0.0.1:9000").release()


@contextlib.contextmanager
def claimed_elsewhere(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """A supervisor that started one program in a session of its own: the supervisor, that program, its last will."""
    supervisor = subprocess.Popen(
        [sys.executable, "-c", CLAIM_AND_START, str(data_dir)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert supervisor.stdout is not None
    with supervisor.stdout, contextlib.ExitStack() as ending:
        ending.callback(supervisor.wait)
        ending.callback(supervisor.kill)
        started, will = map(int, supervisor.stdout.readline().split())
        yield supervisor, started, will


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def test_nothing_that_a_program_started_outlives_a_killed_supervisor(
    tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    with claimed_elsewhere(tmp_path) as (supervisor, started, will):
        supervisor.kill()
        wait_for(lambda: not processes.is_alive(started))
        wait_for(lambda: not processes.is_alive(will))
        assert bystander.poll() is None


def test_what_is_left_even_so_is_ended_by_the_next_and_nothing_else(
    tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    with claimed_elsewhere(tmp_path) as (supervisor, started, will):
        os.kill(will, signal.SIGKILL)
        wait_for(lambda: not processes.is_alive(will))
        supervisor.kill()
        supervisor.wait()
        claim = Claim(tmp_path, url="http://127.0.0.1:1")
        assert claim.leftovers == 1
        wait_for(lambda: not processes.is_alive(started))
        assert bystander.poll() is None
        claim.release()


def test_programs_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import io, os, sys, time\nfrom pathlib import Path\n"
        "from modelmanager.embedded.child import Child, Program\nfrom modelmanager.embedded.console import Console\n"
        "home = Path(sys.argv[1])\n"
        "argv = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "child = Child(Program('web', argv, dict(os.environ), home, home / 'web.log'), Console(io.StringIO()))\n"
        "print(child.pid, flush=True); time.sleep(60)\n"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    with supervisor.stdout:
        child = int(supervisor.stdout.readline())
        wait_for(lambda: b"time.sleep" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[2])
        supervisor.send_signal(signal.SIGKILL)
        supervisor.wait()
    wait_for(lambda: not processes.is_alive(child))
