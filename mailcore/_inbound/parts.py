"""A received mail as a provider parsed it.

Rule: values are kept as headers, so that a mail without its raw text reads like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Self, TypeAlias

import attrs

from mailcore._address import Address
from mailcore._inbound.attachment import InboundAttachment
from mailcore._mime.tree import HeaderFields

__all__ = ["HeaderSource", "InboundParts", "MailboxSource"]

HeaderSource: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
MailboxSource: TypeAlias = str | Address | Iterable[str | Address] | None


@attrs.frozen(kw_only=True)
class InboundParts:
    """
    What a provider parsed of a mail.

    Attributes:
        headers: Pairs in order; values may be decoded or not.
    """

    headers: tuple[tuple[str, str], ...] = ()
    text: str | None = None
    html: str | None = None
    attachments: tuple[InboundAttachment, ...] = ()

    @classmethod
    def build(
        cls,
        headers: HeaderSource,
        named: Mapping[str, Any],
        *,
        text: str | None,
        html: str | None,
        attachments: Iterable[InboundAttachment],
    ) -> Self:
        """Return parts in which the values of `named` that are not None replace headers of the same name."""
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        given = {name.lower() for name, value in named.items() if value is not None}
        kept = [(name, value) for name, value in pairs if name.lower() not in given]
        made = [(name, item) for name, value in named.items() for item in _items(value)]
        return cls(headers=(*kept, *made), text=text, html=html, attachments=tuple(attachments))

    @property
    def raw_headers(self) -> HeaderFields:
        """The headers in the form they have in a raw mail."""
        return tuple((name, value.encode("utf-8", "replace")) for name, value in self.headers)


def _items(value: Any) -> list[str]:
    """Return header values; each item of a list is one of its own, so that none reaches into the next."""
    if value is None:
        return []
    if isinstance(value, datetime):
        from email.utils import format_datetime

        return [format_datetime(value)]
    if isinstance(value, Address):
        return [value.to_text()]
    if isinstance(value, str):
        return [value]
    return [text for item in value for text in _items(item)]
