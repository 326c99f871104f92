"""Resend's documented policies, as advice: Resend has the last word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailcore import Advice, Message
from mailcore_resend._send import named_type, tag_value

__all__ = ["advice"]

_SEND = "https://resend.com/docs/api-reference/emails/send-email"
_TAGS = "https://resend.com/docs/dashboard/emails/tags"
_TYPE = "https://github.com/anymail/django-anymail/issues/440"

MAX_RECIPIENTS = 50
MAX_SIZE = 40 * 1024 * 1024
MAX_TAG = 256
MAX_TAGS = 75
_TAG = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_TAG}}}")


def advice(message: Message) -> tuple[Advice, ...]:
    """Return what Resend may refuse in `message`."""
    return tuple(_found(message))


def _found(message: Message) -> Iterator[Advice]:
    if len(message.to) > MAX_RECIPIENTS:
        text = f"'to' has {len(message.to)} addresses; Resend documents at most {MAX_RECIPIENTS}."
        yield Advice(code="resend.too-many-recipients", field="to", text=text, url=_SEND)
    if sum((len(file) + 2) // 3 * 4 for file in message.attachments) > MAX_SIZE:
        text = (
            f"the files are larger than {MAX_SIZE // 1024 // 1024} MB as base64, Resend's documented limit."
        )
        yield Advice(code="resend.too-large", field="attachments", text=text, url=_SEND)
    for file in message.attachments:
        if usual := named_type(file):
            text = f"{file.filename!r} goes as {usual}, not {file.content_type}: Resend loses mail otherwise."
            yield Advice(code="resend.type", field="attachments", text=text, url=_TYPE)
    if (count := len(message.metadata)) > MAX_TAGS:
        text = f"the message has {count} values of metadata; Resend documents at most {MAX_TAGS} tags."
        yield Advice(code="resend.too-many-tags", field="metadata", text=text, url=_TAGS)
    for name, value in message.metadata.items():
        if not (_TAG.fullmatch(name) and _TAG.fullmatch(tag_value(value))):
            text = (
                f"the name or value of {name!r} is not 1 to {MAX_TAG} ASCII letters, digits, '_' and '-', "
                "of which Resend makes tags."
            )
            yield Advice(code="resend.tag", field="metadata", text=text, url=_SEND)
