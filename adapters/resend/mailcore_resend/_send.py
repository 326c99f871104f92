"""Message → request, as https://resend.com/docs/api-reference/emails/send-email documents it.

Rule 1: one entry a field; a field that is absent is an absent key, never "", null or [].
Rule 2: what Resend calls tags are pairs that come back with events: mailcore's metadata.
Rule 3: a file has a name, and the type that its name promises. Resend takes other mail and never sends it
        (https://github.com/anymail/django-anymail/issues/440).
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mailcore import (
    Address,
    Attachment,
    Base64,
    Context,
    HttpRequest,
    JsonBody,
    Message,
    Secret,
    UnsupportedFeature,
)
from mailcore_resend._options import ResendOptions

__all__ = ["batch_request", "check", "named_type", "request", "tag_value"]

_ANY_TYPE = "application/octet-stream"


def request(message: Message, ctx: Context, options: ResendOptions) -> HttpRequest:
    """
    Return the request that sends `message`.

    Raises:
        UnsupportedFeature: No `to`, or an inline file nothing can refer to.
    """
    return _post("/emails", _element(message), ctx, options)


def batch_request(messages: Sequence[Message], ctx: Context, options: ResendOptions) -> HttpRequest:
    """
    Return the request that sends several messages, each on its own merits.

    Raises:
        UnsupportedFeature: As for `request`.
    """
    elements = [_element(message) for message in messages]
    # Unless told so, Resend refuses all for the sake of one.
    return _post("/emails/batch", elements, ctx, options, [("x-batch-validation", "permissive")])


def check(message: Message) -> None:
    """
    Refuse a message by itself, before it can cost the others of its batch anything.

    Raises:
        UnsupportedFeature: It has no `to`.
    """
    if not message.to:
        raise _unsupported("to", "Resend needs an address in 'to'; cc or bcc alone cannot be sent.")


def tag_value(value: Any) -> str:
    """Return a value of metadata as the value of a tag: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=dict)


def named_type(file: Attachment) -> str | None:
    """Return the type that a file's name promises where it is another than the file's; None: they agree."""
    if not file.filename:
        return None
    usual = Attachment(content=b"", filename=file.filename).content_type
    return None if usual in (file.content_type, _ANY_TYPE) else usual


def _post(
    path: str, document: Any, ctx: Context, options: ResendOptions, more: Iterable[tuple[str, str]] = ()
) -> HttpRequest:
    headers: list[tuple[str, str | Secret]] = [("Content-Type", "application/json"), *more]
    if options.api_key is not None:
        headers.append(("Authorization", options.api_key.as_bearer()))
    if ctx.idempotency_key:
        headers.append(("Idempotency-Key", ctx.idempotency_key))
    return HttpRequest(method="POST", url=options.api_url + path, headers=headers, body=JsonBody(document))


def _element(message: Message) -> dict[str, Any]:
    check(message)
    payload = {name: write(value) for ours, name, write in _FIELDS if (value := getattr(message, ours))}
    headers = _headers(message)
    return {
        **payload,
        **({"headers": headers} if headers else {}),
        **message.provider_options.get("resend", {}),
    }


def _unsupported(field: str, text: str) -> UnsupportedFeature:
    return UnsupportedFeature(text, field=field, provider="resend")


def _headers(message: Message) -> dict[str, str]:
    fields = {
        "In-Reply-To": message.in_reply_to or "",
        "References": " ".join(message.references),
        "List-Unsubscribe": ", ".join(f"<{uri}>" for uri in message.list_unsubscribe),
    }
    return {**message.headers, **{name: value for name, value in fields.items() if value}}


def _addresses(addresses: Iterable[Address]) -> list[str]:
    return [address.to_text() for address in addresses]


def _tags(metadata: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"name": name, "value": tag_value(value)} for name, value in metadata.items()]


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _attachments(files: Iterable[Attachment]) -> list[dict[str, Any]]:
    return [_attachment(file) for file in files]


def _attachment(file: Attachment) -> dict[str, Any]:
    if file.inline and file.content_id is None:
        raise _unsupported(
            "attachments", "Resend shows an attachment inline by its content id only. Give content_id=."
        )
    name = file.filename or f"attachment{mimetypes.guess_extension(file.content_type) or ''}"
    return {
        "filename": name,
        "content": Base64(file),
        "content_type": named_type(file) or file.full_content_type,
        **({"content_id": file.content_id} if file.inline else {}),
    }


#: Our field, Resend's field, and how it is written.
_FIELDS: Sequence[tuple[str, str, Callable[[Any], Any]]] = (
    ("from_", "from", lambda authors: authors[0].to_text()),  # more than one is not declared
    ("to", "to", _addresses),
    ("cc", "cc", _addresses),
    ("bcc", "bcc", _addresses),
    ("reply_to", "reply_to", _addresses),
    ("subject", "subject", str),
    ("text", "text", str),
    ("html", "html", str),
    ("metadata", "tags", _tags),
    ("send_at", "scheduled_at", _time),
    ("attachments", "attachments", _attachments),
)
