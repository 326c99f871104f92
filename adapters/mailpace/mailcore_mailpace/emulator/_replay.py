"""The answers kept for idempotency keys.

Rule: only the answer to a queued mail is kept, and it is replayed whatever the new body is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice

from mailcore import HttpResponse

__all__ = ["Replays"]

#: MailPace docs: a key is kept for 24 hours.
KEPT = timedelta(hours=24)


class Replays:
    """Keep answers by token and key."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[datetime, HttpResponse]] = {}

    def keep(self, token: str, key: str, response: HttpResponse, now: datetime) -> None:
        """Remember the answer to a mail that was queued."""
        for name in list(islice(self._kept, 2)):  # the oldest: two go for each that comes
            if now - self._kept[name][0] >= KEPT:
                del self._kept[name]
        self._kept.pop((token, key), None)  # or it would stay where it was
        self._kept[token, key] = (now, response)

    def limit(self, count: int) -> None:
        """Keep no more answers than that: the oldest go."""
        for name in list(islice(self._kept, max(len(self._kept) - count, 0))):
            del self._kept[name]

    def find(self, token: str, key: str, now: datetime) -> HttpResponse | None:
        """Return the answer kept for that key, if it is younger than 24 hours."""
        stored_at, response = self._kept.get((token, key), (now - KEPT, None))
        return response if now - stored_at < KEPT else None
