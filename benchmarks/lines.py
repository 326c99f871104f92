"""Plots of curves: both axes are logarithmic, so that the slope of a line is its order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import attrs

from benchmarks import svg
from benchmarks.curve import Growth
from benchmarks.units import formatter

__all__ = ["curve", "said"]

WIDTH, LEFT, TOP, RIGHT, BELOW = 760, 90, 64, 730, 360
#: A shape for each line, so that no colour is needed to tell them apart.
_SHAPES: tuple[Callable[[float, float], str], ...] = (
    lambda x, y: f'<circle class="mark0" cx="{x:.1f}" cy="{y:.1f}" r="4"/>',
    lambda x, y: f'<rect class="mark1" x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"/>',
    lambda x, y: f'<path class="mark2" d="M{x - 5:.1f} {y + 4:.1f}h10l-5 -9z"/>',
    lambda x, y: f'<path class="mark3" d="M{x - 5:.1f} {y:.1f}l5 -5l5 5l-5 5z"/>',
)


@attrs.frozen
class _Scale:
    """A logarithmic axis."""

    least: float
    most: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = math.log(value / self.least) / math.log(self.most / self.least)
        return self.start + (self.end - self.start) * share


def said(growth: Growth, name: str) -> str:
    """Return how a line grows, in words."""
    line, measured = growth.lines[name], growth.order(name)
    if line.order is None:
        return f"order {measured:.2f}"
    verdict = "as expected" if growth.as_expected(name) else "worse than expected"
    return f"order {measured:.2f}, expected {line.order:g}: {verdict}"


def curve(growth: Growth) -> str:
    """Draw every line of a curve, and dashed how those of ours are expected to go on."""
    figures = [figure for line in growth.lines.values() for figure in line.medians()]
    # At least a decade, so that noise on a level line is no mountain.
    least = min(figures)
    most = max(least * 10, *figures)
    x = _Scale(growth.numbers[0], growth.numbers[-1], LEFT, RIGHT)
    y = _Scale(least / 1.3, most * 1.3, BELOW, TOP)
    parts = [*_axes(growth, x, y)]
    for place, (name, line) in enumerate(growth.lines.items()):
        points = [
            (x.at(number), y.at(found)) for number, found in zip(growth.numbers, line.medians(), strict=True)
        ]
        path = " ".join(f"{across:.1f},{down:.1f}" for across, down in points)
        parts.append(f'<polyline class="line line{place}" points="{path}"/>')
        parts += [_SHAPES[place](across, down) for across, down in points]
        if line.order is not None:
            parts.append(_guide(growth, line.medians(), line.order, x, y))
        row = BELOW + 62 + 22 * place
        parts += [
            _SHAPES[place](LEFT, row - 4),
            svg.text(LEFT + 14, row, f"{name} ({said(growth, name)})"),
        ]
    description = "; ".join(f"{name}: {said(growth, name)}" for name in growth.lines) + "."
    height = BELOW + 62 + 22 * len(growth.lines) + 4
    return svg.document(WIDTH, height, title=growth.title, description=description, parts=parts)


def _axes(growth: Growth, x: _Scale, y: _Scale) -> Iterator[str]:
    written = formatter(growth.y)
    for level in _levels(y.least, y.most):
        down = y.at(level)
        yield f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{down:.1f}" y2="{down:.1f}"/>'
        yield svg.text(LEFT - 8, down + 4, written(level), kind="quiet", anchor="end")
    for number in growth.numbers:
        yield svg.text(x.at(number), BELOW + 18, f"{number:,}", kind="quiet", anchor="middle")
    yield svg.text(20, 48, growth.y, kind="quiet")
    yield svg.text(RIGHT, BELOW + 36, growth.x, kind="quiet", anchor="end")


def _levels(least: float, most: float) -> Iterator[float]:
    """Yield the powers of ten between, and 2 and 5 times them where that is not too much."""
    steps = (1, 2, 5) if most / least < 200 else (1,)
    for power in range(math.floor(math.log10(least)), math.ceil(math.log10(most))):
        yield from (step * 10.0**power for step in steps if least <= step * 10.0**power <= most)


def _guide(growth: Growth, medians: list[float], order: float, x: _Scale, y: _Scale) -> str:
    """Go through the middle of the larger half, in which the order is measured."""
    half = growth.numbers[len(growth.numbers) // 2 :]
    found = medians[-len(half) :]
    middle = math.exp(sum(map(math.log, half)) / len(half))
    level = math.exp(sum(map(math.log, found)) / len(found))
    ends = [(x.at(number), y.at(level * (number / middle) ** order)) for number in (half[0], half[-1])]
    path = " ".join(f"{across:.1f},{down:.1f}" for across, down in ends)
    return f'<polyline class="guide" points="{path}"/>'
