"""Message → request, as https://docs.mailpace.com/reference/send documents it.

Rule: one entry a field; a field that is absent is an absent key, never "", null or [].
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
from mailcore_mailpace._options import MailPaceOptions

__all__ = ["request"]


def request(message: Message, ctx: Context, options: MailPaceOptions) -> HttpRequest:
    """
    Return the request that sends `message`.

    Raises:
        UnsupportedFeature: No `to`, no body, or an inline attachment nothing can refer to.
    """
    _refuse_what_mailpace_cannot_say(message)
    document = {**_payload(message), **message.provider_options.get("mailpace", {})}
    headers: list[tuple[str, str | Secret]] = [
        ("Accept", "application/json"),  # anything else, */* too, is answered 406
        ("Content-Type", "application/json"),
    ]
    if options.api_key is not None:
        headers.append(("MailPace-Server-Token", options.api_key))
    if ctx.idempotency_key:
        headers.append(("Idempotency-Key", ctx.idempotency_key))
    return HttpRequest(method="POST", url=options.api_url, headers=headers, body=JsonBody(document))


def _refuse_what_mailpace_cannot_say(message: Message) -> None:
    if not message.to:
        raise _unsupported("to", "MailPace needs an address in 'to'; cc or bcc alone cannot be sent.")
    if not (message.text or message.html):
        raise _unsupported("text", "MailPace needs a text or html body; attachments alone cannot be sent.")
    for attachment in message.attachments:
        if attachment.inline and attachment.content_id is None:
            raise _unsupported(
                "attachments", "MailPace shows an attachment inline by its content id only. Give content_id=."
            )


def _unsupported(field: str, text: str) -> UnsupportedFeature:
    return UnsupportedFeature(text, field=field, provider="mailpace")


def _addresses(addresses: Iterable[Address]) -> str:
    # One comma-separated string: an unquoted name with a comma would become a recipient.
    return ", ".join([address.to_text() for address in addresses])


def _one_address(addresses: Sequence[Address]) -> str:
    return addresses[0].to_text()  # more than one is not declared, so it never comes here


def _unsubscribe(uris: Iterable[str]) -> str:
    return ", ".join(f"<{uri}>" for uri in uris)


def _attachments(attachments: Iterable[Attachment]) -> list[dict[str, Any]]:
    return [_attachment(attachment) for attachment in attachments]


def _attachment(attachment: Attachment) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": attachment.filename or _made_up_name(attachment),
        "content": Base64(attachment),
        "content_type": attachment.full_content_type,
    }
    if attachment.inline:
        # Any cid makes the part inline, so a plain attachment has none; MailPace wants the brackets.
        fields["cid"] = f"<{attachment.content_id}>"
    return fields


#: For attachments without a name: MailPace goes by the extension, and refuses what it does not list.
_EXTENSIONS = {
    "application/pdf": "pdf",
    "application/xml": "xml",
    "application/zip": "zip",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "text/calendar": "ics",
    "text/csv": "csv",
    "text/html": "html",
}


def _made_up_name(attachment: Attachment) -> str:
    return f"attachment.{_EXTENSIONS.get(attachment.content_type, 'txt')}"


#: Our field, MailPace's field, and how it is written.
_FIELDS: Sequence[tuple[str, str, Callable[[Any], Any]]] = (
    ("from_", "from", _one_address),
    ("to", "to", _addresses),
    ("cc", "cc", _addresses),
    ("bcc", "bcc", _addresses),
    ("reply_to", "replyto", _one_address),
    ("subject", "subject", str),
    ("html", "htmlbody", str),
    ("text", "textbody", str),
    ("in_reply_to", "inreplyto", str),
    ("references", "references", " ".join),  # separated by spaces, not commas
    ("list_unsubscribe", "list_unsubscribe", _unsubscribe),
    ("tags", "tags", list),
    ("attachments", "attachments", _attachments),
)


def _payload(message: Message) -> dict[str, Any]:
    return {name: write(value) for ours, name, write in _FIELDS if (value := getattr(message, ours))}
