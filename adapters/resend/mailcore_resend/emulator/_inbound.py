"""A mail that came in: what its webhook says, and what is told of it when it is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from typing import Any

from mailcore_resend.emulator._events import timestamp

__all__ = ["VALID", "event_body", "file_documents", "files", "mail_document"]

#: How long an address for a download is good.
VALID = timedelta(hours=1)


def event_body(raw: bytes, mail_id: str, now: datetime) -> bytes:
    """Return the JSON of the webhook: no body, no headers."""
    document = mail_document(raw, mail_id, now, None)
    names = ("created_at", "from", "to", "cc", "bcc", "message_id", "subject", "attachments")
    data = {"email_id": mail_id, **{name: document[name] for name in names}}
    return json.dumps({"type": "email.received", "created_at": timestamp(now), "data": data}).encode()


def files(raw: bytes) -> list[EmailMessage]:
    """Return the parts of a mail that are files."""
    mail: EmailMessage = message_from_bytes(raw, policy=default)
    return [part for part in mail.walk() if not part.is_multipart() and part.get_filename()]


def file_documents(raw: bytes, mail_id: str) -> list[dict[str, Any]]:
    """Return what is told of each file of a mail."""
    return [
        {
            "id": f"{mail_id}-{number}",
            "filename": _line(part.get_filename()),
            "content_type": part.get_content_type(),
            "content_disposition": part.get_content_disposition(),
            "content_id": _line(part.get("Content-ID", "")).strip("<>") or None,
            "size": len(part.get_payload(decode=True) or b""),
        }
        for number, part in enumerate(files(raw), 1)
    ]


def mail_document(raw: bytes, mail_id: str, now: datetime, source_url: str | None) -> Mapping[str, Any]:
    """Return what `GET /emails/receiving/{id}` answers; without an address, the source is not offered."""
    mail: EmailMessage = message_from_bytes(raw, policy=default)
    _, sender = parseaddr(_line(mail.get("From", "")))
    return {
        "object": "email",
        "id": mail_id,
        "created_at": timestamp(now),
        "from": sender,  # the address alone
        **{name: _listed(mail, name) for name in ("to", "cc", "bcc")},
        "reply_to": _listed(mail, "Reply-To"),
        "message_id": _line(mail.get("Message-ID", "")),
        "subject": _line(mail.get("Subject", "")),
        "html": _text(mail, "html"),
        "html_format": "cid",
        "text": _text(mail, "plain"),
        "headers": {name.lower(): _line(value) for name, value in mail.raw_items()},
        "attachments": file_documents(raw, mail_id),
        "raw": {"download_url": source_url, "expires_at": timestamp(now + VALID)} if source_url else None,
    }


def _line(value: Any) -> str:
    # Bytes beyond ASCII are kept as lone surrogates by the parser.
    text = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join(text.split())


def _listed(mail: EmailMessage, name: str) -> list[str]:
    value = _line(mail.get(name, ""))
    return [value] if value else []


def _text(mail: EmailMessage, kind: str) -> str | None:
    part = mail.get_body((kind,))
    if part is None:
        return None
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else None
