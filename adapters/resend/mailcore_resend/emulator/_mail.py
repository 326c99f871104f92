"""A mail as Resend holds it after acceptance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

__all__ = ["SentFile", "SentMail"]


@attrs.frozen(kw_only=True)
class SentFile:
    """
    One file of a mail.

    Attributes:
        content_id: What the HTML refers to; None for a plain file.
    """

    filename: str
    content_type: str
    content: bytes = attrs.field(repr=lambda content: f"<{len(content)} bytes>")
    content_id: str | None = None


@attrs.frozen(kw_only=True)
class SentMail:
    """
    An accepted mail.

    Attributes:
        fields: The JSON as it came.
        files: The attachments, decoded.
        created_at: When it was accepted.
        deliver_at: When it is sent: later, where `scheduled_at` says so.
    """

    id: str
    fields: Mapping[str, Any] = attrs.field(repr=False)
    files: tuple[SentFile, ...]
    created_at: datetime
    deliver_at: datetime

    @property
    def to(self) -> tuple[str, ...]:
        """The addresses in `to`, as they came."""
        value = self.fields["to"]
        return (value,) if isinstance(value, str) else tuple(value)

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags by their names."""
        return {tag["name"]: tag["value"] for tag in self.fields.get("tags", ())}
