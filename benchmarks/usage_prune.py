"""Reporting usage while a million old records are pruned, beside reporting alone."""

import argparse
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import command, report
from benchmarks.callers import Timings, measure
from benchmarks.report import Aim, percentile
from benchmarks.stage import ROOT, Stage, StageFailed, running, stage
from benchmarks.usage import Report, arrange
from benchmarks.usage_generate import store

RETENTION_DAYS = 30
AIM = Aim(2.0, "× alone")


def old_and_new(records: int) -> None:
    """So many records behind the retention, and as many within it."""
    at = datetime.now(UTC)
    kept_since = at - timedelta(days=RETENTION_DAYS + 1)
    store(records, kept_since - timedelta(days=30), kept_since)
    store(records, at - timedelta(days=RETENTION_DAYS - 1), at - timedelta(hours=1))


def count() -> int:
    from usage.models import UsageRecord

    return UsageRecord.objects.filter(event_id__startswith="0").count()


def main(asked: argparse.Namespace) -> None:
    if not command.is_mariadb_asked(asked):
        return
    with stage("mariadb", mariadb=asked.mariadb) as made:
        made.run(arrange)
        made.run(old_and_new, asked.records)
        _measure_on(made, asked)


def _measure_on(made: Stage, asked: argparse.Namespace) -> None:
    key = made.client_key()
    setting = {"USAGE_RETENTION_DAYS": str(RETENTION_DAYS)}
    with made.web(**setting) as web:
        work = Report(web.url, key, asked.batch)
        alone = [measure(work, callers=asked.callers, seconds=asked.seconds)]
        before, began = made.run(count), time.monotonic()
        beside = _while_pruning(made, work, setting, asked)
        removed, took = before - made.run(count), time.monotonic() - began
        alone.append(measure(work, callers=asked.callers, seconds=asked.seconds))
    rows = []
    for name, timings in (("alone", alone), ("while records are pruned", beside)):
        ms = [value for one in timings for value in one.ms]
        per_s = asked.batch * sum(one.per_s for one in timings) / len(timings)
        rows.append([name, percentile(ms, 0.5), percentile(ms, 0.99), per_s, len(ms), ""])
    rows[1][-1] = AIM.verdict(float(rows[1][2]) / float(rows[0][2]))
    title = (
        f"Usage reports on {made.name}, {asked.callers} callers, batches of {asked.batch}, while {removed:,} records "
        f"were pruned in {took:.0f} s ({removed / took:.0f} a second)"
    )
    report.table(title, ["", "batch p50 ms", "batch p99 ms", "records/s", "batches", "p99"], rows)


def _while_pruning(made: Stage, work: Report, setting: dict[str, str], asked: argparse.Namespace) -> list[Timings]:
    """What reporting took while the command ran, block by block; the last block may outlast it."""
    argv = [sys.executable, str(ROOT / "manage.py"), "prune_usage"]
    found: list[Timings] = []
    with running(argv, env=made.env | setting, log=Path(made.folder) / "prune.log") as process:
        while process.poll() is None:
            found.append(measure(work, callers=asked.callers, seconds=asked.seconds))
        if process.returncode:
            raise StageFailed((Path(made.folder) / "prune.log").read_text()[-2000:])
    return found


if __name__ == "__main__":
    arguments = command.parser(__doc__)
    arguments.add_argument("--records", type=int, default=1_000_000, help="how many are pruned")
    arguments.add_argument("--batch", type=int, default=500, help="records in a request")
    arguments.add_argument("--callers", type=int, default=2, help="callers side by side")
    arguments.add_argument("--seconds", type=float, default=10.0, help="length of one block of requests")
    command.run(main, arguments)
