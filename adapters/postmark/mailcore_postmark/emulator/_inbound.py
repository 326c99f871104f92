"""The body of an inbound webhook, made from a mail (https://postmarkapp.com/developer/webhooks/inbound-webhook)."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.policy import compat32, default
from typing import Any, TypeAlias

from mailcore_postmark.emulator._addresses import pairs

__all__ = ["inbound_body"]

Part: TypeAlias = "Message[str, str]"

#: Headers that have a field of their own.
NAMED = frozenset({"from", "to", "cc", "bcc", "subject", "date", "reply-to", "return-path"})
TEXTS = {"text/plain": "TextBody", "text/html": "HtmlBody"}
_PLUS = re.compile(r"\+([^@]*)@")


def inbound_body(
    raw: bytes, *, message_id: str, sender: str | None, recipient: str | None, with_source: bool
) -> bytes:
    """Return the webhook's body; the envelope is taken from the headers where it is not given."""
    mail = _parse(raw)
    lists = {name: _mailboxes(_header(mail, name)) for name in ("From", "To", "Cc")}
    # Postmark shows the address it was delivered to under Bcc where no header names it.
    first = lists["To"][0]["Email"] if lists["To"] else ""
    to = recipient if recipient is not None else first
    named = {one["Email"].lower() for one in (*lists["To"], *lists["Cc"])}
    hidden = [_mailbox("", to)] if to and to.lower() not in named else []
    path = sender if sender is not None else _return_path(mail)
    document: dict[str, Any] = {
        "FromName": lists["From"][0]["Name"] if lists["From"] else "",
        "MessageStream": "inbound",
        "From": lists["From"][0]["Email"] if lists["From"] else "",
        "FromFull": lists["From"][0] if lists["From"] else _mailbox("", ""),
        "To": _header(mail, "To"),
        "ToFull": lists["To"],
        "Cc": _header(mail, "Cc"),
        "CcFull": lists["Cc"],
        "Bcc": ", ".join(one["Email"] for one in hidden),
        "BccFull": hidden,
        "OriginalRecipient": to,
        "Subject": _header(mail, "Subject"),
        "MessageID": message_id,
        "ReplyTo": _header(mail, "Reply-To"),
        "MailboxHash": _mailbox("", to)["MailboxHash"],
        "Date": _header(mail, "Date"),
        **dict.fromkeys(TEXTS.values(), ""),
        **_texts(mail),
        "StrippedTextReply": "",
        "Tag": "",
        "Headers": [{"Name": "Return-Path", "Value": f"<{path}>"}, *_headers(mail)],
        "Attachments": [_attachment(part) for part in _leaves(mail) if not _is_text(part)],
    }
    if with_source:
        # Known from django-anymail's tests: lines end in LF alone.
        document["RawEmail"] = raw.decode(errors="replace").replace("\r\n", "\n")
    return json.dumps(document, ensure_ascii=False).encode()


def _parse(raw: bytes) -> Part:
    try:
        return message_from_bytes(raw, policy=compat32)
    except RecursionError:  # parts in parts in parts: such a mail is delivered as its headers
        return message_from_bytes(raw.partition(b"\r\n\r\n")[0], policy=compat32)


def _clean(text: str) -> str:
    # The parser keeps bytes beyond ASCII as lone surrogates: read them as UTF-8, as a server would.
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _decoded(name: str, value: str) -> str:
    try:
        found = str(default.header_factory(name, " ".join(value.split())))
    except Exception:  # noqa: BLE001  # reason: the parser is known to raise more than it documents
        found = value
    return _clean(found)


def _header(part: Part, name: str) -> str:
    """Return a header decoded and on one line, empty where there is none."""
    value = next((text for key, text in part.raw_items() if key.lower() == name.lower()), "")
    return _decoded(name, _clean(value))


def _headers(mail: Part) -> list[dict[str, str]]:
    return [
        {"Name": _clean(name), "Value": _decoded(name, _clean(value))}
        for name, value in mail.raw_items()
        if name.lower() not in NAMED
    ]


def _return_path(mail: Part) -> str:
    named = (pairs(_header(mail, name)) for name in ("Return-Path", "From"))
    return next((address for found in named for _, address in found if address), "")


def _mailboxes(text: str) -> list[dict[str, str]]:
    return [_mailbox(name, address) for name, address in pairs(text) if address]


def _mailbox(name: str, address: str) -> dict[str, str]:
    plus = _PLUS.search(address)
    return {"Email": address, "Name": name, "MailboxHash": plus[1] if plus else ""}


def _leaves(part: Part) -> Iterator[Part]:
    if part.get_content_maintype() != "multipart" or not part.is_multipart():
        yield part
        return
    for child in part.get_payload():
        if isinstance(child, Message):
            yield from _leaves(child)


def _is_text(part: Part) -> bool:
    return (
        part.get_content_type() in TEXTS
        and part.get_content_disposition() != "attachment"
        and part.get_filename() is None
    )


def _texts(mail: Part) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in _leaves(mail):
        if _is_text(part):
            found.setdefault(TEXTS[part.get_content_type()], _text(part))
    return found


def _text(part: Part) -> str:
    try:
        return _clean(_content(part).decode(part.get_content_charset("utf-8"), errors="replace"))
    except (LookupError, ValueError):
        return _content(part).decode(errors="replace")


def _content(part: Part) -> bytes:
    payload = part.get_payload(decode=True)
    if isinstance(payload, bytes):
        return payload
    nested = part.get_payload()  # message/rfc822: a list of the one mail in it
    return b"\r\n".join(_flat(child) for child in nested if isinstance(child, Message)) if nested else b""


def _flat(part: Part) -> bytes:
    try:
        return part.as_bytes()
    except (LookupError, ValueError, RecursionError):
        return b""


def _attachment(part: Part) -> dict[str, Any]:
    content, filename, content_id = _content(part), part.get_filename(), _header(part, "Content-ID")
    document: dict[str, Any] = {
        "Name": _clean(filename) if filename else "",
        "Content": b64encode(content).decode(),
        "ContentType": part.get_content_type(),
        "ContentLength": len(content),
    }
    if content_id and part.get_content_disposition() != "attachment":
        document["ContentID"] = content_id.removeprefix("<").removesuffix(">")
    return document
