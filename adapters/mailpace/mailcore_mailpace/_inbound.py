"""Inbound webhook → incoming mail (https://docs.mailpace.com/guide/inbound).

Rule 1: `raw` is the source of truth: it is what MailPace received. What MailPace parsed of it stands in
        where bytes were lost on the way: `raw` travels as JSON text, so 8-bit parts were decoded once.
Rule 2: a field of another type than documented is left out and noted; only a mail without `raw` and
        `messageId` is not one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from mailcore import Defect, DefectCode, InboundAttachment, InboundMessage

__all__ = ["is_inbound", "message"]

#: Kept elsewhere in the mail; they would double its size.
_LARGE = ("raw", "attachments", "html", "text")
_TEXTS = ("subject", "inReplyTo", "html", "text", "from", "to", "cc", "bcc", "replyTo")


def is_inbound(document: Any) -> bool:
    """Return whether a parsed body has the shape of an incoming mail; an event never has."""
    return (
        isinstance(document, dict)
        and isinstance(document.get("raw"), str)
        and isinstance(document.get("messageId"), str)
        and "event" not in document
    )


def message(document: Mapping[str, Any]) -> InboundMessage:
    """
    Return the mail.

    MailPace sends no id of the delivery, no envelope and no time of receipt. Redeliveries share
    the hash of what was received, which is the event id; a Message-ID is the sender's to choose and
    could be used to hide another mail.
    """
    defects: list[Defect] = []
    raw = document["raw"].encode()
    fields = {name: value for name, value in document.items() if name not in _LARGE}
    texts = {name: _text(document, name, defects) for name in _TEXTS}
    return InboundMessage.from_parts(
        raw=raw,
        headers=tuple(_headers(document.get("headers"), defects)),
        from_=texts["from"],
        to=texts["to"],
        cc=texts["cc"],
        bcc=texts["bcc"],
        reply_to=texts["replyTo"],
        subject=texts["subject"],
        message_id=document["messageId"],
        text=texts["text"],
        html=texts["html"],
        attachments=tuple(_attachments(document.get("attachments"), defects)),
        event_id=_event_id(fields, raw),
        provider_fields=fields,
        provider_defects=tuple(defects),
    )


def _event_id(fields: Mapping[str, Any], raw: bytes) -> str:
    # Fast, for many megabytes, which the body holds twice; the name keeps it from being another event's.
    digest = hashlib.blake2b(digest_size=32, person=b"mailpace:inbound")
    digest.update(json.dumps(fields, sort_keys=True).encode())
    digest.update(raw)
    return digest.hexdigest()


def _note(defects: list[Defect], where: str) -> None:
    defects.append(Defect(DefectCode.PROVIDER_FIELD, where, "MailPace's payload has another type here."))


def _text(document: Mapping[str, Any], name: str, defects: list[Defect]) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        _note(defects, name)
        return None
    return value


def _items(value: Any, where: str, kind: type, defects: list[Defect]) -> Iterator[Any]:
    if value is not None and not isinstance(value, list):
        _note(defects, where)
        return
    for item in value or ():
        if isinstance(item, kind):
            yield item
        else:
            _note(defects, where)


def _headers(value: Any, defects: list[Defect]) -> Iterator[tuple[str, str]]:
    for line in _items(value, "headers", str, defects):
        name, colon, content = line.partition(":")
        if colon:
            yield name.strip(), content.strip()
        else:
            _note(defects, "headers")


def _attachments(value: Any, defects: list[Defect]) -> Iterator[InboundAttachment]:
    for fields in _items(value, "attachments", dict, defects):
        content = fields.get("content")
        if not isinstance(content, str):
            _note(defects, "attachments")
            continue
        yield _attachment(fields, content)


def _attachment(fields: Mapping[str, Any], content: str) -> InboundAttachment:
    def text(name: str) -> str | None:
        value = fields.get(name)
        return value if isinstance(value, str) and value else None

    disposition = (text("contentDisposition") or "").lower()
    return InboundAttachment.from_base64(
        content,
        content_type=text("contentType") or "application/octet-stream",
        filename=text("filename"),
        content_id=text("contentId") or text("cid"),
        inline=disposition == "inline" or fields.get("related") is True,
        checksum=text("checksum"),
    )
