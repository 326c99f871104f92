"""Contenders that do the same work, in turn.

Rule: a ratio is of two figures of one round, and the median of the rounds counts, so that whatever slows a
      round down slows both.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

import attrs

from benchmarks.meters import Meter

__all__ = ["Contest", "Found", "Spread", "in_turn"]


@attrs.frozen
class Spread:
    """The median of the rounds, and the quartiles on both sides of it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        """Return the spread of two figures or more."""
        low, median, high = statistics.quantiles(figures, n=4, method="inclusive")
        return cls(median, low, high)


@attrs.frozen(kw_only=True)
class Found:
    """
    What came of a contest.

    Attributes:
        rounds: Contender → what one piece cost in each round, in seconds.
    """

    title: str
    rounds: Mapping[str, Sequence[float]]

    def spread(self, name: str) -> Spread:
        """Return what a contender's work costs."""
        return Spread.of(self.rounds[name])

    def ratio(self, of: str, against: str) -> Spread:
        """Return how many times the cost of another it is."""
        pairs = zip(self.rounds[of], self.rounds[against], strict=True)
        return Spread.of([ours / theirs for ours, theirs in pairs])

    def added(self, of: str, against: str, pieces: int) -> Spread:
        """Return the seconds that each of so many pieces adds to another's cost."""
        pairs = zip(self.rounds[of], self.rounds[against], strict=True)
        return Spread.of([(ours - theirs) / pieces for ours, theirs in pairs])


@attrs.frozen(kw_only=True)
class Contest:
    """
    Contenders, the first of which is the floor: the same work by hand.

    Attributes:
        title: What the work is.
        contenders: Name → its meter.
    """

    title: str
    contenders: Mapping[str, Meter]

    def run(self, rounds: int, done: Callable[[float], object]) -> Found:
        """
        Measure each contender once a round.

        Args:
            done: Told after each measurement which share of all of them it was.
        """
        return Found(title=self.title, rounds=in_turn(self.contenders, rounds, done))


def in_turn(
    meters: Mapping[str, Meter], rounds: int, done: Callable[[float], object]
) -> dict[str, list[float]]:
    """Read each meter once a round; nobody is always first."""
    found: dict[str, list[float]] = {name: [] for name in meters}
    names = list(meters)
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            found[name].append(float(f"{meters[name]():.4g}"))
            done(1 / len(names) / rounds)
    return found
