"""What can go wrong on Postmark's side, on demand.

Rule: a fault waits for the first request it can happen to, and happens once.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Mapping

from mailcore import HttpResponse
from mailcore_postmark.emulator._answers import MAINTENANCE, SERVER_ERROR, TOO_FAST, edge_error, reply

__all__ = ["Fault", "Faults"]


class Fault(enum.Enum):
    """One failure of a request that is otherwise fine."""

    #: 429.
    RATE_LIMITED = "rate limited"
    #: 503, with the code of a planned outage.
    MAINTENANCE = "maintenance"
    #: 500; nothing was taken.
    ERROR_BEFORE_TAKING = "error before taking"
    #: 500; everything was taken.
    ERROR_AFTER_TAKING = "error after taking"
    #: 504 with HTML from the edge; everything was taken.
    EDGE_AFTER_TAKING = "edge after taking"


BEFORE: Mapping[Fault, Callable[[], HttpResponse]] = {
    Fault.RATE_LIMITED: lambda: reply(TOO_FAST.document(), 429),
    Fault.MAINTENANCE: lambda: reply(MAINTENANCE.document(), 503),
    Fault.ERROR_BEFORE_TAKING: lambda: reply(SERVER_ERROR.document(), 500),
}
AFTER: Mapping[Fault, Callable[[], HttpResponse]] = {
    Fault.ERROR_AFTER_TAKING: lambda: reply(SERVER_ERROR.document(), 500),
    Fault.EDGE_AFTER_TAKING: lambda: edge_error(504),
}


class Faults:
    """Keep the faults that wait, in the order they were asked for."""

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque()

    def add(self, *faults: Fault) -> None:
        """Let these happen, one after the other."""
        self._waiting.extend(Fault(fault) for fault in faults)

    def take(self, stage: Mapping[Fault, Callable[[], HttpResponse]]) -> HttpResponse | None:
        """Return the answer of the first waiting fault if it belongs to that stage, else None."""
        if not self._waiting or self._waiting[0] not in stage:
            return None
        return stage[self._waiting.popleft()]()
