"""LiteLLM's proxy: a server that speaks the OpenAI API and that nobody here wrote.

Its packages are pinned in litellm.txt and installed into an environment of their own, in LITELLM_HOME (default:
.venv/litellm), on first use. Its models answer without anybody's service: it needs no network.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from tests.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
PINS = Path(__file__).with_name("litellm.txt")
MODELS = ("mock-chat", "mock-embedding")
KEY = "sk-litellm-0123456789abcdef"
ANSWER = "An answer of nobody's."
INSTALL_WITHIN_S = 900
UP_WITHIN_S = 120.0
CONFIG = f"""
model_list:
  - model_name: mock-chat
    litellm_params: {{model: openai/mock-chat, api_key: none, mock_response: "{ANSWER}"}}
  - model_name: mock-embedding
    litellm_params: {{model: openai/mock-embedding, api_key: none, mock_response: [0.1, 0.2]}}
general_settings: {{master_key: {KEY}}}
"""


class NotInstalled(RuntimeError):
    """The packages could not be installed; the text is the installer's last line."""


def installed() -> Path:
    """The environment, made on first use; safe to call from several processes at once. Raises NotInstalled."""
    home = Path(os.environ.get("LITELLM_HOME") or ROOT / ".venv" / "litellm").resolve()
    home.mkdir(parents=True, exist_ok=True)
    environment = home / hashlib.sha256(PINS.read_bytes()).hexdigest()[:12]
    with _alone(home):
        if not (environment / "complete").exists():
            shutil.rmtree(environment, ignore_errors=True)
            for command in _commands(environment):
                _run(command)
            (environment / "complete").touch()
    return environment


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    with (home / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _commands(environment: Path) -> list[list[str]]:
    folders = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    python = str(environment / "bin/python")
    if uv := shutil.which("uv", path=folders):
        return [
            [uv, "venv", "--quiet", "--python", sys.executable, str(environment)],
            [uv, "pip", "install", "--quiet", "--python", python, "-r", str(PINS)],
        ]
    return [
        [sys.executable, "-m", "venv", str(environment)],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(PINS)],
    ]


def _run(command: list[str]) -> None:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_WITHIN_S)
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"no end after {INSTALL_WITHIN_S} s") from error
    if ended.returncode:
        raise NotInstalled((ended.stderr.strip().splitlines() or ["no reason was given"])[-1])


class LiteLLM:
    """`with LiteLLM(folder) as server`: `server.base_url` and KEY for clients; ended by the pid that was started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = installed()
        self._port = free_ports(1)
        self.base_url = f"http://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> Self:
        config = self._folder / "litellm.yaml"
        config.write_text(CONFIG)
        argv = [str(self._environment / "bin/litellm"), "--config", str(config), "--telemetry", "False"]
        argv += ["--host", "127.0.0.1", "--port", str(self._port)]
        with (self._folder / "litellm.log").open("wb") as log:
            self._process = subprocess.Popen(argv, cwd=self._folder, env=self._env(), stdout=log, stderr=log)
        try:
            self._wait_until_up()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._end()

    def _env(self) -> dict[str, str]:
        """Nothing of ours, and no download of prices."""
        return {"PATH": os.environ["PATH"], "HOME": str(self._folder), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + UP_WITHIN_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(f"http://127.0.0.1:{self._port}/health/liveliness", timeout=1).close()
                return
            time.sleep(0.2)
        raise RuntimeError(f"LiteLLM did not start:\n{(self._folder / 'litellm.log').read_text()[-2000:]}")

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
