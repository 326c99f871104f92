"""The body of an inbound webhook, made from a mail.

MailPace docs: camelCase names, no event and no id; `from`, `headers`, `messageId` and `raw` are always
there, the rest where the mail has it. There is no envelope and no spam or auth verdict.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32, default
from email.utils import parseaddr
from typing import Any, TypeAlias

import attrs

__all__ = ["InboundMail", "read_mail"]

Part: TypeAlias = "Message[str, str]"

#: Our field → the header it is taken from; absent where the mail lacks it.
OPTIONAL_HEADERS = {
    "to": "To",
    "subject": "Subject",
    "cc": "Cc",
    "bcc": "Bcc",
    "inReplyTo": "In-Reply-To",
    "replyTo": "Reply-To",
}
TEXTS = {"text/html": "html", "text/plain": "text"}


@attrs.frozen(kw_only=True)
class InboundMail:
    """
    A received mail, ready to be delivered.

    Attributes:
        sender: Who a bounce would go to: Return-Path, else From; may be empty.
    """

    body: bytes
    sender: str
    message_id: str


def read_mail(raw: bytes, fallback_id: str) -> InboundMail:
    """Make the webhook of a mail; `fallback_id` is the Message-ID of a mail without one."""
    mail = _parse(raw)
    message_id = _header(mail, "Message-ID") or fallback_id
    document = {
        "from": _header(mail, "From"),
        **{name: _header(mail, header) for name, header in OPTIONAL_HEADERS.items() if header in mail},
        "headers": _raw_headers(mail),
        "messageId": message_id,
        "raw": raw.decode(errors="replace"),
        **_texts(mail),
        **_attachments(mail),
    }
    body = json.dumps(document, ensure_ascii=False).encode()
    return InboundMail(body=body, sender=_bounce_address(mail), message_id=message_id)


def _parse(raw: bytes) -> Part:
    try:
        return message_from_bytes(raw, policy=compat32)
    except RecursionError:  # parts in parts in parts: such a mail is delivered as its headers
        return BytesHeaderParser(policy=compat32).parsebytes(raw)


def _clean(text: str) -> str:
    # The parser keeps bytes beyond ASCII as lone surrogates: read them as UTF-8, as a server would.
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _raw_headers(part: Part) -> list[str]:
    return [_clean(f"{name}: {value}") for name, value in part.raw_items()]


def _raw_header(part: Part, name: str) -> str:
    # Not `part.get`: for bytes beyond ASCII it returns an object that has forgotten them.
    return next((value for key, value in part.raw_items() if key.lower() == name.lower()), "")


def _header(part: Part, name: str) -> str:
    """Return a header decoded and on one line, empty where there is none."""
    value = _clean(_raw_header(part, name))
    try:
        decoded = str(default.header_factory(name, " ".join(value.split())))
    except Exception:  # noqa: BLE001  # reason: the parser is known to raise more than it documents
        decoded = value
    return _clean(decoded)


def _bounce_address(mail: Part) -> str:
    return parseaddr(_header(mail, "Return-Path"))[1] or parseaddr(_header(mail, "From"))[1]


def _leaves(part: Part, *, related: bool = False) -> Iterator[tuple[Part, bool]]:
    if part.get_content_maintype() != "multipart" or not part.is_multipart():
        yield part, related
        return
    inside = part.get_content_subtype() == "related"
    for child in part.get_payload():
        if isinstance(child, Message):
            yield from _leaves(child, related=inside)


def _is_text(part: Part) -> bool:
    # A text without a name or a disposition is what people read; all else is a file.
    return (
        part.get_content_type() in TEXTS
        and part.get_content_disposition() != "attachment"
        and part.get_filename() is None
    )


def _texts(mail: Part) -> dict[str, str]:
    texts: dict[str, list[str]] = {}
    for part, _ in _leaves(mail):
        if _is_text(part):
            texts.setdefault(TEXTS[part.get_content_type()], []).append(_text(part))
    return {name: "\n".join(pieces) for name, pieces in texts.items()}


def _text(part: Part) -> str:
    charset = part.get_content_charset("utf-8")
    try:
        return _clean(_content(part).decode(charset, errors="replace"))
    except (LookupError, ValueError):
        return _content(part).decode(errors="replace")


def _content(part: Part) -> bytes:
    payload = part.get_payload(decode=True)
    if isinstance(payload, bytes):
        return payload
    # message/rfc822: a list of the one mail in it; of message/delivery-status: of header blocks
    nested = part.get_payload()
    children = nested if isinstance(nested, list) else []
    return b"\r\n".join(_flat(child) for child in children if isinstance(child, Message))


def _flat(part: Part) -> bytes:
    try:
        return part.as_bytes()
    except (LookupError, ValueError, RecursionError):
        return b""


def _attachments(mail: Part) -> dict[str, list[dict[str, Any]]]:
    found = [_attachment(part, related) for part, related in _leaves(mail) if not _is_text(part)]
    return {"attachments": found} if found else {}


def _attachment(part: Part, related: bool) -> dict[str, Any]:  # noqa: FBT001  # reason: private, one caller
    content = _content(part)
    document: dict[str, Any] = {
        "content": b64encode(content).decode(),
        "type": "attachment",
        "contentType": part.get_content_type(),
        "contentDisposition": part.get_content_disposition() or "attachment",
        "headers": _raw_headers(part),
        "checksum": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "size": len(content),
    }
    filename, content_id = part.get_filename(), _header(part, "Content-ID")
    if filename is not None:
        document["filename"] = _clean(filename)
    if content_id:
        document |= {"contentId": content_id, "cid": content_id.removeprefix("<").removesuffix(">")}
    return document | ({"related": True} if related else {})
