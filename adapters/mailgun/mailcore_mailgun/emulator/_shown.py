"""An accepted mail, as its recipients would get it."""

from __future__ import annotations

from collections.abc import Iterator

from mailcore import EmulatedFile, EmulatedMail
from mailcore_mailgun.emulator._mail import SentMail

__all__ = ["shown"]

HEADERS = {"From": "from", "To": "to", "Cc": "cc", "Subject": "subject"}


def shown(mail: SentMail) -> EmulatedMail:
    """Return a mail for people to look at; what differs for each recipient of a batch stands as sent."""
    written = mail.mime is None
    return EmulatedMail(
        message_id=mail.id,
        sender=mail.sender.address,
        recipients=tuple(mailbox.address for mailbox in mail.recipients),
        headers=tuple(_headers(mail)) if written else (),
        text=_text(mail) if written else "",
        html=mail.field("html") if written else "",
        files=tuple(_files(mail)) if written else (),
        tags=mail.tags,
        source=mail.mime,
    )


def _headers(mail: SentMail) -> Iterator[tuple[str, str]]:
    for name, field in HEADERS.items():
        if mail.field(field):
            yield name, ", ".join(mail.values(field))
    yield from mail.headers.items()


def _text(mail: SentMail) -> str:
    template = mail.field("template")
    if not template:
        return mail.field("text")
    return f"Template {template}\n\n{mail.field('t:variables')}\n"


def _files(mail: SentMail) -> Iterator[EmulatedFile]:
    for file in mail.files:
        yield EmulatedFile(
            filename=file.filename,
            content_type=file.content_type,
            content=file.content,
            content_id=file.filename if file.inline else "",
        )
