"""One supervisor for a DATA_DIR, and the end of what a killed one left behind."""

import fcntl
import json
import os
import uuid
from pathlib import Path
from typing import IO

from modelmanager.embedded import processes
from modelmanager.embedded.last_will import LastWill
from modelmanager.embedded.run_file import write_private


class AlreadyRunning(RuntimeError):
    """Another supervisor holds this DATA_DIR; the text is one sentence."""


class Claim:
    """Our hold on a DATA_DIR: a lock the kernel frees when we end, however we end."""

    def __init__(self, data_dir: Path, *, url: str) -> None:
        self._record = data_dir / "supervisor.json"
        self._lock: IO[str] = (data_dir / "supervisor.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise AlreadyRunning(_who(self._record, data_dir)) from error
        self.leftovers = self._kill_leftovers()
        self.run_id = uuid.uuid4().hex
        write_private(self._record, json.dumps({"pid": os.getpid(), "run_id": self.run_id, "url": url}) + "\n")
        self._will = LastWill(self.run_id)

    def _kill_leftovers(self) -> int:
        run_id = _read(self._record).get("run_id")
        return processes.kill_marked(str(run_id)) if run_id else 0

    def release(self) -> None:
        """End what may be left, and let the next one in."""
        self._will.carry_out()
        self._record.unlink(missing_ok=True)
        self._lock.close()


def running_supervisor(data_dir: Path) -> int | None:
    """The pid of the supervisor that holds `data_dir`, if one does."""
    try:
        with (data_dir / "supervisor.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except OSError:
        pid = _read(data_dir / "supervisor.json").get("pid")
        return int(str(pid)) if pid else None
    return None


def _who(record: Path, data_dir: Path) -> str:
    told = _read(record)
    where = f" at {told['url']} (process {told['pid']})" if {"url", "pid"} <= told.keys() else ""
    return f"Model Manager already runs on {data_dir}{where}: end it first, or choose another DATA_DIR."


def _read(record: Path) -> dict[str, object]:
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
