"""What can go wrong on MailPace's side, on demand.

Rule: a fault waits for the first request it can happen to, and happens once.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Mapping

from mailcore import HttpResponse
from mailcore_mailpace.emulator._answers import CONFLICT, TOO_FAST, edge_error, empty_error, failed

__all__ = ["Fault", "Faults"]


class Fault(enum.Enum):
    """One failure of a request that is otherwise fine."""

    #: 429, whatever the rate limit.
    RATE_LIMITED = "rate limited"
    #: 500 without a body; the mail was not queued.
    ERROR_BEFORE_QUEUEING = "error before queueing"
    #: 500 without a body; the mail was queued, and its key answers from now on.
    ERROR_AFTER_QUEUEING = "error after queueing"
    #: 502 with HTML from the edge; MailPace never saw the request.
    EDGE_BEFORE_QUEUEING = "edge before queueing"
    #: 504 with HTML from the edge; the mail was queued.
    EDGE_AFTER_QUEUEING = "edge after queueing"
    #: 409: another request with the same key is being processed. Waits for a key without an answer.
    CONFLICT = "conflict"


BEFORE_QUEUEING: Mapping[Fault, Callable[[], HttpResponse]] = {
    Fault.RATE_LIMITED: lambda: failed(TOO_FAST).response,
    Fault.ERROR_BEFORE_QUEUEING: empty_error,
    Fault.EDGE_BEFORE_QUEUEING: lambda: edge_error(502),
}
WITH_KEY: Mapping[Fault, Callable[[], HttpResponse]] = {Fault.CONFLICT: lambda: failed(CONFLICT).response}
AFTER_QUEUEING: Mapping[Fault, Callable[[], HttpResponse]] = {
    Fault.ERROR_AFTER_QUEUEING: empty_error,
    Fault.EDGE_AFTER_QUEUEING: lambda: edge_error(504),
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
