"""What the reference says of faults: those that the harness tries, and how each must end."""

from __future__ import annotations

import sys
from pathlib import Path

from _markdown import table

__all__ = ["faults"]


def faults() -> str:
    """Write a table for each group of faults."""
    # The harness is in no distribution. Last on the path: mailcore is the installed one.
    sys.path.append(str(Path(__file__).resolve().parent.parent))
    from reliability.modes import COLUMNS, documented

    return "\n\n".join(f"### {title}\n\n{table(COLUMNS, rows)}" for title, rows in documented().items())
