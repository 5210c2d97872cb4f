"""The programs of one running product: how each is called, and with what environment."""

import os
import sys
from collections.abc import Mapping

from modelmanager.embedded.child import Program
from modelmanager.embedded.environment import ROOT, Environment
from modelmanager.embedded.processes import MARK

GRACEFUL_S = 5  # how long a web process lets requests finish
WEB_GRACE_S, WORKER_GRACE_S, TRITON_GRACE_S, STEP_GRACE_S = 7.0, 7.0, 5.0, 3.0

LOCAL_HOSTS = "localhost,127.0.0.1,[::1]"


class Programs:
    """Builds what the supervisor runs, all of it marked with this run's id."""

    def __init__(self, chosen: Environment, *, run_id: str, environ: Mapping[str, str] | None = None) -> None:
        self._chosen = chosen
        self._env = dict(os.environ if environ is None else environ) | {
            MARK: run_id,
            "DATA_DIR": str(chosen.data_dir),
            "DATABASE_URL": chosen.database_url,
            "DJANGO_SETTINGS_MODULE": "modelmanager.settings",
            "PYTHONUNBUFFERED": "1",
        }
        chosen.path("logs").mkdir(exist_ok=True)

    def web(self) -> Program:
        """The production web server, with its processes and threads."""
        env = self._env | {
            "WEB_BIND": self._chosen.bind,
            "ALLOWED_HOSTS": f"{self._env.get('ALLOWED_HOSTS') or LOCAL_HOSTS},{self._chosen.host_of_url}",
            "WEB_PROCESSES": str(self._chosen.web_processes),
            "WEB_GRACEFUL_S": str(GRACEFUL_S),
            "WEB_ACCESS_LOG": str(self._chosen.path("logs/access.log")),
        }
        argv = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "modelmanager.wsgi:application"]
        return self._program("web", argv, env, grace_s=WEB_GRACE_S)

    def worker(self) -> Program:
        """The job cluster."""
        return self._program("worker", self._manage("worker"), self._env, grace_s=WORKER_GRACE_S)

    def triton(self, argv: list[str], env: Mapping[str, str]) -> Program:
        """The embedded Triton; its death is something to see, so it is not started again by itself."""
        marked = dict(env) | {MARK: self._env[MARK]}
        log = self._chosen.path("logs/triton.log")
        hint = "`make triton` starts it again"
        return Program("triton", argv, marked, ROOT, log, grace_s=TRITON_GRACE_S, restarts=False, when_ended=hint)

    def prepare(self) -> Program:
        """Migrations and the first admin."""
        return self._step([sys.executable, "-m", "modelmanager.embedded.prepare"])

    def seed(self, *options: str) -> Program:
        """The demo client, provider and models."""
        return self._step(self._manage("seed_demo", *options))

    def _manage(self, *arguments: str) -> list[str]:
        return [sys.executable, str(ROOT / "manage.py"), *arguments]

    def _step(self, argv: list[str]) -> Program:
        log = self._chosen.path("logs/setup.log")
        return Program("setup", argv, self._env, ROOT, log, grace_s=STEP_GRACE_S, restarts=False, talks_to_people=True)

    def _program(self, name: str, argv: list[str], env: Mapping[str, str], *, grace_s: float) -> Program:
        return Program(name, argv, env, ROOT, self._chosen.path(f"logs/{name}.log"), grace_s=grace_s)
