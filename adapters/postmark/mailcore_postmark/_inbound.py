"""Inbound webhook → incoming mail (https://postmarkapp.com/developer/webhooks/inbound-webhook).

Rule 1: `RawEmail` is the source of truth where raw email is turned on; what Postmark parsed stands in where
        it is not, or where bytes were lost on the way.
Rule 2: a field of another type than documented is left out and noted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from mailcore import Address, Defect, DefectCode, InboundAttachment, InboundMessage, InvalidAddress
from mailcore_postmark._fields import address, text

__all__ = ["is_inbound", "message"]

#: Kept elsewhere in the mail; they would double its size.
_LARGE = ("RawEmail", "Attachments", "HtmlBody", "TextBody")
_TEXTS = ("RawEmail", "Subject", "Date", "ReplyTo", "TextBody", "HtmlBody", "MessageID")


def is_inbound(document: Any) -> bool:
    """Return whether a parsed body has the shape of an incoming mail; an event never has."""
    return (
        isinstance(document, dict)
        and "MessageID" in document
        and ("FromFull" in document or "RawEmail" in document)
    )


def message(document: Mapping[str, Any], body: bytes) -> InboundMessage:
    """Return the mail; `MessageID` is Postmark's own id of it, and no header of the sender's."""
    defects: list[Defect] = []
    texts = {name: _text(document, name, defects) for name in _TEXTS}
    headers = tuple(_headers(document.get("Headers"), defects))
    recipient = address(document.get("OriginalRecipient"))
    return InboundMessage.from_parts(
        raw=texts["RawEmail"],
        headers=headers,
        from_=tuple(_mailboxes(document, "FromFull", defects)),
        to=tuple(_mailboxes(document, "ToFull", defects)),
        cc=tuple(_mailboxes(document, "CcFull", defects)),
        bcc=tuple(_mailboxes(document, "BccFull", defects)),
        reply_to=texts["ReplyTo"],
        subject=texts["Subject"],
        date=texts["Date"],
        text=texts["TextBody"],
        html=texts["HtmlBody"],
        attachments=tuple(_attachments(document.get("Attachments"), defects)),
        envelope_sender=_return_path(headers),
        envelope_recipients=(recipient,) if recipient else (),
        event_id=texts["MessageID"] or hashlib.sha256(b"postmark:inbound:" + body).hexdigest(),
        provider_fields={name: value for name, value in document.items() if name not in _LARGE},
        provider_defects=tuple(defects),
    )


def _note(defects: list[Defect], where: str) -> None:
    defects.append(Defect(DefectCode.PROVIDER_FIELD, where, "Postmark's payload has another type here."))


def _text(document: Mapping[str, Any], name: str, defects: list[Defect]) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        _note(defects, name)
    return text(value) or None


def _items(value: Any, where: str, defects: list[Defect]) -> Iterator[dict[str, Any]]:
    for item in value if isinstance(value, list) else [] if value is None else [value]:
        if isinstance(item, dict):
            yield item
        else:
            _note(defects, where)


def _mailboxes(document: Mapping[str, Any], where: str, defects: list[Defect]) -> Iterator[Address | str]:
    for item in _items(document.get(where), where, defects):
        email, name = text(item.get("Email")), text(item.get("Name"))
        try:
            yield Address(email, name)
        except InvalidAddress:
            yield email  # a header of such a mail would say no more


def _headers(value: Any, defects: list[Defect]) -> Iterator[tuple[str, str]]:
    for item in _items(value, "Headers", defects):
        name, content = item.get("Name"), item.get("Value")
        if isinstance(name, str) and isinstance(content, str):
            yield name, content
        else:
            _note(defects, "Headers")


def _return_path(headers: tuple[tuple[str, str], ...]) -> str | None:
    """Return the envelope's sender: Postmark puts it first; anywhere else, the sender could have."""
    name, value = headers[0] if headers else ("", "")
    if name.lower() != "return-path":
        return None
    return "" if value.strip() == "<>" else address(value)


def _attachments(value: Any, defects: list[Defect]) -> Iterator[InboundAttachment]:
    for item in _items(value, "Attachments", defects):
        content = item.get("Content")
        if not isinstance(content, str):
            _note(defects, "Attachments")
            continue
        content_id = text(item.get("ContentID")) or None
        yield InboundAttachment.from_base64(
            content,
            content_type=text(item.get("ContentType")) or "application/octet-stream",
            filename=text(item.get("Name")) or None,
            content_id=content_id,
            inline=content_id is not None,
        )
