"""What can go wrong on Mailgun's side, on demand: each fault happens once, to the next good request."""

from __future__ import annotations

import enum

__all__ = ["Fault"]


class Fault(enum.Enum):
    """One failure of a request that is otherwise fine."""

    #: 429, whatever the rate limit.
    RATE_LIMITED = "rate limited"
    #: 500; the mail was not queued.
    ERROR_BEFORE_QUEUEING = "error before queueing"
    #: 500; the mail was queued all the same, which senders have reported.
    ERROR_AFTER_QUEUEING = "error after queueing"
