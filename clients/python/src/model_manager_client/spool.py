"""Records on disk until the manager has them: a folder of small append-only files.

A file holds at most 500 records and is one request. Its writer holds an exclusive `flock` on it while it may
still grow; the kernel takes that away when the process ends, however it ends. So *unlocked* means *to be sent, by
whoever locks it first*: this process, another one that shares the folder, or the next one after a crash. It is
deleted once the manager has answered 200. Dying between the two sends it again, and the ids make it count once.
"""

import errno
import fcntl
import json
import os
import threading
import uuid
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from model_manager_client.clock import Clock
from model_manager_client.forking import after_fork
from model_manager_client.records import Record

PATTERN = "usage-*.jsonl"
BATCH = 500


class Segment:
    """One file that nobody writes any more, locked by us."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records, self.torn = _read(path)

    def drop(self, event_ids: Collection[str]) -> None:
        """Keep the file without these, so that they are not sent again."""
        self.records = [record for record in self.records if record["event_id"] not in event_ids]
        draft = self.path.with_name(f".{self.path.name}.draft")
        draft.write_bytes(b"".join(map(_line, self.records)))
        draft.replace(self.path)  # without a lock from here on: at worst somebody sends it beside us

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)


class Spool:
    """The folder, made when it is first written to.

    `append` hands each record to the kernel before it returns: the process may die in any way and loses none.
    A file is `fsync`ed when it is closed, with `fsync_each` at every record: only that survives a power cut.
    Beyond `max_bytes` the oldest file gives way; `append` and `seal` return how many records were lost by that.
    """

    def __init__(self, folder: Path, *, max_bytes: int, fsync_each: bool, clock: Clock) -> None:
        self.folder = folder
        self._max_bytes, self._fsync_each, self._clock = max_bytes, fsync_each, clock
        self._lock = threading.Lock()
        self._file, self._count = -1, 0
        self._held: set[int] = set()
        after_fork(self._leave_it_to_the_parent)

    def append(self, record: Record) -> int:
        """Keep one record; how many old ones gave way for it. Raises OSError, having written nothing."""
        line = _line(record)
        with self._lock:
            lost = 0
            if self._file < 0:
                lost = self._make_room(len(line))
                self._begin()
            _write_whole(self._file, line)
            if self._fsync_each:
                os.fsync(self._file)
            self._count += 1
            if self.is_full:
                self._close()
            return lost

    @property
    def is_full(self) -> bool:
        """Whether the record just appended has filled a file, which can be sent now."""
        return self._count >= BATCH

    def seal(self) -> None:
        """Close the file being written, so that it can be sent."""
        with self._lock:
            if self._file >= 0:
                self._close()

    def segments(self) -> Generator[Segment, None, None]:
        """Every file that nobody writes or sends, oldest first, locked while it is yielded."""
        for path in self.paths():
            with self._locked(path) as is_ours:
                if is_ours:
                    yield Segment(path)

    def paths(self) -> list[Path]:
        """All files of the folder that hold records, oldest first."""
        return sorted(self.folder.glob(PATTERN))

    def _begin(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"usage-{self._clock.now():%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}.jsonl"
        hidden = self.folder / f".{name}"  # until it is locked: an unlocked file may be sent and deleted
        file = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        hidden.rename(self.folder / name)
        self._file, self._count = file, 0
        self._held.add(file)

    def _close(self) -> None:
        with suppress(OSError):  # a full disk; what is written is sent all the same
            os.fsync(self._file)
            _fsync_folder(self.folder)
        self._let_go(self._file)
        self._file = -1

    @contextmanager
    def _locked(self, path: Path) -> Iterator[bool]:
        """Whether it is ours now: not when somebody holds it, or had finished with it as we took it."""
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            yield False
            return
        self._held.add(file)
        try:
            yield _lock(file) and os.fstat(file).st_nlink > 0
        finally:
            self._let_go(file)

    def _let_go(self, file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)  # closing alone would leave it to a child that has a copy
        self._held.discard(file)
        os.close(file)

    def _make_room(self, size: int) -> int:
        lost = 0
        sizes = {path: _size(path) for path in self.paths()}
        for path in list(sizes):
            if sum(sizes.values()) + size <= self._max_bytes:
                break
            with self._locked(path) as is_ours:
                if is_ours:
                    lost += len(Segment(path).records)
                    path.unlink(missing_ok=True)
                    del sizes[path]
        return lost

    def _leave_it_to_the_parent(self) -> None:
        for file in self._held:
            os.close(file)
        self._held, self._file, self._count = set(), -1, 0
        self._lock = threading.Lock()


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def append_line(path: Path, record: Record) -> None:
    """Add one line to a file that several processes may write."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        _write_whole(file, _line(record))
    finally:
        os.close(file)


def _line(record: Record) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _write_whole(file: int, line: bytes) -> None:
    before = os.fstat(file).st_size
    if os.write(file, line) != len(line):
        os.ftruncate(file, before)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _read(path: Path) -> tuple[list[Record], list[str]]:
    """`(records, lines that are none)`: a power cut can tear the last line."""
    records, torn = [], []
    # By the one character that JSON never holds as it is: texts may hold others that end a line elsewhere.
    for line in filter(None, path.read_bytes().decode("utf-8", "replace").split("\n")):
        try:
            record = json.loads(line)
            records.append({"event_id": str(record["event_id"]), **record})
        except (ValueError, TypeError, KeyError):
            torn.append(line)
    return records, torn


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
