"""Where the time of a contender goes.

Rule: a profile says what to look at, and no figure of it is one of a contest: watching costs as well.
"""

from __future__ import annotations

import cProfile
import io
import pstats
import re
import time

from benchmarks.meters import Cpu

__all__ = ["profile"]

#: Functions that are shown.
MOST = 25
#: What pstats sorts by → what that means.
_ORDERS = {"tottime": "by what each costs without those that it calls", "cumtime": "and with them"}
#: What stands before a package: where it is installed, or the clone.
_FOLDERS = re.compile(
    r" /\S*/(?:site-packages|lib/python[\d.]+|adapters/\w+|[^/]+(?=/mailcore/|/benchmarks))/"
)


def profile(meter: Cpu) -> str:
    """Return the functions of a contender that cost most, with how often they are called."""
    meter()  # finds out how often the work is repeated
    profiler = cProfile.Profile(time.process_time)
    profiler.runcall(meter.work, meter.number)
    lines = []
    for order, meaning in _ORDERS.items():
        text = io.StringIO()
        pstats.Stats(profiler, stream=text).sort_stats(order).print_stats(MOST)
        rows = text.getvalue().partition("ncalls")[2].strip().splitlines()
        # From the package on: where it is installed says nothing.
        lines += [f"{meter.number} times, {meaning}", *(_FOLDERS.sub(" ", row) for row in rows)]
    return "\n".join(lines)
