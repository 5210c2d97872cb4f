"""A real Triton for tests: own repository, own ports, ended by the pid that was started."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import requests

from modelmanager.embedded.repository import DemoModel, Tensor, write_demo_repository, write_model, write_simulated_gpu
from modelmanager.embedded.triton import TritonInstallation, install
from tests.embedded.waiting import wait_for
from tests.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0

_CODE = """
from simulated_gpu import SimulatedModel
from text import answer, strings


class TritonPythonModel(SimulatedModel):
    def prepare(self):
        if failure := self.parameters.get("failure"):
            raise RuntimeError(failure)

    def execute(self, requests):
        if any(strings(request, "TEXT") == ["fail"] for request in requests):
            raise RuntimeError("asked to fail")
        return [answer(ECHO=strings(request, "TEXT")) for request in requests]
"""


def slow_model(name: str, load_s: float = 0.0, size_mb: int = 0) -> DemoModel:
    """A model that echoes. Its load takes a tenth of a second more than `load_s`, its unload 1.2 s."""
    return _model(name, load_s=load_s, size_mb=size_mb)


def broken_model(name: str, message: str, *, load_s: float = 0.0) -> DemoModel:
    """A model whose load fails with `message`."""
    return _model(name, load_s=load_s, size_mb=0, settings=(("failure", message),))


def _model(name: str, *, load_s: float, size_mb: int, settings: tuple[tuple[str, str], ...] = ()) -> DemoModel:
    text = Tensor("TEXT", "TYPE_STRING", (-1,))
    echo = Tensor("ECHO", "TYPE_STRING", (-1,))
    return DemoModel(name, name, "", "other", size_mb, load_s, (text,), (echo,), settings)


def installed() -> TritonInstallation:
    """The shared installation, made on first use in TRITON_HOME (default: .venv/triton)."""
    return install(Path(os.environ.get("TRITON_HOME") or ROOT / ".venv" / "triton"))


class RealTriton:
    """A real server on 127.0.0.1 with `models` of `slow_model` and `broken_model`, or the demo set (None).

    A context manager; `kill()` is SIGKILL, `restart()` starts it anew on the same port.
    """

    def __init__(
        self,
        folder: Path,
        models: Iterable[DemoModel] | None = None,
        *,
        budget_mb: int = 1 << 20,
        time_scale: float = 1.0,
        port: int | None = None,
    ) -> None:
        self.repository = folder / "repository"
        self.log = folder / "triton.log"
        self.port = port or free_ports(3)
        self.url = f"http://127.0.0.1:{self.port}"
        self.metrics_url = f"http://127.0.0.1:{self.port + 2}/metrics"
        self._process: subprocess.Popen[bytes] | None = None
        if models is None:
            write_demo_repository(self.repository, budget_mb=budget_mb, time_scale=time_scale)
        else:
            write_simulated_gpu(self.repository, budget_mb=budget_mb, time_scale=time_scale)
            for model in models:
                self.add(model)

    @classmethod
    def temporary(cls, models: Iterable[DemoModel] | None = None, **settings: Any) -> Self:
        """One in a new folder of the system's temporary folder."""
        return cls(Path(tempfile.mkdtemp(prefix="triton-")), models, **settings)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def add(self, model: DemoModel) -> None:
        """Put a model into the repository; Triton sees it at the next index call."""
        write_model(self.repository, model, code=_CODE)

    def remove(self, name: str) -> None:
        """Take the model's folder away, whether it is loaded or not (it is kept beside the repository)."""
        (self.repository / name).rename(self.repository.parent / f"removed-{name}-{time.monotonic_ns()}")

    def infer(self, name: str, texts: list[str], *, shape: list[int] | None = None) -> int:
        """One request to a model that takes TEXT; the status of the answer."""
        tensor = {"name": "TEXT", "shape": shape or [len(texts)], "datatype": "BYTES", "data": texts}
        with requests.Session() as session:
            session.trust_env = False
            return session.post(f"{self.url}/v2/models/{name}/infer", json={"inputs": [tensor]}, timeout=20).status_code

    def start(self) -> Self:
        """Start it and wait until it is ready."""
        argv, env = installed().command(self.repository, http_port=self.port)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.wait_until_ready()
        return self

    def wait_until_ready(self, *, within_s: float = START_TIMEOUT_S) -> None:
        give_up_at = time.monotonic() + within_s
        while not self._answers():
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError(f"Triton ended at once:\n{self._tail()}")
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"Triton is not ready after {within_s:g} s:\n{self._tail()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL the server and what it started."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end; after ten seconds, kill it."""
        self._end(signal.SIGTERM)

    def restart(self) -> Self:
        self.kill()
        return self.start()

    def freeze(self) -> None:
        """Accepts connections, never answers; until `thaw()`. The signal stops one thread after the other."""
        self._signal(signal.SIGSTOP)
        wait_for(self._stands_still, within_s=STOP_TIMEOUT_S, every_s=0.005, what="a Triton that stands still")

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.kill()

    def _signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _stands_still(self) -> bool:
        """Whether each of its threads is in the state T (stopped) of /proc/…/stat."""
        stats = Path(f"/proc/{self.pid}/task").glob("*/stat")
        return all(stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in stats)

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):  # its models are in its session, and only they
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def _answers(self) -> bool:
        try:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"{self.url}/v2/health/ready", timeout=2) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def _tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]
