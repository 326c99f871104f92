"""A mail as Mailgun holds it after acceptance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import attrs

__all__ = ["Mailbox", "SentFile", "SentMail"]

_VARIABLE = re.compile(r"%recipient\.([^%]+)%")


class Mailbox(NamedTuple):
    """One address as the standard library read it: display name (or empty) and addr-spec."""

    name: str
    address: str


@attrs.frozen(kw_only=True)
class SentFile:
    """
    One file of a mail.

    Attributes:
        inline: Whether it came as `inline`: then its name is its content id.
    """

    filename: str
    content_type: str
    content: bytes = attrs.field(repr=lambda content: f"<{len(content)} bytes>")
    inline: bool = False


@attrs.frozen(kw_only=True)
class SentMail:
    """
    An accepted mail.

    Attributes:
        id: As in the answer, with its angle brackets.
        fields: Every field of the form, in order; files are apart.
        recipients: Who gets it: `to`, `cc` and `bcc`; of MIME, `to` alone.
        headers: `h:` fields.
        variables: `v:` fields, of which events speak.
        recipient_variables: None where there were none: then all see each other.
        mime: The mail itself, where it came as MIME.
        deliver_at: `o:deliverytime`, or when it was accepted.
    """

    id: str
    domain: str
    fields: tuple[tuple[str, str], ...] = attrs.field(repr=False)
    sender: Mailbox
    recipients: tuple[Mailbox, ...]
    subject: str
    headers: Mapping[str, str]
    variables: Mapping[str, Any]
    tags: tuple[str, ...]
    recipient_variables: Mapping[str, Mapping[str, Any]] | None
    files: tuple[SentFile, ...]
    mime: bytes | None = attrs.field(repr=False)
    test_mode: bool
    accepted_at: datetime
    deliver_at: datetime

    def field(self, name: str) -> str:
        """Return the first value of a field; empty where there is none."""
        return next((value for key, value in self.fields if key == name), "")

    def values(self, name: str) -> tuple[str, ...]:
        """Return every value of a field."""
        return tuple(value for key, value in self.fields if key == name)

    def personal(self, text: str, recipient: str) -> str:
        """Return a text as one recipient of a batch reads it."""
        own = (self.recipient_variables or {}).get(recipient, {})
        return _VARIABLE.sub(lambda found: str(own.get(found[1], found[0])), text)
