"""The running product that the traffic goes to: its address, its models, and keys for the systems."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from modelmanager.embedded.environment import ROOT
from modelmanager.embedded.run_file import write_private
from modelmanager.embedded.traffic.story import SYSTEMS, System

TIMEOUT_S = 10.0
USED = {use.model for system in SYSTEMS for use in system.uses}


class NoTarget(RuntimeError):
    """There is nothing to send traffic to; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Target:
    """A product that runs on `data_dir`. `key` may manage."""

    url: str
    key: str
    database_url: str
    data_dir: Path

    @classmethod
    def running(cls, data_dir: Path) -> "Target":
        """By its run.json. Raises NoTarget."""
        try:
            told = json.loads((data_dir / "run.json").read_text(encoding="utf-8"))
            return cls(told["url"], told["client_key"], told["database_url"], data_dir)
        except (OSError, ValueError, KeyError) as error:
            raise NoTarget(f"Nothing runs on {data_dir}: start it by `make run`.") from error

    def let_demo_models_come_on_demand(self) -> tuple[list[str], list[str]]:
        """Names of the registered demo models in use, and of those that were manual and are on demand from now on.

        Raises NoTarget when there are none.
        """
        found = self._ask("GET", "/models/?page_size=500")["results"]
        demo = [model for model in found if model["name"] == model["remote_name"] and model["name"] in USED]
        if not demo:
            raise NoTarget("None of the demo models is registered here.")
        manual = [m["name"] for m in demo if m["activation_policy"] == "manual" and m["switch"]["state"] == "auto"]
        for name in manual:
            self._ask("PATCH", f"/models/{name}/", {"activation_policy": "on_demand"})
        return [model["name"] for model in demo], manual

    def folder(self, system: System) -> Path:
        """Where a system keeps its key and its spool."""
        folder = self.data_dir / "traffic" / system.name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def key_of(self, system: System) -> str:
        """A working key of the system's own client, made when there is none. Raises NoTarget."""
        path = self.folder(system) / "key"
        known = path.read_text(encoding="utf-8").strip() if path.exists() else ""
        if known and self._status("/models/?page_size=1", known) == 200:
            return known
        key = self._create_client(system)
        write_private(path, key + "\n")
        return key

    def _create_client(self, system: System) -> str:
        options = ["--scopes", "read,use", "--description", system.description]
        done = subprocess.run(
            [sys.executable, "manage.py", "create_client", system.name, *options],
            cwd=ROOT,
            env=os.environ | {"DATA_DIR": str(self.data_dir), "DATABASE_URL": self.database_url},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NoTarget(f"No key for {system.name}: {done.stderr.strip().splitlines()[-1:]}")
        return done.stdout.strip().splitlines()[-1]

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        got = self._send(method, path, self.key, body)
        if not got.ok:
            raise NoTarget(f"{self.url} answered {got.status_code} to {method} {path}.")
        return got.json()

    def _status(self, path: str, key: str) -> int:
        return self._send("GET", path, key).status_code

    def _send(self, method: str, path: str, key: str, body: Any = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}"}
        with requests.Session() as session:
            session.trust_env = False
            try:
                return session.request(
                    method, f"{self.url}/api/v1{path}", json=body, headers=headers, timeout=TIMEOUT_S
                )
            except requests.RequestException as error:
                raise NoTarget(f"{self.url} does not answer: {type(error).__name__}.") from error
