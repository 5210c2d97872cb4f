"""A month of use by day, over HTTP, beside the same GROUP BY over the records themselves; both must tell the same."""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from benchmarks import command, report
from benchmarks.callers import Caller, Get, Timings, measure
from benchmarks.report import Aim
from benchmarks.stage import Stage, StageFailed, stage
from benchmarks.usage import CLIENTS, MODELS, arrange, model_name
from benchmarks.usage_generate import DAYS, RECORDS, generate

HERE, ELSEWHERE = "Asia/Seoul", "America/New_York"  # the installation's time zone, and one that changes its clocks
MONTH = timedelta(days=30)
# What a row tells besides its period and groups; the mean stands for the sum of the latencies.
SUMS = ("calls", "errors", "input_tokens", "output_tokens", "cost")

Told = dict[tuple[str, ...], tuple[float, ...]]


@dataclass(frozen=True)
class Asked:
    """One question, as a person asks it and as the API is asked."""

    name: str
    path: str
    zone: str
    groups: tuple[str, ...]
    model: str | None
    aim: Aim

    def month(self) -> tuple[datetime, datetime]:
        """The thirty whole days of the zone that ended last."""
        local = datetime.now(ZoneInfo(self.zone)).replace(hour=0, minute=0, second=0, microsecond=0)
        return (local - MONTH).astimezone(UTC), local.astimezone(UTC)

    def address(self) -> str:
        since, until = (at.isoformat() for at in self.month())
        query = {"from": since, "to": until, "interval": "day", "tz": self.zone, "group_by": ",".join(self.groups)}
        return f"{self.path}?{urlencode(query)}"


QUESTIONS = (
    Asked("one model by day", f"/api/v1/models/{model_name(3)}/statistics/", HERE, (), model_name(3), Aim(60, "ms")),
    Asked("all models × clients by day", "/api/v1/usage/statistics/", HERE, ("model", "client"), None, Aim(300, "ms")),
    Asked("the same elsewhere", "/api/v1/usage/statistics/", ELSEWHERE, ("model", "client"), None, Aim(1000, "ms")),
)


def main(asked: argparse.Namespace) -> None:
    if not command.is_mariadb_asked(asked):
        return
    with stage("mariadb", mariadb=asked.mariadb) as made:
        made.run(arrange)
        made.run(generate, asked.records, asked.days)
        key = made.client_key()
        with made.web(TIME_ZONE=HERE) as web:
            found = [_measured(made, web.url, key, question, asked) for question in QUESTIONS]
    _print(made, found, asked)


def _measured(
    made: Stage, url: str, key: str, question: Asked, asked: argparse.Namespace
) -> tuple[Timings, list[float], int]:
    """How long the API takes, how long the records take, and how many rows both tell."""
    told = _told(Caller(url, key).call("GET", question.address(), expect=200).json()["results"], question.groups)
    plain, raw_ms = made.run(of_records, question, asked.rounds)
    if told != plain:
        differs = [key for key in told.keys() | plain.keys() if told.get(key) != plain.get(key)]
        raise StageFailed(f"{question.name}: {len(differs)} rows differ, such as {sorted(differs)[:3]}")
    if not told:
        raise StageFailed(f"{question.name}: nothing was told")
    return measure(Get(url, question.address(), key), callers=1, seconds=asked.seconds), raw_ms, len(told)


def _told(rows: Sequence[dict[str, Any]], groups: Sequence[str]) -> Told:
    return {
        (row["period"], *(row[group] for group in groups)): (*(row[name] for name in SUMS), row["latency_ms"]["mean"])
        for row in rows
    }


def of_records(question: Asked, rounds: int) -> tuple[Told, list[float]]:
    """The same by SQL over the records alone, and the milliseconds of each round. For a stage's process."""
    from django.db import connection

    statement, values = _statement(question)
    ms, rows = [], []
    for _round in range(rounds):
        began = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            rows = list(cursor.fetchall())
        ms.append((time.perf_counter() - began) * 1000)
    groups = 1 + len(question.groups)
    return {
        (str(row[0]), *row[1:groups]): (*map(int, row[groups:-1]), round(int(row[-1]) / int(row[groups]) / 1000, 3))
        for row in rows
    }, ms


def _statement(question: Asked) -> tuple[str, list[Any]]:
    since, until = question.month()
    day, offsets = _local_day(question, since, until)
    joins = {
        "model": "JOIN models_registry_registeredmodel m ON m.id = r.model_id",
        "client": "JOIN usage_client c ON c.id = r.client_id",
    }
    names = {"model": "m.name", "client": "c.name"}
    keys = [day, *(names[group] for group in question.groups)]
    tables = {*question.groups, *(["model"] if question.model else [])}
    statement = f"""
        SELECT {", ".join(keys)}, COUNT(*), SUM(outcome IN ('error', 'timeout')), SUM(input_tokens),
          SUM(output_tokens), SUM(cost), SUM(latency_us)
        FROM usage_usagerecord r {" ".join(joins[table] for table in sorted(tables))}
        WHERE occurred_at >= %s AND occurred_at < %s {"AND m.name = %s" if question.model else ""}
        GROUP BY {", ".join(str(place) for place in range(1, len(keys) + 1))}
    """
    values = [*offsets, since.replace(tzinfo=None), until.replace(tzinfo=None)]
    return statement, [*values, question.model] if question.model else values


def _local_day(question: Asked, since: datetime, until: datetime) -> tuple[str, list[Any]]:
    """The day in SQL, by the offset in force: hour by hour, since clocks are changed on whole hours."""
    zone = ZoneInfo(question.zone)
    hours = [since + timedelta(hours=1) * number for number in range(round((until - since) / timedelta(hours=1)))]
    cases, values, last = "", [], None
    for hour in reversed(hours):
        offset = hour.astimezone(zone).utcoffset()
        if offset != last:
            last = offset
            first = min(other for other in hours if other.astimezone(zone).utcoffset() == offset)
            cases += " WHEN occurred_at >= %s THEN %s"
            values += [first.replace(tzinfo=None), round((offset or timedelta()).total_seconds())]
    return f"DATE(occurred_at + INTERVAL CASE{cases} END SECOND)", values


def _print(made: Stage, found: Sequence[tuple[Timings, list[float], int]], asked: argparse.Namespace) -> None:
    rows = []
    for question, (timings, raw_ms, count) in zip(QUESTIONS, found, strict=True):
        raw = sorted(raw_ms)[len(raw_ms) // 2]
        times, verdict = f"{raw / timings.p50:.1f}×", question.aim.verdict(timings.p50)
        rows.append((question.name, question.zone, count, timings.p50, timings.p99, raw, times, verdict))
    title = (
        f"A month among {asked.records:,} records of {asked.days} days, {MODELS} models and {CLIENTS} clients on "
        f"{made.name}, over HTTP and by SQL over the records; the same sums to the last digit"
    )
    report.table(title, ["", "zone", "rows", "p50 ms", "p99 ms", "records ms", "", "aim"], rows)


if __name__ == "__main__":
    arguments = command.parser(__doc__)
    arguments.add_argument("--records", type=int, default=RECORDS, help="how many")
    arguments.add_argument("--days", type=int, default=DAYS, help="over how many days before now")
    arguments.add_argument("--seconds", type=float, default=10.0, help="length of each block of calls")
    arguments.add_argument("--rounds", type=int, default=3, help="how often the records are asked")
    command.run(main, arguments)
