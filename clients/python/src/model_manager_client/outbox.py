"""Sends what the spool holds: in batches, again and again until the manager has it."""

import logging
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from model_manager_client.api import LONGEST_PAUSE_S, Api, pauses
from model_manager_client.clock import Clock
from model_manager_client.errors import Invalid, ModelManagerError, Refused
from model_manager_client.forking import after_fork
from model_manager_client.records import Record
from model_manager_client.spool import Segment, Spool, append_line

logger = logging.getLogger("model_manager_client")

REJECTED = "rejected.jsonl"
REJECTED_MAX_BYTES = 4 * 1024 * 1024
REMEMBERED = 10_000
# What the manager says of the records themselves; everything else is tried again.
THEIR_FAULT = (400, 413, 422)


@dataclass
class Counts:
    """What became of records in this process: `accepted` and `duplicates` as the manager told."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0  # put aside in `rejected.jsonl`
    lost: int = 0  # by a full disk or the spool's limit


class Outbox:
    """Takes records, and sends them from a thread that is started by the first of them."""

    _thread: threading.Thread | None
    _wake: SimpleQueue[None]

    def __init__(self, api: Api, spool: Spool, *, send_every_s: float, clock: Clock) -> None:
        self.counts = Counts()
        self._api, self._spool, self._send_every_s, self._clock = api, spool, send_every_s, clock
        self._settled: dict[str, None] = {}
        self._start_anew()
        after_fork(self._start_anew)

    def put(self, record: Record) -> None:
        """Keep a record until the manager has it. Never raises for a disk: what cannot be kept is logged."""
        try:
            self._note_lost(self._spool.append(record), "the spool is full: the oldest gave way")
        except OSError as error:
            self._note_lost(1, f"the spool cannot be written: {error}")
        self.start()
        if self._spool.is_full:
            self._wake.put(None)

    def start(self) -> None:
        """Send in the background from now on; also what earlier processes left."""
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, name="model-manager-usage", daemon=True)
                self._thread.start()

    def unsettled(self, records: Iterable[Record]) -> list[Record]:
        """Those that the manager is not known to have."""
        return [record for record in records if record["event_id"] not in self._settled]

    def settle(self, records: Iterable[Record]) -> None:
        """Note that the manager has these: they are not sent (again)."""
        for record in records:
            self._settled[record["event_id"]] = None
        while len(self._settled) > REMEMBERED:  # a forgotten one is sent twice and counts once
            self._settled.pop(next(iter(self._settled)), None)

    def flush(self, *, timeout_s: float) -> bool:
        """Send now; whether all is sent that no other process is about to send.

        Takes at most `timeout_s` and the time-out of one request.
        """
        ends = self._clock.monotonic() + timeout_s
        while True:
            failure = self._send_all()
            if failure is None:
                return True
            pause = failure.retry_after_s or 0.2
            if self._clock.monotonic() + pause >= ends:
                return False
            self._clock.sleep(pause)

    def close(self, *, timeout_s: float) -> bool:
        """Flush, and end the thread; what could not be sent stays in the spool."""
        self._closed.set()
        self._wake.put(None)
        return self.flush(timeout_s=timeout_s)

    def _run(self) -> None:
        usual = pauses()
        self._sleep()
        while not self._closed.is_set():
            failure = self._send_all()
            if failure is None:
                usual = pauses()
                self._sleep()
            else:  # a file that fills meanwhile is no reason to ask sooner
                pause = max(next(usual), min(failure.retry_after_s or 0.0, LONGEST_PAUSE_S))
                logger.info("Usage waits %.1f s in %s: %s", pause, self._spool.folder, failure)
                self._closed.wait(pause)

    def _sleep(self) -> None:
        """Until a file is full, or it is time."""
        with suppress(Empty):
            self._wake.get(timeout=self._send_every_s)
        with suppress(Empty):
            while True:
                self._wake.get_nowait()

    def _send_all(self) -> ModelManagerError | None:
        """One try at everything; what stopped it, or None. One thread at a time."""
        with self._sending:
            try:
                self._spool.seal()
                with closing(self._spool.segments()) as segments:
                    for segment in segments:
                        self._send(segment)
            except ModelManagerError as failure:
                return failure
            except Exception as error:
                logger.exception("Usage could not be sent; it stays in %s.", self._spool.folder)
                return ModelManagerError(str(error))
            return None

    def _send(self, segment: Segment) -> None:
        """Until the manager has every record of it, or has refused it for its own sake."""
        for line in segment.torn:
            self._reject({"line": line}, "torn: not a whole record")
        waiting: list[Sequence[Record]] = [self.unsettled(segment.records)]
        while waiting:
            batch = waiting.pop()
            if not batch:
                continue
            try:
                self._post(batch)
            except Refused as refusal:
                if refusal.status not in THEIR_FAULT:
                    raise
                waiting += self._put_aside(segment, batch, refusal)
        segment.delete()

    def _post(self, batch: Sequence[Record]) -> None:
        answer = self._api.post("/usage/records/", batch)
        self.settle(batch)
        self.counts.accepted += int(answer.get("accepted", 0))
        self.counts.duplicates += int(answer.get("duplicates", 0))

    def _put_aside(self, segment: Segment, batch: Sequence[Record], refusal: Refused) -> list[Sequence[Record]]:
        """Take the refused ones out; what is to be sent next. Halves find the one that no index names."""
        named = refusal.by_index() if isinstance(refusal, Invalid) else {}
        faults = {index: reason for index, reason in named.items() if index < len(batch)}
        if not faults and len(batch) > 1:
            middle = len(batch) // 2
            return [batch[middle:], batch[:middle]]
        if not faults:
            self._refuse_when_all_is_refused()
            faults = {0: str(refusal)}
        for index, reason in faults.items():
            self._reject(batch[index], reason)
        segment.drop({batch[index]["event_id"] for index in faults})
        return [[record for index, record in enumerate(batch) if index not in faults]]

    def _refuse_when_all_is_refused(self) -> None:
        """Raise Refused where even no records at all are: a wrong host, a proxy between; that is no record's fault."""
        self._api.post("/usage/records/", [])

    def _reject(self, record: Record, reason: str) -> None:
        logger.warning("A usage record was refused and put aside: %s", reason)
        self.counts.rejected += 1
        path = self._spool.folder / REJECTED
        if path.exists() and path.stat().st_size > REJECTED_MAX_BYTES:
            path.replace(_older(path))
        append_line(path, {"at": self._clock.now().isoformat(), "reason": reason, "record": record})

    def _note_lost(self, count: int, reason: str) -> None:
        if count:
            self.counts.lost += count
            logger.error("%d usage records are lost: %s", count, reason)

    def _start_anew(self) -> None:
        """Locks and a thread for this process; a child has none of its parent's."""
        self._lock, self._sending = threading.Lock(), threading.Lock()
        # A queue, since Ctrl-C may come while it is told: an Event's lock would then stay taken.
        self._wake, self._closed = SimpleQueue(), threading.Event()
        self._thread = None


def _older(path: Path) -> Path:
    return path.with_name(f"older-{path.name}")
