"""How a send ended, and what a failure is about.

Rule: four outcomes, no more; nothing is said to be sent, or not sent, that is not proven.
"""

from __future__ import annotations

import enum

__all__ = ["Outcome", "Scope"]


class Outcome(enum.Enum):
    """How a send ended. Every send ends in exactly one of these."""

    #: The provider has the mail.
    ACCEPTED = "accepted"
    #: Nothing happened; repeating it, here or elsewhere, is safe.
    NOT_ACCEPTED = "not_accepted"
    #: The provider said no and will say no again.
    REJECTED = "rejected"
    #: Maybe sent, maybe not.
    UNKNOWN = "unknown"


class Scope(enum.Enum):
    """What a failed send is about, and so what else it stops."""

    #: This message only; the next one may pass.
    MESSAGE = "message"
    #: The account: every further message will fail alike until somebody acts.
    ACCOUNT = "account"
    #: The provider or the way to it.
    PROVIDER = "provider"
