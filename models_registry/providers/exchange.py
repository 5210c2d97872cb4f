"""One question to an API provider: when it has to end, how much it may hold, and whom it is asked of."""

import socket
import threading
import time
from typing import Any

from models_registry.providers.errors import Outcome, ProviderUnavailable

ANSWER_LIMIT = 8 * 1024 * 1024


class Exchange:
    """The deadline and the size of the question that is being asked: both hold for the whole of it."""

    def __init__(self) -> None:
        self._ends_at = 0.0
        self._bytes_left = 0

    def begin(self, seconds: float) -> None:
        """Start the clock of a new question."""
        self._ends_at = time.monotonic() + seconds
        self._bytes_left = ANSWER_LIMIT

    def left_s(self) -> float:
        """The time left. Raises TimeoutError when there is none."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        return left

    def count(self, received: bytes) -> bytes:
        """Pass on what was received. Raises ProviderUnavailable when it is too much."""
        self._bytes_left -= len(received)
        if self._bytes_left < 0:
            raise ProviderUnavailable("the answer is too long", outcome=Outcome.PROVIDER_DOWN)
        return received


def resolve(host: str, port: int, *, within_s: float) -> list[str]:
    """The IP addresses of a host. Raises OSError, and TimeoutError: the system's look-up knows no deadline."""
    found: list[Any] = []

    def look_up() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(within_s)
    if not found:
        raise TimeoutError("the name could not be looked up in time")
    if isinstance(found[0], Exception):
        raise socket.gaierror("host name not found") from found[0]
    return list(dict.fromkeys(str(entry[4][0]) for entry in found[0]))
