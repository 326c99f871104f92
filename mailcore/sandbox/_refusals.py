"""Requests that a provider did not simply accept: refused by it, or by the chaos that was asked for.

Rule: the newest few, in memory alone. Whoever sends wants to see why it failed just now.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import count

import attrs

from mailcore.sandbox._kept import Exchange

__all__ = ["Refusal", "Refusals"]

#: So many are kept, and so many bytes of each body.
MOST = 100
MAX_BODY = 16 * 1024


@attrs.frozen(kw_only=True)
class Refusal:
    """
    A request, and an answer that does not accept it.

    Attributes:
        exchange: Both; its status is 0 where the connection was closed without an answer.
        chaos: Whether the sandbox's own chaos answered, and not the provider.
        taken: Whether the mail was taken all the same.
    """

    id: int
    exchange: Exchange
    chaos: bool
    taken: bool


class Refusals:
    """Keep the newest; any thread may call any method."""

    def __init__(self) -> None:
        self._kept: deque[Refusal] = deque(maxlen=MOST)
        self._numbers = count(1)

    def add(self, exchange: Exchange, *, chaos: bool, taken: bool) -> None:
        """Keep one, of long bodies the beginning."""
        short = attrs.evolve(
            exchange, body=exchange.body[:MAX_BODY], answer_body=exchange.answer_body[:MAX_BODY]
        )
        self._kept.append(Refusal(id=next(self._numbers), exchange=short, chaos=chaos, taken=taken))

    def newest(self) -> Sequence[Refusal]:
        """Return them, newest first."""
        return list(self._kept)[::-1]

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Forget them."""
        self._kept.clear()
