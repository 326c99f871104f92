"""Django's messages as mailcore's.

Rule 1: what Django itself refuses is refused with Django's own error.
Rule 2: what a `Message` cannot say is an error, never left out in silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from email import message_from_bytes
from email.message import Message as StdlibMessage
from email.utils import format_datetime
from typing import Any

from django.conf import settings
from django.core.mail import DEFAULT_ATTACHMENT_MIME_TYPE, EmailMessage
from django.utils.encoding import force_bytes, force_str

from mailcore import Address, Attachment, InvalidMessage, Message, UnsupportedFeature
from mailcore._mime.stdlib import attachment_from_part
from mailcore.frameworks.django._anymail import added_fields

__all__ = ["message_from_django"]

_BODIES = {"text/plain": "text", "text/html": "html", "text/x-amp-html": "amp_html"}


def message_from_django(source: EmailMessage, *, provider: str = "") -> Message:
    """
    Return the message that one of Django's stands for.

    Args:
        provider: Whom `esp_extra` is meant for.

    Raises:
        InvalidMessage: A value that cannot be part of any mail.
        UnsupportedFeature: Something that a `Message` cannot say.
        ValueError: What Django raises for it.
    """
    try:
        return Message(**_fields(source, provider))
    except InvalidMessage:
        source.message()  # code that catches Django's error keeps working
        raise


def _fields(source: EmailMessage, provider: str) -> dict[str, Any]:
    return {
        "from_": Address.parse(str(source.from_email), field="from_"),
        **{name: _addresses(getattr(source, name), name) for name in ("to", "cc", "bcc", "reply_to")},
        "subject": str(source.subject),
        **_bodies(source),
        "attachments": [_attachment(item, source) for item in source.attachments],
        "headers": {name: _header(value) for name, value in source.extra_headers.items()},
        **added_fields(source, provider),
    }


def _addresses(values: Iterable[Any], field: str) -> list[Address]:
    return [Address.parse(str(value), field=field) for value in values if value]


def _header(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_datetime(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _bodies(source: EmailMessage) -> dict[str, str]:
    given: list[tuple[Any, str]] = [(source.body, f"text/{source.content_subtype}")] if source.body else []
    given += getattr(source, "alternatives", None) or []
    bodies: dict[str, str] = {}
    for content, media_type in given:
        field = _BODIES.get(media_type.lower())
        if field is None:
            raise UnsupportedFeature(
                f"An alternative of type {media_type} cannot be sent. Attach it.", field="attachments"
            )
        if field in bodies:
            raise UnsupportedFeature(f"There is more than one {media_type} body.", field=field)
        bodies[field] = force_str(content)
    return bodies


def _attachment(item: Any, source: EmailMessage) -> Attachment:
    if isinstance(item, StdlibMessage):  # MIMEBase is one, and so is MIMEPart
        return attachment_from_part(item)
    filename, content, media_type = (*item, None, None)[:3]
    name = str(filename) if filename else None
    kind = media_type or ""
    if kind == "message/rfc822":
        return Attachment.from_message(_as_message(content), filename=name)
    if kind.startswith("text/"):
        return _text_attachment(name, content, kind, source)
    return Attachment(content=force_bytes(content), filename=name, content_type=kind)


def _as_message(content: Any) -> StdlibMessage:
    if isinstance(content, EmailMessage):
        content = content.message().as_bytes()  # Django 5's own classes know no policies
    return content if isinstance(content, StdlibMessage) else message_from_bytes(force_bytes(content))


def _text_attachment(name: str | None, content: Any, kind: str, source: EmailMessage) -> Attachment:
    if isinstance(content, bytes):
        try:
            content = content.decode()
        except UnicodeDecodeError:  # not the text it is called, which is what Django makes of it
            return Attachment(content=content, filename=name, content_type=DEFAULT_ATTACHMENT_MIME_TYPE)
    charset = str(source.encoding or settings.DEFAULT_CHARSET)
    return Attachment(content=content, filename=name, content_type=kind, charset=charset)
