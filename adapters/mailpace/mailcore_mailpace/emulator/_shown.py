"""An accepted mail, as its recipients would get it."""

from __future__ import annotations

from mailcore import EmulatedFile, EmulatedMail
from mailcore_mailpace.emulator._mail import SentMail

__all__ = ["shown"]

HEADERS = {
    "From": "from",
    "To": "to",
    "Cc": "cc",
    "Reply-To": "replyto",
    "Subject": "subject",
    "In-Reply-To": "inreplyto",
    "References": "references",
    "List-Unsubscribe": "list_unsubscribe",
}


def shown(mail: SentMail) -> EmulatedMail:
    """Return a mail for people to look at."""
    named = ((name, mail.payload.get(field)) for name, field in HEADERS.items())
    return EmulatedMail(
        message_id=str(mail.id),
        sender=mail.from_.address,
        recipients=tuple(mailbox.address for mailbox in (*mail.to, *mail.cc, *mail.bcc)),
        headers=(*((name, value) for name, value in named if value), ("Message-ID", mail.message_id)),
        text=mail.payload.get("textbody") or "",
        html=mail.payload.get("htmlbody") or "",
        files=tuple(
            EmulatedFile(
                filename=file.name,
                content_type=file.content_type,
                content=file.content,
                content_id=(file.cid or "").removeprefix("cid:").strip("<>"),
            )
            for file in mail.attachments
        ),
        tags=mail.tags,
    )
