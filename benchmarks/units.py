"""Figures as people read them."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.contest import Spread

__all__ = ["formatter", "seconds", "times"]


def seconds(value: float) -> str:
    """Return a time: 3.4 µs, 12 ms, 1.2 s."""
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{_digits(value * factor)} {unit}"
    return f"{_digits(value * 1e6)} µs"


def _bytes(value: float) -> str:
    for factor, unit in ((1e-6, "MB"), (1e-3, "kB")):
        if value * factor >= 1:
            return f"{_digits(value * factor)} {unit}"
    return f"{_digits(value)} B"


def _digits(value: float) -> str:
    """Return what the figure is sure of: two digits, and all before the point."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def formatter(what: str) -> Callable[[float], str]:
    """Return what writes figures of a curve, by what its y says."""
    if what.startswith("seconds"):
        return seconds
    return _bytes if what.startswith("bytes") else _digits


def times(spread: Spread, unit: str = "x") -> str:
    """Return a ratio with its quartiles: 1.40 x (1.35 to 1.52)."""
    return f"{spread.median:.2f} {unit} ({spread.low:.2f} to {spread.high:.2f})"
