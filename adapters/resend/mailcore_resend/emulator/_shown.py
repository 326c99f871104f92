"""An accepted mail, as its recipients would get it."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import getaddresses

from mailcore import EmulatedFile, EmulatedMail
from mailcore_resend.emulator._mail import SentMail

__all__ = ["shown"]

HEADERS = {"From": "from", "To": "to", "Cc": "cc", "Reply-To": "reply_to", "Subject": "subject"}


def shown(mail: SentMail) -> EmulatedMail:
    """Return a mail for people to look at."""
    everybody = [text for name in ("to", "cc", "bcc") for text in _texts(mail, name)]
    return EmulatedMail(
        message_id=mail.id,
        sender=getaddresses(_texts(mail, "from"))[0][1],
        recipients=tuple(address for _, address in getaddresses(everybody)),
        headers=tuple(_headers(mail)),
        text=mail.fields.get("text") or "",
        html=mail.fields.get("html") or "",
        files=tuple(
            EmulatedFile(
                filename=file.filename,
                content_type=file.content_type,
                content=file.content,
                content_id=file.content_id or "",
            )
            for file in mail.files
        ),
        tags=tuple(f"{name}: {value}" for name, value in mail.tags.items()),
    )


def _texts(mail: SentMail, name: str) -> list[str]:
    value = mail.fields.get(name) or []
    return [value] if isinstance(value, str) else list(value)


def _headers(mail: SentMail) -> Iterator[tuple[str, str]]:
    for name, field in HEADERS.items():
        if mail.fields.get(field):
            yield name, ", ".join(_texts(mail, field))
    yield from (mail.fields.get("headers") or {}).items()
