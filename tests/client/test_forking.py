"""A server forks after the client was made and used: each process minds its own."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.conftest import Connect
from tests.client.fake_manager import FakeManager
from tests.embedded.waiting import wait_for

pytestmark = pytest.mark.filterwarnings("ignore:.*is multi-threaded:DeprecationWarning")  # Python 3.12 warns of it


def in_child(work: Callable[[], object]) -> int:
    """Do something in a fork of this process; its exit status, negative when it was stuck for 20 s."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_child_reports_on_its_own(connect: Connect, fake: FakeManager) -> None:
    manager = connect()
    with manager.lease("rag-chat"):
        manager.report("rag-chat", latency_ms=1)

        def work() -> None:
            manager.report("rag-chat", latency_ms=2)
            assert manager.flush()

        assert in_child(work) == 0
        assert sorted(record["latency_ms"] for record in fake.stored.values()) == [2]
        manager.report("rag-chat", latency_ms=3)
    assert manager.flush()
    assert sorted(record["latency_ms"] for record in fake.stored.values()) == [1, 2, 3]


def test_a_child_sends_in_the_background(connect: Connect, fake: FakeManager) -> None:
    manager = connect(send_every_s=0.05)
    manager.report("rag-chat", latency_ms=1)

    def work() -> None:
        manager.report("rag-chat", latency_ms=2)
        wait_for(lambda: manager.counts.accepted, what="the child's thread to send")

    assert in_child(work) == 0
    wait_for(lambda: len(fake.stored) == 2, what="both records")


def test_a_child_that_leaves_the_block_releases_nothing(connect: Connect, fake: FakeManager) -> None:
    with connect().lease("rag-chat") as model:
        assert in_child(model.release) == 0
        assert fake.bodies("/release/") == []
        assert fake.leases[1]["closed_at"] is None
    assert fake.leases[1]["closed_at"] is not None


def test_a_living_child_keeps_no_file_of_its_dead_parent(connect: Connect, fake: FakeManager, tmp_path: Path) -> None:
    """A file lock belongs to all copies of a descriptor: the child has to close its own."""
    manager = connect()
    manager.report("rag-chat", latency_ms=1)
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    try:
        os.close(manager._spool._file)  # as the kernel does for a process that is killed
        wait_for(lambda: connect().flush() and len(fake.stored) == 1, what="the record of the dead")
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        manager._spool._held.clear()
        manager._spool._file = -1


@pytest.mark.slow
def test_a_child_forked_while_others_report_is_not_stuck(connect: Connect, fake: FakeManager) -> None:
    """Whoever held a lock at that moment does not live in the child."""
    manager, over = connect(send_every_s=0.01), threading.Event()

    def work() -> None:
        while not over.is_set():
            manager.report("rag-chat", latency_ms=1)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        statuses = [in_child(lambda: manager.report("bge-reranker", latency_ms=2)) for _ in range(20)]
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert statuses == [0] * 20
    assert manager.flush()
    assert sum(record["model"] == "bge-reranker" for record in fake.stored.values()) == 20
