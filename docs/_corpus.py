"""What the reference says of hostile mail: every construct, and the threat it stands for."""

from __future__ import annotations

import sys
from pathlib import Path

from _markdown import table

__all__ = ["corpus"]


def corpus() -> str:
    """Write a table of the constructs."""
    # The harness is in no distribution. Last on the path: mailcore is the installed one.
    sys.path.append(str(Path(__file__).resolve().parent.parent))
    from fuzz.corpus import CONSTRUCTS

    counts = [(made, sum(1 for _ in made.items())) for made in CONSTRUCTS]
    rows = [
        (made.name, "webhook body" if made.is_payload else "mail", str(count), made.threat)
        for made, count in counts
    ]
    total = f"{len(rows)} constructs, {sum(count for _, count in counts):,} mails and bodies:"
    return f"{total}\n\n{table(('construct', 'what', 'how many', 'threat'), rows)}"
