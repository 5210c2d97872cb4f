"""A small picture: lines over load, drawn by hand as SVG."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, TOP = 400, 260, 60, 40
GAP = 50
COLOURS = ("#1d4ed8", "#dc2626", "#a3a3a3", "#059669")
DASHES = ("", "6 3", "2 3", "8 3 2 3")


@dataclass(frozen=True)
class Panel:
    """Lines by name, each of points (x, y); both axes are logarithmic, and what is not above `floor` is drawn there."""

    title: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    floor: float = 0.1


def svg(panels: Sequence[Panel], *, x_label: str, columns: int = 2) -> str:
    """The panels in rows, below one legend."""
    rows = math.ceil(len(panels) / columns)
    width, height = columns * (LEFT + WIDTH + GAP), TOP + rows * (TOP + HEIGHT + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12"><rect width="{width}" height="{height}" fill="#fff"/>'
    ]
    parts += _legend(list(panels[0].lines))
    for number, panel in enumerate(panels):
        x, y = number % columns * (LEFT + WIDTH + GAP) + LEFT, TOP + number // columns * (TOP + HEIGHT + GAP) + TOP
        parts += [f'<g transform="translate({x} {y})">', *_panel(panel, x_label), "</g>"]
    return "\n".join([*parts, "</svg>\n"])


def _legend(names: Sequence[str]) -> list[str]:
    parts = []
    for number, name in enumerate(names):
        x = LEFT + number * 130
        parts.append(f'<path d="M{x} 24h30" {_stroke(number)}/><text x="{x + 36}" y="28">{escape(name)}</text>')
    return parts


def _panel(panel: Panel, x_label: str) -> list[str]:
    points = [point for line in panel.lines.values() for point in line]
    xs, ys = _Axis([x for x, _ in points], WIDTH), _Axis([max(y, panel.floor) for _, y in points], HEIGHT)
    parts = [f'<text x="0" y="-10" font-weight="bold">{escape(panel.title)}</text>']
    for tick in xs.ticks():
        parts.append(f'<path d="M{xs.at(tick):.1f} 0v{HEIGHT}" stroke="#eee"/>')
        parts.append(f'<text x="{xs.at(tick):.1f}" y="{HEIGHT + 16}" text-anchor="middle">{tick:g}</text>')
    for tick in ys.ticks():
        y = HEIGHT - ys.at(tick)
        parts.append(f'<path d="M0 {y:.1f}h{WIDTH}" stroke="#eee"/>')
        parts.append(f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT + 34}" text-anchor="middle">{escape(x_label)}</text>')
    for number, line in enumerate(panel.lines.values()):
        path = "L".join(f"{xs.at(x):.1f} {HEIGHT - ys.at(max(y, panel.floor)):.1f}" for x, y in line)
        parts.append(f'<path d="M{path}" {_stroke(number)}/>')
    return parts


def _stroke(number: int) -> str:
    which = number % len(COLOURS)
    return f'fill="none" stroke="{COLOURS[which]}" stroke-width="2" stroke-dasharray="{DASHES[which]}"'


class _Axis:
    """A logarithmic axis over the values, from one power of ten or its double or fivefold to another."""

    def __init__(self, values: Sequence[float], length: float) -> None:
        steps = [factor * 10.0**power for power in range(-4, 7) for factor in (1, 2, 5)]
        self.low = max(step for step in steps if step <= min(values) * 1.0001)
        self.high = min(step for step in steps if step >= max(values) * 0.9999 and step > self.low)
        self.length = length
        self._steps = [step for step in steps if self.low <= step <= self.high]

    def at(self, value: float) -> float:
        return self.length * math.log(value / self.low) / math.log(self.high / self.low)

    def ticks(self) -> list[float]:
        tens = [step for step in self._steps if math.isclose(math.log10(step) % 1, 0, abs_tol=1e-6)]
        return self._steps if len(self._steps) <= 8 else tens
