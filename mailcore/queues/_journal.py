"""What a broker that loses messages is given again from.

Rule: a job is in the journal before it is at the broker, and until it is settled, put back, or before a
person. One that is overdue is given to the broker again; whichever comes second finds it struck out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

__all__ = ["Journal"]


class Journal(Protocol):
    """Keep jobs that are under way, for senders and workers alike; methods are atomic."""

    def note(self, run: str, payload: str, *, due: float) -> None:
        """Keep one that is to be struck out within `due` seconds."""
        ...

    def strike(self, run: str) -> None:
        """Forget one, if it is there."""
        ...

    def has(self, run: str) -> bool:
        """Return whether one is there."""
        ...

    def overdue(self, *, again: float, limit: int) -> Sequence[str]:
        """Return the jobs of some that are overdue; to others they are not, for `again` seconds."""
        ...
