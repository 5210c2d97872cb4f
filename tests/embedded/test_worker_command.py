"""`manage.py worker`: ends soon after SIGTERM, and leaves no orphans however it dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelmanager.embedded import processes
from modelmanager.embedded.environment import ROOT
from tests.e2e.product import product_env
from tests.embedded.waiting import wait_for

pytestmark = [pytest.mark.embedded_only, pytest.mark.slow]
MEMBERS = 1 + 1 + 2 + 2  # main, guard, two workers, pusher, monitor


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    env = product_env(tmp_path_factory.mktemp("worker"), {"WORKERS": "2"})
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True, timeout=60)
    return env


@pytest.fixture
def worker(env: dict[str, str], tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with (tmp_path / "worker.log").open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, "manage.py", "worker"],
            cwd=ROOT,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(
            lambda: len(processes.members_of_session(started.pid)) == MEMBERS or started.poll() is not None,
            within_s=20,
            what="a complete cluster",
        )
        assert started.poll() is None, (tmp_path / "worker.log").read_text()
        yield started
    finally:
        processes.kill_session(started.pid)
        started.wait()


def test_it_ends_within_three_seconds_of_sigterm(worker: "subprocess.Popen[bytes]") -> None:
    members = processes.members_of_session(worker.pid)
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=10) == 0
    assert time.monotonic() - began < 3
    assert not any(processes.is_alive(pid) for pid in members)


@pytest.mark.parametrize("victim", ["main", "guard"])
def test_a_kill_leaves_no_orphans(worker: "subprocess.Popen[bytes]", victim: str) -> None:
    members = processes.members_of_session(worker.pid)
    os.kill(members[0] if victim == "main" else children(worker.pid)[0], signal.SIGKILL)
    assert worker.wait(timeout=10) != 0
    wait_for(lambda: not any(processes.is_alive(pid) for pid in members))


@pytest.mark.parametrize("number", range(2, MEMBERS))
def test_a_kill_of_any_other_process_ends_it_whole(worker: "subprocess.Popen[bytes]", number: int) -> None:
    """The killed one may have held the lock of a queue: the others would wait for it without an end."""
    members = processes.members_of_session(worker.pid)
    os.kill(members[number], signal.SIGKILL)
    assert worker.wait(timeout=10) != 0
    wait_for(lambda: not any(processes.is_alive(pid) for pid in members))


def test_sigterm_to_the_whole_group_does_not_hang_it(worker: "subprocess.Popen[bytes]") -> None:
    os.killpg(worker.pid, signal.SIGTERM)
    worker.wait(timeout=10)
    wait_for(lambda: not processes.members_of_session(worker.pid))


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
