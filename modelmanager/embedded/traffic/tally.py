"""What the traffic has done so far, counted by all its threads and told in lines."""

import threading
from collections import Counter, defaultdict


class Tally:
    """Thread-safe counts of calls, leases and refusals."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[tuple[str, str]] = Counter()
        self._failed: Counter[tuple[str, str]] = Counter()
        self._ms: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._leases = 0
        self._refused: Counter[str] = Counter()

    def lease(self) -> None:
        with self._lock:
            self._leases += 1

    def refusal(self, code: str) -> None:
        with self._lock:
            self._refused[code] += 1

    def call(self, system: str, model: str, *, took_ms: float, failed: bool) -> None:
        with self._lock:
            self._calls[system, model] += 1
            self._failed[system, model] += failed
            self._ms[system, model] += took_ms

    def line(self) -> str:
        """One line of progress."""
        with self._lock:
            told = f"{self._calls.total()} calls, {self._failed.total()} failed · {self._leases} leases"
            return told + self._refusals()

    def table(self) -> list[str]:
        """A line for each system and model, and one for all."""
        with self._lock:
            lines = [
                f"  {system:<12}{model:<18}{count:>5} calls  {self._failed[system, model]:>3} failed"
                f"  {self._ms[system, model] / count:>7.0f} ms each"
                for (system, model), count in sorted(self._calls.items())
            ]
            return [*lines, f"  {self._calls.total()} calls under {self._leases} leases{self._refusals()}"]

    def _refusals(self) -> str:
        told = ", ".join(f"{count} {code}" for code, count in self._refused.most_common())
        return f" · refused: {told}" if told else ""
