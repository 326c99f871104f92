"""Remembers deliveries, so that each is handled once.

Rule: two steps. A delivery is claimed before it is handled and committed after, so that a crash between
the two loses nothing: the claim runs out and the next redelivery is handled.
"""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable
from itertools import islice
from typing import Protocol

__all__ = ["Claim", "MemoryReplayStore", "ReplayStore"]


class Claim(enum.Enum):
    """What a claim found."""

    #: It is ours to handle.
    CLAIMED = "claimed"
    #: It was handled before.
    DUPLICATE = "duplicate"
    #: Somebody else is handling it right now.
    IN_PROGRESS = "in_progress"


class ReplayStore(Protocol):
    """Keep claims, shared by all who handle the same deliveries; methods are atomic."""

    def claim(self, key: str, ttl: float) -> Claim:
        """Claim `key`; a committed key is a duplicate for `ttl` seconds."""
        ...

    def commit(self, key: str) -> None:
        """Note that it was handled."""
        ...

    def release(self, key: str) -> None:
        """Give a claim back, so that a redelivery is handled."""
        ...


class MemoryReplayStore:
    """
    Remember deliveries in this process; for one process and for tests.

    Args:
        lease: Seconds after which a claim that was neither committed nor released runs out.
        clock: Seconds that never jump.
    """

    def __init__(self, *, lease: float = 300.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._lease = lease
        self._clock = clock
        self._lock = threading.Lock()
        self._claims: dict[str, tuple[bool, float, float]] = {}  # key → (committed, runs out at, ttl)

    def claim(self, key: str, ttl: float) -> Claim:
        """Do what `ReplayStore.claim` says."""
        now = self._clock()
        with self._lock:
            self._forget(now)
            committed, until, _ = self._claims.get(key, (False, now, ttl))
            if until > now:
                return Claim.DUPLICATE if committed else Claim.IN_PROGRESS
            self._claims[key] = (False, now + self._lease, ttl)
            return Claim.CLAIMED

    def commit(self, key: str) -> None:
        """Do what `ReplayStore.commit` says."""
        with self._lock:
            _, _, ttl = self._claims.pop(key, (False, 0.0, self._lease))
            self._claims[key] = (True, self._clock() + ttl, ttl)

    def release(self, key: str) -> None:
        """Do what `ReplayStore.release` says."""
        with self._lock:
            self._claims.pop(key, None)

    def _forget(self, now: float) -> None:
        # Committed keys stand in the order of their commits, so the oldest are first. A claim that ran out is
        # remembered for its ttl: whoever commits it late still says that it was handled.
        oldest = islice(self._claims.items(), 16)
        done = [key for key, (committed, until, ttl) in oldest if until + (0 if committed else ttl) <= now]
        for key in done:
            del self._claims[key]
