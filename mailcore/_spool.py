"""Where verified deliveries wait for a handler that could not take them.

Rule: what is in the spool is acknowledged, so that nobody else has it any more. It is discarded only when
it was handled.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import attrs

from mailcore._delivery import EndpointKind, VerifiedWebhook

__all__ = ["Spool", "Spooled"]


@attrs.frozen(kw_only=True)
class Spooled:
    """
    One delivery that waits to be handled; has a JSON round trip.

    Attributes:
        kind: The endpoint it came to.
    """

    kind: EndpointKind
    webhook: VerifiedWebhook = attrs.field(repr=False)


class Spool(Protocol):
    """Keep deliveries that wait; iterate for those there are, oldest first."""

    def add(self, spooled: Spooled) -> None:
        """Keep one; when this returns, it survives a crash. The same one twice is kept once."""
        ...

    def discard(self, spooled: Spooled) -> None:
        """Forget one that was handled."""
        ...

    def __iter__(self) -> Iterator[Spooled]: ...
