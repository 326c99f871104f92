"""How much one piece of work costs, by one clock or another.

Rule: a meter is called once a round and returns one figure. How often the work is repeated for it is found at
      its first call, which is for nothing else.
"""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import TypeAlias

import attrs

__all__ = ["Cpu", "Meter", "Work", "each", "imported", "peak", "rate", "wall"]

#: Does a piece of work that many times.
Work: TypeAlias = Callable[[int], object]
#: Returns what one piece cost this time.
Meter: TypeAlias = Callable[[], float]

#: CPU seconds that one measurement takes at least, so that the clock's steps do not count.
LEAST = 0.03


def each(work: Callable[[], object]) -> Work:
    """Return what does a piece of work again and again."""

    def repeated(number: int) -> None:
        for _ in range(number):
            work()

    return repeated


@attrs.define
class Cpu:
    """
    The meter of CPU seconds of this process, all of its threads.

    Attributes:
        number: How often the work is repeated for one figure; 0 until that is found out.
    """

    work: Work
    number: int = 0

    def __call__(self) -> float:
        """Measure once."""
        while not self.number:
            self._calibrate()
        return self._spent(self.number) / self.number

    def _calibrate(self) -> None:
        self.work(1)  # whatever is only done once
        number, spent = 1, self._spent(1)
        while spent < LEAST:
            number = max(number * 2, int(number * LEAST / max(spent, 1e-9) * 1.2))
            spent = self._spent(number)
        self.number = number

    def _spent(self, number: int) -> float:
        gc.collect()  # what others left; what the work leaves is its own
        start = time.process_time()
        self.work(number)
        return time.process_time() - start


def wall(work: Work, number: int) -> Meter:
    """Return the meter of seconds for each of so many pieces."""

    def measure() -> float:
        start = time.perf_counter()
        work(number)
        return (time.perf_counter() - start) / number

    return measure


def rate(work: Work, number: int) -> Meter:
    """Return the meter of pieces a second, of so many."""
    seconds = wall(work, number)
    return lambda: 1 / seconds()


def peak(work: Callable[[], object]) -> Meter:
    """Return the meter of the bytes that one piece takes at its worst, beyond what was there before."""
    work()  # whatever is only made once

    def measure() -> float:
        gc.collect()
        tracemalloc.start()
        try:
            work()
            return float(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()

    return measure


def imported(statement: str) -> Meter:
    """Return the meter of CPU seconds that a statement adds to a new interpreter."""

    def measure() -> float:
        return _process(statement) - _process("pass")

    return measure


def _process(statement: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
