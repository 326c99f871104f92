"""Postmark's documented policies, as advice: Postmark has the last word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mailcore import Advice, Message

__all__ = ["advice"]

_SEND = "https://postmarkapp.com/developer/api/email-api"
_300 = "https://postmarkapp.com/support/article/1180-what-does-errorcode-300-mean"
_METADATA = "https://postmarkapp.com/support/article/1125-custom-metadata-faq"
_OVERVIEW = "https://postmarkapp.com/developer/api/overview"

MAX_RECIPIENTS = 50
MAX_SIZE = 10 * 1024 * 1024
MAX_TAG = 1000
MAX_FIELDS = 10
MAX_NAME = 20
MAX_VALUE = 80


def advice(message: Message) -> tuple[Advice, ...]:
    """Return what Postmark may refuse in `message`."""
    return tuple(_found(message))


def _found(message: Message) -> Iterator[Advice]:
    recipients = len(message.recipients) - (max(len(message.to) - 1, 0) if message.is_batch else 0)
    if recipients > MAX_RECIPIENTS:
        text = f"the mail has {recipients} recipients; Postmark documents at most {MAX_RECIPIENTS}."
        yield Advice(code="postmark.too-many-recipients", field="to", text=text, url=_300)
    if not (message.text or message.html or message.template_id):
        text = "the mail has no text and no html; Postmark refuses attachments alone."
        yield Advice(code="postmark.no-body", field="text", text=text, url=_300)
    if _size(message) > MAX_SIZE:
        text = f"the mail is larger than {MAX_SIZE // 1024 // 1024} MB, Postmark's documented limit."
        yield Advice(code="postmark.too-large", field="attachments", text=text, url=_OVERVIEW)
    if message.tags and max(map(len, message.tags)) > MAX_TAG:
        text = f"the tag is longer than {MAX_TAG} characters, Postmark's documented limit."
        yield Advice(code="postmark.tag", field="tags", text=text, url=_SEND)
    rows = (message.merge_metadata or {}).values()
    if _is_too_much(message.metadata) or any(_is_too_much({**message.metadata, **row}) for row in rows):
        text = (
            f"Postmark documents at most {MAX_FIELDS} fields of metadata, with names of {MAX_NAME} and "
            f"values of {MAX_VALUE} characters."
        )
        yield Advice(code="postmark.metadata", field="metadata", text=text, url=_METADATA)


def _size(message: Message) -> int:
    """Return the bytes of the request: files travel as base64."""
    bodies = sum([len(body.encode()) for body in (message.text, message.html) if body])
    return bodies + sum([(len(attachment) + 2) // 3 * 4 for attachment in message.attachments])


def _is_too_much(metadata: Mapping[str, Any]) -> bool:
    return len(metadata) > MAX_FIELDS or any(
        len(name) > MAX_NAME or len(str(value)) > MAX_VALUE for name, value in metadata.items()
    )
