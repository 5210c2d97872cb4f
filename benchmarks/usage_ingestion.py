"""Reporting usage over HTTP in batches on one web process, beside `executemany` of the same rows."""

import argparse

from benchmarks import command, report
from benchmarks.callers import Timings, measure
from benchmarks.report import Aim, percentile
from benchmarks.stage import Stage
from benchmarks.usage import Report, arrange, bytes_per_record, insert_raw

AIMS = {"MariaDB": Aim(5000, "/s", at_least=True)}
OF_RAW = Aim(1 / 3, "of raw", at_least=True)
ON_DISK = Aim(500, "bytes")


def main(asked: argparse.Namespace) -> None:
    for stage in command.each_stage(asked):
        _measure_on(stage, asked)


def _measure_on(stage: Stage, asked: argparse.Namespace) -> None:
    stage.run(arrange)
    key = stage.client_key()
    numbers = [int(number) for number in asked.callers.split(",")]
    sent: dict[int, list[Timings]] = {number: [] for number in numbers}
    raw: list[float] = []
    cpu_s = dict.fromkeys(numbers, 0.0)
    with stage.web(WEB_THREADS=str(asked.threads)) as web:
        for _round in range(asked.rounds):  # in turns, so that what else the machine does meets all alike
            raw += stage.run(insert_raw, asked.raw_batches, asked.batch)
            for number in numbers:
                before = web.cpu_s()
                work = Report(web.url, key, asked.batch)
                sent[number].append(measure(work, callers=number, seconds=asked.seconds))
                cpu_s[number] += web.cpu_s() - before
    raw_per_s = asked.batch * len(raw) / (sum(raw) / 1000)
    rows: list[tuple[object, ...]] = [
        ("executemany of the same rows", 1, percentile(raw, 0.5), percentile(raw, 0.99), raw_per_s, len(raw), "", "")
    ]
    for number, timings in sent.items():
        ms = [value for one in timings for value in one.ms]
        per_s = asked.batch * sum(one.per_s for one in timings) / len(timings)
        verdicts = [OF_RAW.verdict(per_s / raw_per_s)]
        if stage.name in AIMS:
            verdicts.insert(0, AIMS[stage.name].verdict(per_s))
        cpu_ms = 1000 * cpu_s[number] / len(ms)
        name = "reported over HTTP"
        rows.append(
            (name, number, percentile(ms, 0.5), percentile(ms, 0.99), per_s, len(ms), cpu_ms, "; ".join(verdicts))
        )
    title = f"Usage reports on {stage.name}, batches of {asked.batch}, one web process of {asked.threads} threads"
    columns = ["", "callers", "batch p50 ms", "batch p99 ms", "records/s", "batches", "web CPU ms", "aim"]
    report.table(title, columns, rows)
    count, size = stage.run(bytes_per_record)
    print(f"  One of {count:,} records takes {size:.0f} bytes on disk with its indexes ({ON_DISK.verdict(size)})")


if __name__ == "__main__":
    arguments = command.parser(__doc__)
    arguments.add_argument("--batch", type=int, default=500, help="records in a request")
    arguments.add_argument("--callers", default="1,4", help="callers side by side")
    arguments.add_argument("--seconds", type=float, default=10.0, help="length of one block of requests")
    arguments.add_argument("--rounds", type=int, default=3, help="blocks of each kind, in turns")
    arguments.add_argument("--raw-batches", type=int, default=100, help="batches in one block of executemany")
    arguments.add_argument("--threads", type=int, default=8, help="threads of the web process")
    command.run(main, arguments)
