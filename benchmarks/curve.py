"""How cost grows with one number, and how it is expected to.

Rule: the order is the exponent: 0 is constant, 1 is as many times as much. It is measured on the larger half
      of the numbers, where what is paid once no longer hides it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence

import attrs

from benchmarks.contest import in_turn
from benchmarks.meters import Meter

__all__ = ["Curve", "Growth", "Line", "Series"]

#: How far the measured order may be from the expected one: noise, and what is paid once.
TOLERANCE = 0.15


@attrs.frozen(kw_only=True)
class Series:
    """
    One line of a curve.

    Attributes:
        meter: The number → its meter.
        order: The expected exponent; None: it is a peer, whose cost nobody here promises.
    """

    meter: Callable[[int], Meter]
    order: float | None = None


@attrs.frozen(kw_only=True)
class Line:
    """
    What was found for one line.

    Attributes:
        figures: The figures of each round, for each number.
    """

    order: float | None = attrs.field(converter=attrs.converters.optional(float))
    figures: Sequence[Sequence[float]]

    def medians(self) -> list[float]:
        """Return the median of the rounds for each number."""
        return [statistics.median(found) for found in self.figures]


@attrs.frozen(kw_only=True)
class Growth:
    """
    What was found for a curve.

    Attributes:
        x: What the number counts.
        y: What was measured, with its unit.
        more_is_better: Whether the figures are a rate, and no cost.
    """

    title: str
    x: str
    y: str
    more_is_better: bool
    numbers: Sequence[int]
    lines: Mapping[str, Line]

    def order(self, name: str) -> float:
        """Return the measured exponent of a line."""
        half = len(self.numbers) // 2
        found = self.lines[name].medians()[half:]
        slope, _ = statistics.linear_regression(
            [math.log(number) for number in self.numbers[half:]], [math.log(figure) for figure in found]
        )
        return slope

    def as_expected(self, name: str) -> bool | None:
        """Return whether a line grows as expected or better; None where nothing is expected of it."""
        expected = self.lines[name].order
        if expected is None:
            return None
        worse = expected - self.order(name) if self.more_is_better else self.order(name) - expected
        return worse <= TOLERANCE


@attrs.frozen(kw_only=True)
class Curve:
    """
    Lines over the same numbers.

    Attributes:
        numbers: Rising.
        series: Name → what measures it.
    """

    title: str
    x: str
    y: str
    numbers: Sequence[int]
    series: Mapping[str, Series]
    more_is_better: bool = False

    def run(self, rounds: int, done: Callable[[float], object]) -> Growth:
        """
        Measure each line once a round, number by number.

        Args:
            done: Told after each measurement which share of all of them it was.
        """
        found: dict[str, list[Sequence[float]]] = {name: [] for name in self.series}
        for number in self.numbers:
            meters = {name: series.meter(number) for name, series in self.series.items()}
            figures = in_turn(meters, rounds, lambda share: done(share / len(self.numbers)))
            for name, line in found.items():
                line.append(figures[name])
        lines = {name: Line(order=self.series[name].order, figures=found[name]) for name in found}
        return Growth(
            title=self.title,
            x=self.x,
            y=self.y,
            more_is_better=self.more_is_better,
            numbers=self.numbers,
            lines=lines,
        )
