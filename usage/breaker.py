"""A circuit breaker per server: one that hangs costs each web process one time-out, not one a request."""

import threading
import time

from models_registry.providers.errors import ProviderUnavailable

FAILURES = 3
REST_S = 2.0

_lock = threading.Lock()
# By provider: misses in a row, and when it may be asked again.
_circuits: dict[int, tuple[int, float]] = {}


def refuse_if_open(provider_id: int) -> None:
    """Raise ProviderUnavailable while a provider that did not answer rests; after that one caller may try it.

    Three misses in a row open the circuit, or one that took its whole time-out.
    """
    if provider_id not in _circuits:
        return
    with _lock:
        misses, asked_again_at = _circuits.get(provider_id, (0, 0.0))
        if misses < FAILURES:
            return
        if time.monotonic() < asked_again_at:
            raise ProviderUnavailable("it did not answer the last calls either")
        _circuits[provider_id] = (misses, time.monotonic() + REST_S)


def note_answer(provider_id: int) -> None:
    """The provider answered: the circuit is closed."""
    if provider_id in _circuits:
        with _lock:
            _circuits.pop(provider_id, None)


def note_miss(provider_id: int, *, hung: bool = False) -> None:
    """The provider did not answer; `hung`: not within its time-out either."""
    with _lock:
        misses, _asked_again_at = _circuits.get(provider_id, (0, 0.0))
        _circuits[provider_id] = (misses + (FAILURES if hung else 1), time.monotonic() + REST_S)


def forget() -> None:
    """Close every circuit, for tests."""
    with _lock:
        _circuits.clear()
