"""How the hand-over policy does on recorded or generated requests, beside others, in a simulated server.

The policy is the product's own `plan`. Beside it: FIFO (each request in strict order), LRU (the least recently
used idle model gives way), and one that looks ahead in the trace and, within the same worst wait, loses as
little GPU time to swapping as it can see to. A trace is a CSV file with the columns `time` (seconds or ISO 8601)
and `model`, and perhaps `hold_s`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import report
from benchmarks.simulation import traces
from benchmarks.simulation.ours import Settings
from benchmarks.simulation.plot import Panel, svg
from benchmarks.simulation.results import POLICIES, Result, compare
from benchmarks.simulation.world import Gpu, Model, Request

LOADS_S = (2.0, 3.0, 6.0, 0.5, 4.0, 1.0)
ONE_BY_ONE_RATES = (0.1, 0.3, 1.0)
RATES = (0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0)
CONTENDED = 0.5
SWAPS, P95, P95_LIGHT = 0.5, 0.2, 1.1
COLUMNS = (
    *("policy", "swaps", "GPU lost s", "share", "mean s", "p95 s", "worst s", "swaps/FIFO", "p95/FIFO"),
    *("lost/looks ahead", "aim"),
)


@dataclass(frozen=True)
class Level:
    """One trace at one load."""

    title: str
    per_s: float
    trace: Sequence[Request]
    one_by_one: bool = False


def main(asked: argparse.Namespace) -> None:
    models = traces.read_models(asked.models) if asked.models else _default_models()
    levels = list(_recorded(asked) if asked.trace else _generated(asked, [model.name for model in models]))
    models = _with_defaults(models if asked.models or not asked.trace else [], levels, asked.load_s)
    settings = Settings(asked.hand_over_after_s, asked.drain_s, asked.idle_ttl_s)
    panels = []
    for slots in asked.slots:
        gpu = Gpu(slots or None, asked.memory_mb, asked.unload_s)
        found = {}
        for level in levels:
            results = compare(models, gpu, level.trace, settings)
            _print(f"{_room(gpu)}: {level.title}", results)
            if not level.one_by_one:
                found[level.per_s] = results
        panels += _panels(_room(gpu), found)
    if asked.plot and len(found) > 1:
        asked.plot.write_text(svg(panels, x_label="requests a second"), encoding="utf-8")
        print(f"\nDrawn: {asked.plot}")


def _default_models() -> list[Model]:
    return [Model(f"model-{number}", load_s) for number, load_s in enumerate(LOADS_S)]


def _with_defaults(models: list[Model], levels: Sequence[Level], load_s: float) -> list[Model]:
    """The models told, and those that a trace names beside them."""
    known = {model.name for model in models}
    named = {request.model for level in levels for request in level.trace}
    return models + [Model(name, load_s) for name in sorted(named - known)]


def _generated(asked: argparse.Namespace, names: Sequence[str]) -> Iterator[Level]:
    for per_s in asked.rates:
        yield Level(f"requests come, {per_s:g} a second", per_s, _generate(asked, names, per_s, one_by_one=False))
    for per_s in asked.one_by_one_rates:
        title = f"clients ask again when they were served, {per_s:g} a second at most"
        yield Level(title, per_s, _generate(asked, names, per_s, one_by_one=True), one_by_one=True)


def _generate(asked: argparse.Namespace, names: Sequence[str], per_s: float, *, one_by_one: bool) -> list[Request]:
    return traces.generate(
        asked.seed,
        names,
        per_s=per_s,
        duration_s=asked.requests / per_s,
        zipf=asked.zipf,
        hold_s=asked.hold_s,
        one_by_one=one_by_one,
    )


def _recorded(asked: argparse.Namespace) -> Iterator[Level]:
    for path in asked.trace:
        recorded = traces.read(path, hold_s=asked.hold_s)
        for factor in asked.speed:
            trace = traces.faster(recorded, factor)
            per_s = len(trace) / max(trace[-1].at, 0.001)
            yield Level(f"{path.name}, {factor:g} times as fast", per_s, trace)


def _room(gpu: Gpu) -> str:
    parts = [f"{gpu.slots} model{'s' if gpu.slots > 1 else ''} at a time"] if gpu.slots else []
    return ", ".join(parts + ([f"{gpu.memory_mb} MB"] if gpu.memory_mb else []))


def _print(title: str, found: dict[str, Result]) -> None:
    ours, fifo, ahead = found["ours"], found["FIFO"], found.get("looks ahead")
    rows = []
    for name, it in found.items():
        figures = (it.swaps, it.lost_s, it.share, it.mean_s, it.p95_s, it.worst_s)
        ratios = (_ratio(it.swaps, fifo.swaps), _ratio(it.p95_s, fifo.p95_s))
        beside = _ratio(it.lost_s, ahead.lost_s) if ahead else ""
        rows.append((name, *figures, *ratios, beside, verdict(it, fifo) if name == "ours" else ""))
    report.table(f"{title}; {ours.requests} requests", COLUMNS, rows)
    print(f"  ours: {ours.late} waited longer than promised, {ours.revoked} had to stop early")


def verdict(ours: Result, fifo: Result) -> str:
    """The aim that the level is under, by how FIFO does there, and whether it is kept."""
    if fifo.share > CONTENDED:
        kept = [
            f"{what} ≤ {limit:g} {'kept' if value <= limit else 'MISSED'}"
            for what, value, limit in (
                ("swaps", _ratio(ours.swaps, fifo.swaps), SWAPS),
                ("p95", _ratio(ours.p95_s, fifo.p95_s), P95),
            )
        ]
        return ", ".join(kept)
    return f"p95 ≤ {P95_LIGHT:g} {'kept' if _ratio(ours.p95_s, fifo.p95_s) <= P95_LIGHT else 'MISSED'}"


def _ratio(value: float, to: float) -> float:
    return value / to if to else 1.0 if not value else float("inf")


def _panels(room: str, found: dict[float, dict[str, Result]]) -> list[Panel]:
    def lines(figure: str) -> dict[str, list[tuple[float, float]]]:
        return {name: [(x, getattr(found[x][name], figure)) for x in sorted(found)] for name in POLICIES}

    return [Panel(f"{room}: p95 wait, s", lines("p95_s")), Panel(f"{room}: swaps", lines("swaps"), floor=1)]


def arguments() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        prog="python -m benchmarks.hand_over_policy",
    )
    add = made.add_argument
    add("--trace", type=Path, nargs="+", metavar="CSV", help="recorded requests, instead of generated ones")
    add("--speed", type=float, nargs="+", default=[1.0], help="play the traces so many times as fast")
    add("--rates", type=float, nargs="+", default=RATES, help="generate so many requests a second, one level each")
    add("--one-by-one-rates", type=float, nargs="*", default=ONE_BY_ONE_RATES, help="the same, for patient clients")
    add("--requests", type=int, default=2000, help="generate about so many requests for each level")
    add("--seed", type=int, default=1, help="what is generated depends on it alone")
    add("--zipf", type=float, default=0.8, help="how unequally popular the models are (exponent of Zipf's law)")
    add("--hold-s", type=float, default=1.0, help="how long a request uses its model (on average, where generated)")
    add("--models", type=Path, metavar="CSV", help="models, in the columns name, load_s and perhaps size_mb")
    add("--load-s", type=float, default=3.0, help="load time of models that only a trace names")
    add("--unload-s", type=float, default=1.2, help="time of an unload")
    add("--slots", type=int, nargs="+", default=[1, 2], help="models at a time, one run for each; 0: by memory alone")
    add("--memory-mb", type=int, help="GPU memory, for models with sizes")
    add("--hand-over-after-s", type=float, default=Settings.hand_over_after_s, help="HAND_OVER_AFTER_S")
    add("--drain-s", type=float, default=Settings.drain_s, help="drain time of the provider")
    add("--idle-ttl-s", type=float, default=Settings.idle_ttl_s, help="idle time of the models")
    add("--plot", type=Path, metavar="SVG", help="draw p95 wait and swaps over load into this file")
    return made


if __name__ == "__main__":
    asked = arguments().parse_args()
    print(report.machine(), flush=True)
    try:
        main(asked)
    except (traces.BadTrace, OSError) as error:
        sys.exit(f"The benchmark could not run: {error}")
