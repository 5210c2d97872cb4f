"""One GPU's memory, simulated: models book their size in a file of the model repository.

Runs inside Triton's Python backend. A booking counts while its model's process and its server live,
so that a killed Triton gives its memory back as a real one does.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]  # this file is copied into every NAME/1
SETTINGS = REPOSITORY / "gpu.json"  # {"budget_mb": …, "time_scale": …}
BOOKINGS = REPOSITORY / "bookings.json"
LOCK = REPOSITORY / "bookings.lock"


class SimulatedModel:
    """Base of the demo models: takes its declared memory and time to load, gives the memory back at the end."""

    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        self.name = args["model_name"]
        self.parameters = {key: value["string_value"] for key, value in config.get("parameters", {}).items()}
        book(self.name, int(self.parameters["gpu_memory_mb"]))
        try:
            time.sleep(float(self.parameters["load_s"]) * settings()["time_scale"])
            self.prepare()
        except BaseException:
            release()
            raise

    def prepare(self) -> None:
        """What the model needs beyond its memory."""

    def finalize(self) -> None:
        release()


def settings() -> dict[str, float]:
    return json.loads(SETTINGS.read_text())


def book(model: str, size_mb: int) -> None:
    """Take memory for this process, or fail as CUDA does."""
    with _bookings() as bookings:
        budget_mb = settings()["budget_mb"]
        free_mb = budget_mb - sum(booking["size_mb"] for booking in bookings)
        if size_mb > free_mb:
            raise RuntimeError(
                f"CUDA out of memory. Tried to allocate {size_mb} MiB. GPU 0 has a total capacity of "
                f"{budget_mb} MiB of which {free_mb} MiB is free."
            )
        bookings.append(
            {"model": model, "size_mb": size_mb, "process": _identity(os.getpid()), "server": _identity(os.getppid())}
        )


def release() -> None:
    """Give this process's memory back."""
    ours = _identity(os.getpid())
    with _bookings() as bookings:
        bookings[:] = [booking for booking in bookings if booking["process"] != ours]


@contextmanager
def _bookings() -> Iterator[list[dict[str, Any]]]:
    """The bookings that count, locked against other models; what the caller makes of them is stored."""
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            kept = json.loads(BOOKINGS.read_text())
        except (FileNotFoundError, ValueError):
            kept = []
        kept = [booking for booking in kept if _lives(booking["process"]) and _lives(booking["server"])]
        yield kept
        draft = BOOKINGS.with_suffix(".draft")
        draft.write_text(json.dumps(kept))
        draft.replace(BOOKINGS)


def _identity(pid: int) -> list[Any]:
    """A process's pid and start time: pids are used again."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return [pid, None]
    return [pid, None if fields[0] in "ZX" else fields[19]]


def _lives(identity: list[Any]) -> bool:
    return identity[1] is not None and _identity(identity[0]) == identity
