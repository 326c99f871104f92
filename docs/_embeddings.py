"""What the reference says of embeddings: what an endpoint does with each delivery of the table."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from _markdown import table

__all__ = ["deliveries"]


def deliveries() -> str:
    """Write a table for each group of deliveries."""
    # The harness is in no distribution. Last on the path: mailcore is the installed one.
    sys.path.append(str(Path(__file__).resolve().parent.parent))
    from reliability.webhook_cases import CASES, COLUMNS, documented

    groups = groupby(CASES, key=lambda case: case.group)
    tables = [f"### {title}\n\n{table(COLUMNS, map(documented, cases))}" for title, cases in groups]
    return "\n\n".join([f"{len(CASES)} cases.", *tables])
