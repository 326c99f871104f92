"""A mail as Postmark holds it after acceptance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import attrs

__all__ = ["Mailbox", "SentAttachment", "SentMail"]


class Mailbox(NamedTuple):
    """One address as the standard library read it: display name (or empty) and addr-spec."""

    name: str
    address: str


@attrs.frozen(kw_only=True)
class SentAttachment:
    """
    One attachment, decoded.

    Attributes:
        content_id: Without `cid:`, or None. Any makes the part inline.
    """

    name: str
    content_type: str
    content: bytes = attrs.field(repr=lambda content: f"<{len(content)} bytes>")
    content_id: str | None = None


@attrs.frozen(kw_only=True)
class SentMail:
    """
    An accepted mail.

    Attributes:
        payload: The JSON object as received.
        inactive: The addresses among its recipients that get nothing.
        template: Its id or alias, as sent; None where there is none.
        stream: Its message stream.
        ignored_fields: Names Postmark does not know, and so lost.
    """

    message_id: str
    payload: Mapping[str, Any] = attrs.field(repr=False)
    from_: Mailbox
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    bcc: tuple[Mailbox, ...]
    attachments: tuple[SentAttachment, ...]
    inactive: tuple[str, ...]
    template: str | None
    stream: str
    ignored_fields: tuple[str, ...]

    @property
    def reached(self) -> tuple[str, ...]:
        """The addresses that get it."""
        everyone = dict.fromkeys(mailbox.address for mailbox in (*self.to, *self.cc, *self.bcc))
        return tuple(address for address in everyone if address.lower() not in self.inactive)
