"""
The plots of a record.

Rule: they are made of the record and of the goals alone, so that a test can make them again and compare.
"""

from __future__ import annotations

from benchmarks import bars, lines
from benchmarks.goals import verdicts
from benchmarks.record import Record

__all__ = ["plots"]


def plots(record: Record) -> dict[str, str]:
    """Return file name → the text of the image."""
    return {
        "goals.svg": bars.goals(list(verdicts(record.contests))),
        **{f"{name}.svg": bars.contest(found) for name, found in record.contests.items()},
        **{f"{name}.svg": lines.curve(found) for name, found in record.curves.items()},
    }
