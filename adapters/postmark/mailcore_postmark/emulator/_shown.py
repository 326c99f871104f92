"""An accepted mail, as its recipients would get it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mailcore import EmulatedFile, EmulatedMail
from mailcore_postmark.emulator._mail import SentMail

__all__ = ["shown"]

HEADERS = {"From": "From", "To": "To", "Cc": "Cc", "Reply-To": "ReplyTo", "Subject": "Subject"}


def shown(mail: SentMail) -> EmulatedMail:
    """Return a mail for people to look at."""
    return EmulatedMail(
        message_id=mail.message_id,
        sender=mail.from_.address,
        recipients=tuple(mailbox.address for mailbox in (*mail.to, *mail.cc, *mail.bcc)),
        headers=tuple(_headers(mail)),
        text=_template(mail) if mail.template else mail.payload.get("TextBody") or "",
        html=mail.payload.get("HtmlBody") or "",
        files=tuple(
            EmulatedFile(
                filename=file.name,
                content_type=file.content_type,
                content=file.content,
                content_id=file.content_id or "",
            )
            for file in mail.attachments
        ),
        tags=(mail.payload["Tag"],) if mail.payload.get("Tag") else (),
    )


def _headers(mail: SentMail) -> Iterator[tuple[str, str]]:
    for name, field in HEADERS.items():
        if mail.payload.get(field):
            yield name, mail.payload[field]
    for header in mail.payload.get("Headers") or ():
        yield header["Name"], header["Value"]


def _template(mail: SentMail) -> str:
    data = json.dumps(mail.payload.get("TemplateModel"), indent=2, ensure_ascii=False)
    return f"Template {mail.template}\n\n{data}\n"
