"""No record is lost: not by a manager that is away, not by a process that dies; and none counts twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.client.conftest import Connect
from tests.client.fake_manager import KEY, FakeManager
from tests.embedded.waiting import wait_for

REPORTER = Path(__file__).with_name("reporter.py")


def waiting(folder: Path) -> list[Path]:
    return sorted(folder.glob("usage-*.jsonl"))


def kept_ids(folder: Path) -> list[str]:
    return [json.loads(line)["event_id"] for path in waiting(folder) for line in path.read_text().splitlines()]


def rejected(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "rejected.jsonl").read_text().splitlines()]


def reporter(fake: FakeManager, folder: Path, *options: str) -> "subprocess.Popen[str]":
    """A process of its own that reports, and prints each id once `report` has returned."""
    argv = [sys.executable, str(REPORTER), fake.url, KEY, str(folder), *options]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def test_a_manager_that_is_away_gets_everything_later(connect: Connect, tmp_path: Path) -> None:
    fake = FakeManager()
    with fake.serving():
        pass
    manager = connect(url=fake.url)
    ids = [manager.report("rag-chat", latency_ms=number) for number in range(700)]
    assert not manager.flush(timeout_s=0)
    assert kept_ids(tmp_path / "spool") == ids
    with fake.serving():
        assert manager.flush()
    assert list(fake.stored) == ids
    assert waiting(tmp_path / "spool") == []


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503])
def test_nothing_is_given_up_for_an_answer_that_is_not_about_the_records(
    connect: Connect, fake: FakeManager, status: int
) -> None:
    manager = connect()
    manager.report("rag-chat", latency_ms=1)
    fake.refuse("/usage/records/", status, "")
    assert not manager.flush(timeout_s=0)
    assert manager.flush()
    assert (len(fake.stored), manager.counts.rejected) == (1, 0)


def test_an_answer_that_is_lost_counts_once(connect: Connect, fake: FakeManager) -> None:
    manager = connect()
    manager.report("rag-chat", latency_ms=1)
    fake.answers_usage = False
    assert not manager.flush(timeout_s=0)
    assert len(fake.stored) == 1
    fake.answers_usage = True
    assert manager.flush()
    assert (manager.counts.accepted, manager.counts.duplicates) == (0, 1)


def test_poison_is_put_aside_with_the_reason_and_blocks_nothing(
    connect: Connect, fake: FakeManager, tmp_path: Path
) -> None:
    manager = connect()
    for number in range(10):
        manager.report("nobody" if number in (3, 7) else "rag-chat", latency_ms=number)
    assert manager.flush()
    assert sorted(record["latency_ms"] for record in fake.stored.values()) == [0, 1, 2, 4, 5, 6, 8, 9]
    aside = rejected(tmp_path / "spool")
    assert [entry["record"]["latency_ms"] for entry in aside] == [3, 7]
    assert aside[0]["reason"] == "3.model: No such model."
    assert manager.counts.rejected == 2
    assert waiting(tmp_path / "spool") == []


def test_poison_that_no_index_names_is_found_by_halves(connect: Connect, fake: FakeManager, tmp_path: Path) -> None:
    fake.names_indexes = False
    manager = connect()
    for number in range(100):
        manager.report("nobody" if number == 61 else "rag-chat", latency_ms=number)
    assert manager.flush()
    assert len(fake.stored) == 99
    assert [entry["record"]["latency_ms"] for entry in rejected(tmp_path / "spool")] == [61]
    assert len(fake.bodies("/usage/records/")) < 20


def test_poison_is_put_aside_once_although_the_rest_has_to_wait(
    connect: Connect, fake: FakeManager, tmp_path: Path
) -> None:
    manager = connect()
    manager.report("nobody", latency_ms=1)
    manager.report("rag-chat", latency_ms=2)
    errors = [{"field": "0.model", "code": "unknown", "detail": "No such model."}]
    fake.refuse("/usage/records/", 400, "invalid", errors=errors)
    fake.refuse("/usage/records/", 503, "database_unavailable")
    assert not manager.flush(timeout_s=0)
    assert manager.flush()
    assert len(rejected(tmp_path / "spool")) == 1
    assert len(fake.stored) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_where_everything_is_refused_no_record_is_at_fault(
    connect: Connect, fake: FakeManager, tmp_path: Path, status: int
) -> None:
    """As by a manager that does not know its own address, or by a proxy before it."""
    manager = connect()
    for number in range(9):
        manager.report("rag-chat", latency_ms=number)
    for _answer in range(100):
        fake.refuse("/usage/records/", status, "malformed")
    assert not manager.flush(timeout_s=0)
    fake.faults.clear()
    assert manager.flush()
    assert (len(fake.stored), manager.counts.rejected) == (9, 0)
    assert not (tmp_path / "spool" / "rejected.jsonl").exists()


def test_texts_may_hold_what_ends_a_line_elsewhere(connect: Connect, fake: FakeManager) -> None:
    manager = connect()
    codes = [f"a{character}b" for character in "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\r\n"]
    for code in codes:
        manager.report("rag-chat", latency_ms=1, outcome="error", error_code=code)
    assert manager.flush()
    assert [record["error_code"] for record in fake.stored.values()] == codes
    assert manager.counts.rejected == 0


def test_a_torn_line_is_put_aside(connect: Connect, fake: FakeManager, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    whole = json.dumps({"event_id": "a", "model": "rag-chat"})
    (folder / "usage-20261125T000000000000-0.jsonl").write_text(f'{whole}\n{{"event_id": "b", "mod')
    assert connect().flush()
    assert list(fake.stored) == ["a"]
    assert rejected(folder)[0]["record"] == {"line": '{"event_id": "b", "mod'}


def test_a_full_spool_lets_the_oldest_go(connect: Connect, tmp_path: Path) -> None:
    fake = FakeManager()
    with fake.serving():
        pass
    manager = connect(url=fake.url, max_spool_mb=0.5)
    manager.close(timeout_s=0)  # nothing is sent, and no file held, from here on
    ids = [manager.report("rag-chat", latency_ms=number) for number in range(6000)]
    kept = kept_ids(tmp_path / "spool")
    assert kept == ids[-len(kept) :]
    assert manager.counts.lost == len(ids) - len(kept) > 0
    size = sum(path.stat().st_size for path in waiting(tmp_path / "spool"))
    assert 0.3 < size / 2**20 < 0.5 + 0.15  # at most one file more


def test_a_disk_that_cannot_be_written_is_no_fault_of_the_caller(
    connect: Connect, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "spool").write_text("no folder")
    manager = connect()
    assert manager.report("rag-chat", latency_ms=1)
    assert manager.counts.lost == 1
    assert "the spool cannot be written" in caplog.text


def test_a_killed_process_loses_nothing_it_had_reported(connect: Connect, fake: FakeManager, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    with reporter(fake, folder, "--send-every-s", "0.02") as process:
        wait_for(lambda: len(fake.stored) > 500, within_s=40, what="a burst to be under way")
        process.send_signal(signal.SIGKILL)
        told = (process.communicate()[0]).split("\n")[:-1]
    assert len(told) > 500
    assert connect().flush()
    assert set(told) <= set(fake.stored)
    assert waiting(folder) == []


def test_processes_share_a_folder_and_send_what_the_dead_left(
    connect: Connect, fake: FakeManager, tmp_path: Path
) -> None:
    folder = tmp_path / "spool"
    processes = [reporter(fake, folder, "--send-every-s", "0.05") for _ in range(3)]
    wait_for(lambda: len(fake.stored) > 300, within_s=40, what="a burst to be under way")
    processes[0].send_signal(signal.SIGKILL)
    told = [line for one in processes[:1] for line in one.communicate()[0].split("\n")[:-1]]
    wait_for(lambda: set(told) <= set(fake.stored), within_s=40, what="the living to send what the dead had left")
    for process in processes[1:]:
        process.send_signal(signal.SIGINT)
        told += process.communicate(timeout=60)[0].split()
    assert connect().flush()
    assert set(told) <= set(fake.stored)
    assert len(fake.stored) <= len(told) + 3  # each was ended perhaps between reporting and telling so


def test_a_file_that_a_living_process_writes_is_left_to_it(connect: Connect, fake: FakeManager, tmp_path: Path) -> None:
    writer, other = connect(), connect()
    first = writer.report("rag-chat", latency_ms=1)
    assert other.flush()
    second = writer.report("rag-chat", latency_ms=2)
    assert kept_ids(tmp_path / "spool") == [first, second]
    assert fake.stored == {}
    assert writer.flush()
    assert set(fake.stored) == {first, second}


def test_an_ended_process_waits_for_no_thread_of_ours(fake: FakeManager, tmp_path: Path) -> None:
    fake.ttl_s = 2
    began = time.monotonic()
    with reporter(fake, tmp_path / "spool", "--leave-open", "--send-every-s", "60") as process:
        told = process.communicate()[0].split()
    assert time.monotonic() - began < 10
    assert process.returncode == 0
    assert kept_ids(tmp_path / "spool") == told
    assert len(told) == 1
