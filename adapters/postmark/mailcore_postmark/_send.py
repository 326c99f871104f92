"""Messages → request, as https://postmarkapp.com/developer/api/email-api and templates-api document them.

Rule 1: one entry a field; a field that is absent is an absent key, never "", null or [].
Rule 2: a merge is a batch: one element for each address in `to`.
Rule 3: a template brings subject and bodies; whatever stands beside it would be lost, so it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mailcore import Address, Attachment, Base64, HttpRequest, JsonBody, Message, Secret, UnsupportedFeature
from mailcore_postmark._options import PostmarkOptions

__all__ = ["MAX_BATCH", "batch_request", "request"]

#: https://postmarkapp.com/developer/user-guide/send-email-with-api/batch-emails
MAX_BATCH = 500


def request(message: Message, options: PostmarkOptions) -> HttpRequest:
    """
    Return the request that sends a message.

    Raises:
        UnsupportedFeature: Values without a template, text beside one, a merge of nobody or of too many, or
            an inline attachment nothing can refer to.
    """
    if not message.is_batch:
        return _request(_element(message, options), options, template=bool(message.template_id))
    if not 0 < len(message.to) <= MAX_BATCH:
        text = (
            f"Postmark makes one mail for each of 1 to {MAX_BATCH} addresses in 'to', not {len(message.to)}."
        )
        raise _unsupported("to", text)
    elements = [_element(message, options, one) for one in message.to]
    return _batch(elements, options, template=bool(message.template_id))


def batch_request(messages: Sequence[Message], options: PostmarkOptions) -> HttpRequest:
    """
    Return the request that sends several messages: all of them by templates, or none.

    Raises:
        UnsupportedFeature: As for `request`.
    """
    elements = [_element(message, options) for message in messages]
    return _batch(elements, options, template=bool(messages[0].template_id))


def _batch(elements: Sequence[Mapping[str, Any]], options: PostmarkOptions, *, template: bool) -> HttpRequest:
    if template:
        return _post("/email/batchWithTemplates", {"Messages": elements}, options)
    return _post("/email/batch", elements, options)


def _request(element: Mapping[str, Any], options: PostmarkOptions, *, template: bool) -> HttpRequest:
    return _post("/email/withTemplate" if template else "/email", element, options)


def _post(path: str, document: Mapping[str, Any] | Sequence[Any], options: PostmarkOptions) -> HttpRequest:
    headers: list[tuple[str, str | Secret]] = [
        ("Accept", "application/json"),
        ("Content-Type", "application/json"),
    ]
    if options.server_token is not None:
        headers.append(("X-Postmark-Server-Token", options.server_token))
    return HttpRequest(method="POST", url=options.api_url + path, headers=headers, body=JsonBody(document))


def _element(message: Message, options: PostmarkOptions, recipient: Address | None = None) -> dict[str, Any]:
    """Return one mail: to everybody, or to the one recipient of a merge."""
    _refuse_what_postmark_cannot_say(message)
    payload = {
        name: write(value)
        for ours, name, write in _FIELDS
        if (value := getattr(message, ours)) or value is False
    }
    if recipient is not None:
        payload["To"] = recipient.to_text()
    if metadata := _metadata(message, recipient):
        payload["Metadata"] = metadata
    if headers := _headers(message, recipient):
        payload["Headers"] = headers
    if message.template_id:
        payload |= _template(message.template_id, message, recipient)
    if options.message_stream:
        payload["MessageStream"] = options.message_stream
    payload.update(message.provider_options.get("postmark", {}))
    return payload


def _refuse_what_postmark_cannot_say(message: Message) -> None:
    if message.template_id:
        for field in ("subject", "text", "html"):
            if getattr(message, field):
                raise _unsupported(field, f"A template of Postmark's brings its own {field}. Remove yours.")
    elif message.merge_global_data or any((message.merge_data or {}).values()):
        field = "merge_global_data" if message.merge_global_data else "merge_data"
        raise _unsupported(field, f"Postmark fills {field} into templates alone. Give template_id=.")
    for attachment in message.attachments:
        if attachment.inline and attachment.content_id is None:
            text = "Postmark shows an attachment inline by its content id only. Give content_id=."
            raise _unsupported("attachments", text)


def _unsupported(field: str, text: str) -> UnsupportedFeature:
    return UnsupportedFeature(text, field=field, provider="postmark")


def _row(rows: Mapping[str, Any] | None, recipient: Address | None) -> Mapping[str, Any]:
    return (rows or {}).get(recipient.addr_spec, {}) if recipient else {}


def _metadata(message: Message, recipient: Address | None) -> dict[str, Any]:
    return {**message.metadata, **_row(message.merge_metadata, recipient)}


def _headers(message: Message, recipient: Address | None) -> list[dict[str, str]]:
    said = dict(message.headers)
    if message.in_reply_to:
        said["In-Reply-To"] = message.in_reply_to
    if message.references:
        said["References"] = " ".join(message.references)
    if message.list_unsubscribe:
        said["List-Unsubscribe"] = ", ".join(f"<{uri}>" for uri in message.list_unsubscribe)
    if own := _row(message.merge_headers, recipient):
        names = {name.lower() for name in own}
        said = {**{name: value for name, value in said.items() if name.lower() not in names}, **own}
    return [{"Name": name, "Value": value} for name, value in said.items()]


def _template(template: str, message: Message, recipient: Address | None) -> dict[str, Any]:
    number = template.isascii() and template.isdigit()  # an alias begins with a letter
    return {
        **({"TemplateId": int(template)} if number else {"TemplateAlias": template}),
        "TemplateModel": {**message.merge_global_data, **_row(message.merge_data, recipient)},
    }


def _addresses(addresses: Iterable[Address]) -> str:
    return ", ".join([address.to_text() for address in addresses])


def _attachments(attachments: Iterable[Attachment]) -> list[dict[str, Any]]:
    return [_attachment(attachment) for attachment in attachments]


def _attachment(attachment: Attachment) -> dict[str, Any]:
    return {
        "Name": attachment.filename or "attachment",
        "Content": Base64(attachment),
        "ContentType": attachment.full_content_type,
        # Any ContentID makes it inline, so a plain attachment has none.
        **({"ContentID": f"cid:{attachment.content_id}"} if attachment.inline else {}),
    }


#: Our field, Postmark's field, and how it is written.
_FIELDS: Sequence[tuple[str, str, Callable[[Any], Any]]] = (
    ("from_", "From", lambda authors: authors[0].to_text()),  # more than one is not declared
    ("to", "To", _addresses),
    ("cc", "Cc", _addresses),
    ("bcc", "Bcc", _addresses),
    ("reply_to", "ReplyTo", _addresses),
    ("subject", "Subject", str),
    ("text", "TextBody", str),
    ("html", "HtmlBody", str),
    ("tags", "Tag", lambda tags: tags[0]),
    ("track_opens", "TrackOpens", bool),
    ("track_clicks", "TrackLinks", lambda on: "HtmlAndText" if on else "None"),
    ("attachments", "Attachments", _attachments),
)
