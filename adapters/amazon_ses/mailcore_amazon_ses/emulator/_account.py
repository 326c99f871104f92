"""What the account holds: mail that was taken, and what keeps mail from being taken."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from mailcore_amazon_ses.emulator._refusal import Refusal

__all__ = ["AccountProblem", "SentMail"]


class AccountProblem(enum.Enum):
    """Why an account may not send; the value is AWS's name of the error and its words."""

    #: For good.
    SUSPENDED = ("AccountSuspendedException", "Your account's ability to send email is suspended.")
    #: Until somebody acts.
    PAUSED = ("SendingPausedException", "Email sending is disabled for this account.")

    def refusal(self) -> Refusal:
        """Return the error."""
        return Refusal(400, *self.value)


@attrs.frozen(kw_only=True)
class SentMail:
    """
    One mail that was taken.

    Attributes:
        message_id: As in the answer, and in every event.
        payload: The whole request, parsed.
        recipients: Bare addresses, in the order of `to`, `cc`, `bcc`.
        source: The raw mail, where the request held one.
        tags: Name → values, as events have them.
    """

    message_id: str
    sender: str
    recipients: Sequence[str]
    payload: Mapping[str, Any]
    source: bytes | None
    subject: str
    tags: Mapping[str, Sequence[str]]
    sent_at: datetime
