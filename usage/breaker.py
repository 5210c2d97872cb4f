"""A circuit breaker per server: a hung provider costs each web process one time-out, not one a request."""

import threading
import time

from models_registry.providers.errors import ProviderUnavailable

FAILURES = 3
REST_S = 2.0

_lock = threading.Lock()
_failures: dict[int, tuple[int, float]] = {}


def refuse_if_open(provider_id: int) -> None:
    """Raise ProviderUnavailable while three misses in a row lie less than two seconds back."""
    failures, last = _failures.get(provider_id, (0, 0.0))
    if failures >= FAILURES and time.monotonic() - last < REST_S:
        raise ProviderUnavailable("it did not answer the last calls either")


def note_answer(provider_id: int) -> None:
    """The provider answered: the circuit is closed."""
    if provider_id in _failures:
        with _lock:
            _failures.pop(provider_id, None)


def note_miss(provider_id: int) -> None:
    """The provider did not answer."""
    with _lock:
        failures, _last = _failures.get(provider_id, (0, 0.0))
        _failures[provider_id] = (failures + 1, time.monotonic())
