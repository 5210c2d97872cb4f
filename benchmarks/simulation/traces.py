"""Requests over time: read from a CSV file, or made from a seed."""

import csv
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.simulation.world import Model, Request


class BadTrace(ValueError):
    """A file that cannot be read as a trace, with the line."""


def generate(
    seed: int,
    models: Sequence[str],
    *,
    per_s: float,
    duration_s: float,
    zipf: float = 0.8,
    burst: float = 3,
    think_s: float = 2,
    hold_s: float = 1,
    one_by_one: bool = False,
) -> list[Request]:
    """Sessions that begin by a Poisson process, `per_s` requests a second in all.

    A session wants one model, the popular ones more often (by Zipf's law with exponent `zipf`), and asks for it
    `burst` times on average (geometric), `think_s` apart and for `hold_s` each (both exponential). The requests
    of a session come whether the earlier ones have been served or not; `one_by_one` each waits for the one before.
    """
    chance = random.Random(seed)
    weights = [1 / rank**zipf for rank in range(1, len(models) + 1)]
    found: list[Request] = []
    begins_at = chance.expovariate(per_s / burst)
    while begins_at < duration_s:
        model = chance.choices(models, weights)[0]
        steps = [(0.0, _at_least_1_ms(chance.expovariate(1 / hold_s)))]
        while chance.random() > 1 / burst:
            steps.append((chance.expovariate(1 / think_s), _at_least_1_ms(chance.expovariate(1 / hold_s))))
        found += _session(begins_at, model, steps, one_by_one=one_by_one)
        begins_at += chance.expovariate(per_s / burst)
    return sorted(found)


def _session(at: float, model: str, steps: Sequence[tuple[float, float]], *, one_by_one: bool) -> Iterator[Request]:
    if one_by_one:
        yield Request(round(at, 3), model, steps[0][1], tuple(steps[1:]))
        return
    for pause_s, hold_s in steps:
        at += pause_s
        yield Request(round(at, 3), model, hold_s)


def read(path: Path, *, hold_s: float = 1) -> list[Request]:
    """The requests of a CSV file with the columns `time` (seconds, or ISO 8601) and `model`, and perhaps `hold_s`.

    Times are counted from the first request. Raises BadTrace.
    """
    found = []
    for number, row in _rows(path, "time", "model"):
        try:
            hold = float(row.get("hold_s") or hold_s)
            found.append((_seconds(row["time"]), row["model"].strip(), hold))
        except ValueError as error:
            raise BadTrace(f"{path}, line {number}: {error}") from error
    begin = min((at for at, *_ in found), default=0.0)
    return sorted(Request(round(at - begin, 3), model, _at_least_1_ms(hold)) for at, model, hold in found)


def read_models(path: Path) -> list[Model]:
    """The models of a CSV file with the columns `name` and `load_s`, and perhaps `size_mb`. Raises BadTrace."""
    found = []
    for number, row in _rows(path, "name", "load_s"):
        try:
            found.append(Model(row["name"].strip(), round(float(row["load_s"]), 3), int(row.get("size_mb") or 0)))
        except ValueError as error:
            raise BadTrace(f"{path}, line {number}: {error}") from error
    return found


def faster(trace: Sequence[Request], factor: float) -> list[Request]:
    """The same requests in the same order, so many times as close; each still takes as long."""
    return sorted(Request(round(r.at / factor, 3), r.model, r.hold_s) for r in trace)


def _rows(path: Path, *needed: str) -> list[tuple[int, dict[str, str]]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = [column for column in needed if column not in (reader.fieldnames or [])]
        if missing:
            raise BadTrace(f"{path} has no column {', '.join(missing)}")
        rows = [(reader.line_num, row) for row in reader]
    for number, row in rows:
        if not all(row[column] for column in needed):
            raise BadTrace(f"{path}, line {number}: {' and '.join(needed)} must be there")
    return rows


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _at_least_1_ms(seconds: float) -> float:
    return max(0.001, round(seconds, 3))
