"""What a person asks of the running supervisor, by signals."""

import os
import select
import signal
import time
from types import FrameType


class Wishes:
    """Handlers only count; the supervisor's loop acts. Nothing here can interrupt a half-done step."""

    def __init__(self) -> None:
        self.stops = 0
        self.triton = False
        self._terminal = select.poll()

    def listen(self) -> None:
        """SIGINT, SIGTERM, SIGHUP or a closed terminal: end (twice: at once). SIGUSR1: start Triton again.

        Under nohup a closed terminal is no reason to end.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._stop)
            self._watch_terminal()
        signal.signal(signal.SIGUSR1, self._start_triton)

    def _watch_terminal(self) -> None:
        # The kernel tells the session's leader only; where that is `make`, it waits for us and tells nobody.
        for descriptor in range(3):
            if os.isatty(descriptor):
                self._terminal.register(descriptor, 0)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stops += 1

    def _start_triton(self, number: int, frame: FrameType | None) -> None:
        self.triton = True

    @property
    def stop(self) -> bool:
        """Whether to end."""
        return self.stops > 0 or bool(self._terminal.poll(0))

    @property
    def at_once(self) -> bool:
        """Whether to end without waiting for anybody."""
        return self.stops > 1

    def pause(self, seconds: float) -> None:
        """Sleep, but not past a wish to end."""
        until = time.monotonic() + seconds
        while not self.stop and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
