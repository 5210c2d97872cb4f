"""The whole product, started as `make run` starts it, for end-to-end tests."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from modelmanager.embedded import processes
from modelmanager.embedded.environment import ROOT
from tests.embedded.waiting import wait_for
from tests.ports import free_ports

READY_WITHIN_S = 120.0
ENDED_WITHIN_S = 15.0
TAKEN_FROM_THE_TEST_RUN = ("DATABASE_URL", "DATA_DIR", "TRITON_URL", "PORT", "TRITON_PORT", "WEB_PROCESSES", "HOST")


class RunningProduct:
    """A started product: where it is, how to drive it, how to end it. `env` makes `manage.py` work on its data."""

    def __init__(self, data_dir: Path, env: Mapping[str, str]) -> None:
        self.data_dir = data_dir
        self.env = dict(env)
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "modelmanager.embedded"],
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout:
            for line in self.process.stdout:
                self.lines.append(line.rstrip("\n"))

    @property
    def output(self) -> str:
        """All that it printed so far."""
        return "\n".join(self.lines)

    @property
    def run(self) -> dict[str, Any]:
        """run.json as it stands now."""
        content: dict[str, Any] = json.loads((self.data_dir / "run.json").read_text(encoding="utf-8"))
        return content

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.env['PORT']}"

    @property
    def triton_url(self) -> str:
        return str(self.run["triton_url"])

    @property
    def client_key(self) -> str:
        return str(self.run["client_key"])

    def wait_until_ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Until run.json is there; fails with what was printed when the product ends instead."""

        def ready_or_over() -> bool:
            return (self.data_dir / "run.json").exists() or self.process.poll() is not None

        wait_for(ready_or_over, within_s=within_s, what=f"run.json; printed:\n{self.output}")
        assert self.process.poll() is None, f"ended instead of starting:\n{self.output}"

    def manage(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run `manage.py` on the same data."""
        argv = [sys.executable, "manage.py", *arguments]
        return subprocess.run(argv, cwd=ROOT, env=self.env, text=True, capture_output=True, check=check, timeout=60)

    def stop(self, number: int = signal.SIGINT) -> float:
        """Ask it to end, as Ctrl-C does; the seconds it took. Fails after 15 s."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(timeout=ENDED_WITHIN_S)
        self._reader.join(timeout=2)
        return time.monotonic() - began

    def destroy(self) -> None:
        """Whatever happened, leave no process behind."""
        if self.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.stop()
        if self.process.poll() is None:
            record = self.data_dir / "supervisor.json"
            run_id = json.loads(record.read_text())["run_id"] if record.exists() else ""
            self.process.kill()
            self.process.wait()
            if run_id:
                processes.kill_marked(run_id)


@contextlib.contextmanager
def started_product(data_dir: Path, extra_env: Mapping[str, str] | None = None) -> Iterator[RunningProduct]:
    """A ready product on free ports with its data in `data_dir`; ended at the end."""
    product = RunningProduct(data_dir, product_env(data_dir, extra_env))
    try:
        product.wait_until_ready()
        yield product
    finally:
        product.destroy()


def product_env(data_dir: Path, extra_env: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment for a product of its own: free ports, its own data, nothing of this test run's choices."""
    kept = {name: value for name, value in os.environ.items() if name not in TAKEN_FROM_THE_TEST_RUN}
    web, triton = free_ports(1), free_ports(3)
    return kept | {"PORT": str(web), "TRITON_PORT": str(triton), "DATA_DIR": str(data_dir)} | dict(extra_env or {})


@pytest.fixture(scope="module")
def running_product(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProduct]:
    """One product for a test module; `PRODUCT_ENV` in the module adds variables, such as short heartbeats."""
    extra = getattr(request.module, "PRODUCT_ENV", None)
    with started_product(tmp_path_factory.mktemp("product"), extra) as product:
        yield product
