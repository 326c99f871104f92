"""A mail as MailPace holds it after acceptance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import attrs

__all__ = ["BouncedMail", "Content", "Mailbox", "SentAttachment", "SentMail"]


class Mailbox(NamedTuple):
    """One address as the standard library read it: display name (or empty) and addr-spec."""

    name: str
    address: str


@attrs.frozen(kw_only=True)
class SentAttachment:
    """
    One attachment, decoded.

    Attributes:
        content: The decoded bytes.
        cid: As sent, or None. MailPace docs: any `cid` makes the part inline.
    """

    name: str
    content_type: str
    content: bytes = attrs.field(repr=lambda content: f"<{len(content)} bytes>")
    cid: str | None = None

    @property
    def inline(self) -> bool:
        """Tell whether the recipient sees it in the text rather than beside it."""
        return self.cid is not None


@attrs.frozen(kw_only=True)
class Content:
    """
    What a request body says.

    Attributes:
        payload: The JSON object as received.
        tags: In order; one string in the payload is one tag.
        ignored_fields: Names MailPace does not know, and so lost; `attachments.x` for those of an
            attachment.
        empty_fields: Names whose value was null, "" or [], and so counted as absent.
    """

    payload: Mapping[str, Any] = attrs.field(repr=False)
    from_: Mailbox
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()
    tags: tuple[str, ...] = ()
    attachments: tuple[SentAttachment, ...] = ()
    ignored_fields: tuple[str, ...] = ()
    empty_fields: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class SentMail(Content):
    """
    An accepted mail.

    Attributes:
        id: As in the answer to the send; `act` takes it as text.
        message_id: The RFC 5322 Message-ID, with its angle brackets.
        status: `pending`, then the word of the last event.
        created_at: When it was accepted.
        updated_at: When the last event happened.
        idempotency_key: The header as received; None where there was none.
    """

    id: int
    message_id: str
    status: str
    created_at: datetime
    updated_at: datetime
    idempotency_key: str | None = None


@attrs.frozen(kw_only=True)
class BouncedMail:
    """
    An inbound mail that MailPace gave up on and returned to its sender.

    Attributes:
        to: Who got the bounce: the original sender; empty where the mail names none.
        message_id: Message-ID of the original.
    """

    to: str
    message_id: str
    bounced_at: datetime
