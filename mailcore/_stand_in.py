"""The seam for tests: what answers in the place of every transport of the process.

Rule: `mailcore.testing` alone puts anything here. Both carriers look here before they make or use a
transport; nothing else in mailcore knows whether it is under test.
"""

from __future__ import annotations

from typing import Any, Protocol

from mailcore._http import Request
from mailcore._plugins import PluginHost

__all__ = ["STAND_INS", "StandIn", "stand_in"]


class StandIn(Protocol):
    """Answer at once, so that it serves sync and async alike; safe to share between threads."""

    def replaces(self, given: object, *, host: PluginHost) -> bool:
        """
        Return whether it answers for a mailer or receiver of that host.

        Args:
            given: The transport the caller gave; None: the usual ones.
        """
        ...

    def answer(self, request: Request, *, provider: str, host: PluginHost) -> Any:
        """Return the response, or raise what a transport may raise."""
        ...


#: The doubles in use; the last one counts. Empty but within `mailcore.testing.captured`.
STAND_INS: list[StandIn] = []


def stand_in(given: object, *, host: PluginHost) -> StandIn | None:
    """Return the double that answers in the place of a transport."""
    return STAND_INS[-1] if STAND_INS and STAND_INS[-1].replaces(given, host=host) else None
