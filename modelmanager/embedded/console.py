"""What `make run` prints: one line per event, with the time and who speaks."""

import re
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import TextIO

LONGEST_LINE = 400
LOG_LINE = re.compile(r"^[\d-]{10}[ T][\d:,.]+ (?P<level>[A-Z]+) (?P<logger>[\w.-]+): (?P<message>.*)$")
GUNICORN_LINE = re.compile(r"^\[[^\]]+\] \[\d+\] \[(?P<level>[A-Z]+)\] (?P<message>.*)$")
TRITON_LINE = re.compile(r"^(?P<level>[IWEFV])\d{4} [\d:.]+ \d+ \S+\] ?(?P<message>.*)$")
EVENTS = "modelmanager.events"
SERIOUS = {"WARNING", "ERROR", "CRITICAL"}
NOT_SHOWN_OF_TRITON = (
    "CudaDriverHelper has not been initialized",  # no GPU here
    "Failed to initialize NVML",
    "Failed to create instance",  # a failed load is an event, with its reason
    "failed to load '",
)


class Console:
    """Lines for a person, from any thread; a closed pipe silences it instead of ending the product."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._lock = threading.Lock()

    def say(self, who: str, text: str) -> None:
        """One line: local time, who, what."""
        line = text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"
        self.show(f"{datetime.now().astimezone():%H:%M:%S} {who:<7} {line}")

    def show(self, text: str) -> None:
        """Text as it is, such as the box with the addresses."""
        with self._lock:
            try:
                self._out.write(text + "\n")
                self._out.flush()
            except (OSError, ValueError):
                pass


class Follower:
    """Chooses which lines of a program's log a person wants to see: events, warnings, errors, tracebacks.

    With `talks_to_people`, also every line that is no log record.
    """

    def __init__(self, *, talks_to_people: bool = False) -> None:
        self._talks_to_people = talks_to_people
        self._in_shown_record = False

    def worth_showing(self, line: str) -> str:
        """What to print of `line`, empty for nothing; the lines that continue a shown record follow it."""
        triton = TRITON_LINE.match(line)
        if triton:  # its records go on with tables and stack traces, which its log keeps
            return _of_triton(triton)
        record = LOG_LINE.match(line) or GUNICORN_LINE.match(line)
        if record is None:
            self._in_shown_record |= line.startswith("Traceback (most recent call last)")
            return line if self._in_shown_record or self._talks_to_people else ""
        level, message, logger = record["level"], record["message"], record.groupdict().get("logger")
        is_event = logger == EVENTS
        # Refusals are answers, not events: of the request log only what broke inside is shown.
        is_answer = logger == "django.request" and not message.startswith("Internal Server Error")
        self._in_shown_record = is_event or (level in SERIOUS and not is_answer)
        if not self._in_shown_record:
            return ""
        return message if is_event else f"{level}: {message}"


def _of_triton(record: re.Match[str]) -> str:
    not_shown = any(text in record["message"] for text in NOT_SHOWN_OF_TRITON)
    return "" if not_shown or record["level"] not in "EF" else f"ERROR: {record['message']}"


def rotate(log: Path, *, above_bytes: int = 10 * 1024 * 1024) -> None:
    """Keep one older log; called before a program starts writing."""
    if log.exists() and log.stat().st_size > above_bytes:
        log.replace(log.with_suffix(".log.1"))
