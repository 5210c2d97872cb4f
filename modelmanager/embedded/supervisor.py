"""Keeps programs running: restarts with back-off, ends all of them in time."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from modelmanager.embedded import processes
from modelmanager.embedded.child import Child, Program, how_it_ended
from modelmanager.embedded.console import Console

FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 5.0
STABLE_AFTER_S = 30.0  # a program that ran this long starts its back-off anew


@dataclass(slots=True)
class _Kept:
    """A program, its running child if any, and when it may be started again."""

    program: Program
    child: Child | None
    started: float
    delay_s: float = FIRST_DELAY_S
    due: float = 0.0


class Supervisor:
    """Runs programs side by side; everything happens in `look()`, called by one thread."""

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def start(self, program: Program) -> Child:
        """Run `program`; one of that name that ended for good is replaced."""
        child = Child(program, self._console)
        self._kept[program.name] = _Kept(program, child, self._clock())
        return child

    def is_running(self, name: str) -> bool:
        """Whether the main process of that program lives."""
        kept = self._kept.get(name)
        return kept is not None and kept.child is not None and kept.child.ended() is None

    def pids(self) -> dict[str, list[int]]:
        """Living processes by program, the main one first."""
        by_session = processes.sessions()
        return {name: _main_first(by_session, kept.child) for name, kept in self._kept.items()}

    def look(self) -> None:
        """Notice deaths, clear what a dead program left, start again what is due."""
        for kept in self._kept.values():
            if kept.child is not None and (status := kept.child.ended()) is not None:
                self._bury(kept, status)
            if kept.child is None and kept.program.restarts and self._clock() >= kept.due:
                kept.child, kept.started = Child(kept.program, self._console), self._clock()

    def _bury(self, kept: _Kept, status: int) -> None:
        assert kept.child is not None  # noqa: S101
        kept.child.kill()  # orphans of a killed main process would work on beside its successor
        kept.child = None
        if self._clock() - kept.started >= STABLE_AFTER_S:
            kept.delay_s = FIRST_DELAY_S
        kept.due = self._clock() + kept.delay_s
        again = f"starting it again in {kept.delay_s:g} s" if kept.program.restarts else kept.program.when_ended
        self._console.say(kept.program.name, f"ended ({how_it_ended(status)}); {again}.")
        kept.delay_s = min(kept.delay_s * 2, LONGEST_DELAY_S)

    def end(self, names: Iterable[str], *, at_once: Callable[[], bool] = lambda: False) -> None:
        """End the named programs together: SIGTERM, their grace, SIGKILL for what is left."""
        children = [kept.child for name in names if (kept := self._kept.pop(name, None)) and kept.child]
        for child in children:
            child.ask_to_end()
        asked = self._clock()
        while waiting := [child for child in children if child.ended() is None]:
            if at_once() or all(self._clock() - asked >= child.program.grace_s for child in waiting):
                break
            time.sleep(0.05)
        for child in children:
            child.kill()


def _main_first(by_session: Mapping[int, list[int]], child: Child | None) -> list[int]:
    if child is None:
        return []
    return sorted(by_session.get(child.pid, []), key=lambda pid: (pid != child.pid, pid))
