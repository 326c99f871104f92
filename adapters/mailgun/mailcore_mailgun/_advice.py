"""Mailgun's documented policies, as advice."""

from __future__ import annotations

from collections.abc import Iterator

from mailcore import Advice, Message

__all__ = ["advice"]

_MANUAL = "https://documentation.mailgun.com/docs/mailgun/user-manual"
_TAGS = f"{_MANUAL}/tracking-messages/track-tagging"
_BATCH = f"{_MANUAL}/sending-messages/batch-sending"
_HTTP = f"{_MANUAL}/sending-messages/send-http"

#: The manual says 3, the help pages 10.
MAX_TAGS = 3
MAX_TAG = 128
MAX_BATCH = 1000
MAX_SIZE = 25 * 1024 * 1024


def advice(message: Message) -> tuple[Advice, ...]:
    """Return what Mailgun may refuse, or do otherwise, in `message`."""
    return tuple(_found(message))


def _found(message: Message) -> Iterator[Advice]:
    if len(message.tags) > MAX_TAGS:
        text = f"the message has {len(message.tags)} tags; Mailgun documents at most {MAX_TAGS}."
        yield Advice(code="mailgun.too-many-tags", field="tags", text=text, url=_TAGS)
    for tag in message.tags:
        if not tag.isascii() or len(tag) > MAX_TAG:
            text = f"the tag {tag!r} is longer than {MAX_TAG} characters or not ASCII, which Mailgun forbids."
            yield Advice(code="mailgun.tag", field="tags", text=text, url=_TAGS)
    if message.is_batch and len(message.to) > MAX_BATCH:
        text = f"the batch has {len(message.to)} recipients; Mailgun documents at most {MAX_BATCH}."
        yield Advice(code="mailgun.too-many-recipients", field="to", text=text, url=_BATCH)
    if _size(message) > MAX_SIZE:
        text = f"the message is larger than {MAX_SIZE // 1024 // 1024} MB, Mailgun's documented limit."
        yield Advice(code="mailgun.too-large", field="attachments", text=text, url=_HTTP)


def _size(message: Message) -> int:
    bodies = (message.text, message.html, message.amp_html)
    return sum(len((body or "").encode()) for body in bodies) + sum(map(len, message.attachments))
