"""The one place where time comes from, so that tests can bring their own."""

import time
from datetime import datetime, timezone


class Clock:
    """The machine's time. `now` is aware, `monotonic` only measures, `sleep` waits; seconds throughout."""

    def now(self) -> datetime:
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def read_time(text: str) -> datetime:
    """A time as the manager writes it; Python 3.10 reads no `Z`."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
