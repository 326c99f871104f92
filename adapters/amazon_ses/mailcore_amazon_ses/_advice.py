"""Policies of Amazon SES (https://docs.aws.amazon.com/ses/latest/dg/quotas.html); it has the last word."""

from __future__ import annotations

from collections.abc import Iterator

from mailcore import Advice, Message

__all__ = ["advice"]

QUOTAS = "https://docs.aws.amazon.com/ses/latest/dg/quotas.html"
BULK = "https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendBulkEmail.html"
MAX_RECIPIENTS = 50
#: After base64.
MAX_SIZE = 40 * 1024 * 1024


def advice(message: Message) -> tuple[Advice, ...]:
    """Return the limits that a message may break."""
    return tuple(_advice(message))


def _advice(message: Message) -> Iterator[Advice]:
    if message.is_batch and len(message.to) > MAX_RECIPIENTS:
        yield Advice(
            code="amazon-ses.too-many-mails",
            field="to",
            text=f"Amazon SES takes {MAX_RECIPIENTS} mails in one bulk request; these are {len(message.to)}.",
            url=BULK,
        )
    elif not message.is_batch and len(message.recipients) > MAX_RECIPIENTS:
        yield Advice(
            code="amazon-ses.too-many-recipients",
            field="to",
            text=f"Amazon SES takes {MAX_RECIPIENTS} recipients a mail; these are {len(message.recipients)}.",
            url=QUOTAS,
        )
    if _size(message) > MAX_SIZE:
        yield Advice(
            code="amazon-ses.too-large",
            field="attachments",
            text=f"Amazon SES takes {MAX_SIZE // 1024 // 1024} MB in all, as base64; this mail is larger.",
            url=QUOTAS,
        )


def _size(message: Message) -> int:
    bodies = sum(len((body or "").encode()) for body in (message.text, message.html, message.amp_html))
    return bodies + sum((len(attachment) + 2) // 3 * 4 for attachment in message.attachments)
