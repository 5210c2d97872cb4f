"""One running product, from the first step to the last: what `python -m modelmanager.embedded` does."""

import time
from collections.abc import Mapping
from typing import Any

from modelmanager.embedded.asking import status_of, what_is_down
from modelmanager.embedded.child import Child, Program
from modelmanager.embedded.console import Console
from modelmanager.embedded.environment import Environment
from modelmanager.embedded.exclusive import Claim
from modelmanager.embedded.local_triton import LocalTriton
from modelmanager.embedded.prepare import ADMIN, ADMIN_PASSWORD_FILE
from modelmanager.embedded.programs import Programs
from modelmanager.embedded.run_file import RunFile
from modelmanager.embedded.supervisor import Supervisor
from modelmanager.embedded.welcome import welcome
from modelmanager.embedded.wishes import Wishes

TRITON_START_S = 60.0
PATIENCE_S = 10.0  # how often a long wait is explained
CLIENT_KEY_FILE = "client-key"
LOOK_S, ASK_S, REPORT_S = 0.1, 0.3, 0.5


class StepFailed(RuntimeError):
    """The product cannot start; the text is one sentence."""


class Product:
    """Starts everything, keeps it running, ends everything. `triton` is None where none is started here."""

    def __init__(
        self,
        chosen: Environment,
        *,
        claim: Claim,
        console: Console,
        wishes: Wishes,
        triton: LocalTriton | None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._chosen, self._console, self._wishes, self._triton = chosen, console, wishes, triton
        self._programs = Programs(chosen, run_id=claim.run_id, environ=environ)
        self._supervisor = Supervisor(console)
        self._run_file = RunFile(chosen.path("run.json"))
        self._began = time.monotonic()

    @property
    def triton_url(self) -> str:
        """The Triton in use; empty when there is none."""
        return self._chosen.triton_url or (self._triton.url if self._triton else "")

    def run(self) -> None:
        """Start, follow until a person wishes the end, and end everything whatever happens. Raises StepFailed."""
        try:
            fresh = not self._chosen.path(ADMIN_PASSWORD_FILE).exists()
            self._start()
            if self._wait_until_ready():
                self._report()
                self._console.show(
                    welcome(
                        self._chosen,
                        self.triton_url,
                        key=self._client_key(),
                        fresh=fresh,
                        took_s=time.monotonic() - self._began,
                    )
                )
                self._follow()
        finally:
            self._end()

    def _start(self) -> None:
        if self._triton:
            self._start_triton()
        self._step(self._programs.prepare(), "The database could not be prepared; see the lines above.")
        if self._wishes.stop:
            return
        self._console.say("setup", "Starting the web server and the worker …")
        self._supervisor.start(self._programs.web())
        self._supervisor.start(self._programs.worker())
        self._wait_for_triton()
        self._step(
            self._programs.seed(*self._seed_options()), "The demo set could not be registered; see the lines above."
        )

    def _start_triton(self) -> None:
        assert self._triton is not None  # noqa: S101
        self._console.say("setup", f"Starting Triton at {self._triton.url} …")
        self._supervisor.start(self._programs.triton(*self._triton.command()))

    def _wait_for_triton(self) -> None:
        if self._triton is None:
            return
        deadline = time.monotonic() + TRITON_START_S
        while not self._wishes.stop and self._supervisor.is_running("triton") and time.monotonic() < deadline:
            if status_of(f"{self._triton.url}/v2/health/ready")[0] == 200:
                return
            self._pause()
        if not self._wishes.stop:
            log = self._chosen.path("logs/triton.log")
            self._console.say("setup", f"Triton did not start (see {log}); everything else does.")

    def _seed_options(self) -> list[str]:
        options = ["--client-key-file", str(self._chosen.path(CLIENT_KEY_FILE))]
        if self._chosen.triton_url:
            return [*options, "--triton-url", self._chosen.triton_url, "--offered"]
        if self._triton and self._supervisor.is_running("triton"):
            return [*options, "--triton-url", self._triton.url]
        return [*options, "--empty"]

    def _step(self, program: Program, failure: str) -> None:
        """Run a short program to its end; raises StepFailed, and returns early when a person wishes the end."""
        if self._wishes.stop:
            return
        child = Child(program, self._console)
        while (status := child.ended()) is None and not self._wishes.stop:
            self._pause()
        child.kill()
        if status:
            raise StepFailed(failure)

    def _wait_until_ready(self) -> bool:
        explained = time.monotonic()
        while not self._wishes.stop:
            status, body = status_of(f"{self._chosen.url}/readyz")
            if status == 200:
                return True
            if time.monotonic() - explained >= PATIENCE_S:
                explained = time.monotonic()
                told = f"/readyz answers {status} {what_is_down(body)}".rstrip()
                self._console.say("setup", f"Not ready yet: {told if status else 'the web server does not answer'}.")
            self._pause(ASK_S)
        return False

    def _follow(self) -> None:
        reported = 0.0
        while not self._wishes.stop:
            self._pause()
            if self._wishes.triton:
                self._wishes.triton = False
                self._start_triton_again()
            if time.monotonic() - reported >= REPORT_S:
                reported = time.monotonic()
                self._report()

    def _start_triton_again(self) -> None:
        if self._triton is None or self._supervisor.is_running("triton"):
            self._console.say("setup", "There is no ended Triton of ours to start.")
        else:
            self._start_triton()

    def _pause(self, seconds: float = LOOK_S) -> None:
        """The heartbeat of every wait: programs are looked after, then a moment passes."""
        self._supervisor.look()
        self._wishes.pause(seconds)

    def _client_key(self) -> str:
        path = self._chosen.path(CLIENT_KEY_FILE)
        return path.read_text(encoding="utf-8").strip() if path.exists() else ""

    def _report(self) -> None:
        self._run_file.write(self._facts())

    def _facts(self) -> dict[str, Any]:
        password_file = self._chosen.path(ADMIN_PASSWORD_FILE)
        pids: dict[str, list[int]] = {"web": [], "worker": [], "triton": []} | self._supervisor.pids()
        return {
            "url": self._chosen.url,
            "triton_url": self.triton_url or None,
            "client_key": self._client_key(),
            "admin_user": ADMIN,
            "admin_password_file": str(password_file) if password_file.exists() else None,
            "database_url": self._chosen.database_url,
            "pids": pids,
        }

    def _end(self) -> None:
        self._run_file.remove()
        self._console.say("setup", "Ending …")
        began = time.monotonic()
        self._supervisor.end(["web", "worker"], at_once=lambda: self._wishes.at_once)
        self._supervisor.end(["triton"], at_once=lambda: self._wishes.at_once)
        self._console.say("setup", f"Everything has ended ({time.monotonic() - began:.1f} s).")
