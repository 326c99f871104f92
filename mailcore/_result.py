"""What became of a send.

Rule: returned, never written back on the message; recipients are keyed exactly as they were sent.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import attrs

from mailcore._http import HttpResponse, LocalResponse, SmtpResponse
from mailcore._mapping import FrozenMap
from mailcore._time import require_aware
from mailcore.exceptions import MailcoreError, Outcome

if TYPE_CHECKING:
    from mailcore._message import Message

__all__ = ["Advice", "Attempt", "RecipientResult", "SendOutcome", "SendResult", "SendStatus"]


class SendStatus(enum.Enum):
    """What the provider said of one recipient at once; later news come as events."""

    #: Taken for delivery.
    QUEUED = "queued"
    #: Already passed on.
    SENT = "sent"
    #: Refused: suppressed, blocked or against a policy.
    REJECTED = "rejected"
    #: Refused: the address is malformed.
    INVALID = "invalid"
    #: Refused for another reason.
    FAILED = "failed"
    #: The provider did not say. (An unknown *outcome* is an error, `MaybeSent`.)
    UNKNOWN = "unknown"


#: Statuses under which the provider has the mail.
TAKEN = (SendStatus.QUEUED, SendStatus.SENT, SendStatus.UNKNOWN)


@attrs.frozen(kw_only=True)
class Advice:
    """
    A provider's documented policy that a message may break; the provider has the last word.

    Attributes:
        code: Stable name, for filtering.
        field: The field it is about.
        text: What the policy is and what to do.
        url: Where the provider documents it.
    """

    code: str
    field: str
    text: str
    url: str = ""


@attrs.frozen(kw_only=True, slots=False)  # no slots: a dictionary is filled in half the time
class Attempt:
    """
    One try at a provider.

    Attributes:
        number: From 1.
        started_at: Aware UTC.
        error: Class name of the error it ended in; empty where it was accepted.
        status: The answer's status, where one came.
    """

    number: int
    provider: str
    started_at: datetime = attrs.field(converter=require_aware)
    outcome: Outcome
    error: str = ""
    status: int | None = None


@attrs.frozen(kw_only=True)
class RecipientResult:
    """
    What the provider said of one recipient.

    Attributes:
        reason: The provider's own words, where it refused.
        code: The provider's own code.
    """

    status: SendStatus
    message_id: str | None = None
    reason: str = ""
    code: str | None = None
    retriable: bool = False


def _recipients(rows: Mapping[str, RecipientResult]) -> FrozenMap[RecipientResult]:
    return rows if isinstance(rows, FrozenMap) else FrozenMap(rows)


@attrs.frozen(kw_only=True, slots=False)  # no slots: a dictionary is filled in half the time
class SendResult:
    """
    The provider has the mail.

    Attributes:
        message_id: The id events will carry; None where there is none, or one for each recipient.
        message_ids: Every id, in the order the provider gave them.
        recipients: Address as sent → what the provider said of it.
        scope: Whether the provider answers for the whole message or for each recipient.
        dropped: Fields left out because the provider cannot carry them (`on_unsupported="drop"`).
        advice: The provider's policies the message may break.
        raw: The answer as received.
    """

    message_id: str | None = attrs.field()
    recipients: Mapping[str, RecipientResult] = attrs.field(converter=_recipients)
    scope: Literal["message", "recipient"] = "message"
    message_ids: tuple[str, ...] = ()
    provider: str = ""
    idempotency_key: str | None = None
    attempts: tuple[Attempt, ...] = ()
    dropped: tuple[str, ...] = ()
    advice: tuple[Advice, ...] = ()
    raw: HttpResponse | SmtpResponse | LocalResponse | None = attrs.field(default=None, repr=False)

    @message_id.validator
    def _check_message_id(self, _: object, value: str | None) -> None:
        if value is not None and not isinstance(value, str):
            raise ValueError("An id is text, however the provider writes it.")

    @classmethod
    def for_all(
        cls, message: Message, status: SendStatus, message_id: str, *, raw: HttpResponse | None = None
    ) -> SendResult:
        """Return the result of a provider that gives one answer for the whole message."""
        one = RecipientResult(status=status, message_id=message_id)
        return cls(
            message_id=message_id,
            message_ids=(message_id,),
            recipients={address.addr_spec: one for address in message.recipients},
            raw=raw,
        )


@attrs.frozen
class SendOutcome:
    """
    How one of many messages ended: exactly one of `result` and `error` is there.

    Attributes:
        message: As given to `send_many`, so that a failed one can be sent again.
    """

    message: Message
    result: SendResult | None
    error: MailcoreError | None

    def unwrap(self) -> SendResult:
        """Return the result, or raise the error."""
        if self.result is None:
            raise self.error or MailcoreError("There is neither a result nor an error.")
        return self.result
