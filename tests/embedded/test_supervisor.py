"""The supervisor with tiny programs: restarts, orphans, endings in time."""

import io
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelmanager.embedded import processes
from modelmanager.embedded.child import Program
from modelmanager.embedded.console import Console
from modelmanager.embedded.supervisor import Supervisor
from tests.embedded.waiting import wait_for

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
PARENT = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


class Clock:
    """A clock the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Stage:
    """A supervisor, what it printed, and programs made of Python code."""

    def __init__(self, home: Path) -> None:
        self.home, self.clock, self.out = home, Clock(), io.StringIO()
        self.supervisor = Supervisor(Console(self.out), clock=self.clock)

    def program(self, name: str, code: str, *, grace_s: float = 5.0, restarts: bool = True) -> Program:
        argv = [sys.executable, "-c", code]
        log = self.home / f"{name}.log"
        return Program(name, argv, dict(os.environ), self.home, log, grace_s=grace_s, restarts=restarts)

    def pids(self, name: str) -> list[int]:
        return self.supervisor.pids()[name]

    def look_until(self, condition: str, name: str = "web") -> None:
        def looked() -> bool:
            self.supervisor.look()
            return condition in self.out.getvalue()

        wait_for(looked, what=f"{condition!r} printed")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.supervisor.end(["web", "worker", "triton"], at_once=lambda: True)


def test_a_killed_program_is_started_again_after_its_delay(stage: Stage) -> None:
    first = stage.supervisor.start(stage.program("web", SLEEPER)).pid
    os.kill(first, signal.SIGKILL)
    stage.look_until("web     ended (killed by SIGKILL); starting it again in 0.5 s.")
    assert stage.pids("web") == []
    stage.clock.now += 0.5
    stage.supervisor.look()
    assert stage.supervisor.is_running("web")
    assert first not in stage.pids("web")


def test_the_delay_doubles_to_five_seconds_and_starts_anew_after_a_stable_run(stage: Stage) -> None:
    stage.supervisor.start(stage.program("web", "raise SystemExit(3)"))
    for delay in ("0.5", "1", "2", "4", "5", "5"):
        stage.out.truncate(0)
        stage.look_until(f"ended (exit status 3); starting it again in {delay} s.")
        stage.clock.now += float(delay)
        stage.supervisor.look()
    stage.clock.now += 31
    stage.out.truncate(0)
    stage.look_until("starting it again in 0.5 s.")


def test_what_a_killed_main_process_left_is_killed_before_the_restart(stage: Stage) -> None:
    main = stage.supervisor.start(stage.program("worker", PARENT)).pid
    helper = wait_for(lambda: stage.pids("worker")[1:])[0]
    os.kill(main, signal.SIGKILL)
    stage.look_until("worker  ended")
    wait_for(lambda: not processes.is_alive(helper))


def test_a_program_that_is_not_restarted_is_only_announced(stage: Stage) -> None:
    triton = stage.supervisor.start(stage.program("triton", SLEEPER, restarts=False)).pid
    os.kill(triton, signal.SIGKILL)
    stage.look_until("triton  ended (killed by SIGKILL); it is not started again.")
    stage.clock.now += 60
    stage.supervisor.look()
    assert not stage.supervisor.is_running("triton")
    assert stage.pids("triton") == []


def test_ending_asks_first_and_is_quick_when_programs_listen(stage: Stage) -> None:
    pids = [stage.supervisor.start(stage.program(name, SLEEPER)).pid for name in ("web", "worker")]
    began = time.monotonic()
    stage.supervisor.end(["web", "worker"])
    assert time.monotonic() - began < 2
    assert not any(processes.is_alive(pid) for pid in pids)


def test_a_program_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    supervisor = Supervisor(Console(io.StringIO()))
    stage = Stage(tmp_path)
    child = supervisor.start(stage.program("web", STUBBORN, grace_s=0.3))
    wait_for(lambda: (tmp_path / "web.log").exists() and b"up" in (tmp_path / "web.log").read_bytes())
    began = time.monotonic()
    supervisor.end(["web"])
    assert 0.3 <= time.monotonic() - began < 3
    assert child.ended() == -signal.SIGKILL


def test_a_second_wish_to_end_kills_at_once(stage: Stage) -> None:
    stage.supervisor.start(stage.program("web", STUBBORN, grace_s=60))
    wait_for(lambda: (stage.home / "web.log").exists() and b"up" in (stage.home / "web.log").read_bytes())
    stage.supervisor.end(["web"], at_once=lambda: True)
    assert not stage.supervisor.is_running("web")


def test_programs_run_in_sessions_of_their_own_so_that_a_terminals_ctrl_c_spares_them(stage: Stage) -> None:
    pid = stage.supervisor.start(stage.program("web", SLEEPER)).pid
    assert os.getsid(pid) == pid != os.getsid(0)


def test_output_is_kept_whole_in_the_log(stage: Stage) -> None:
    stage.supervisor.start(stage.program("web", "print('one'); print('two')", restarts=False))
    stage.look_until("exit status 0")
    assert (stage.home / "web.log").read_text() == "one\ntwo\n"
