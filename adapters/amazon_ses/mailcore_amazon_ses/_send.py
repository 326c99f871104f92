"""Message → request, as API_SendEmail.html and API_SendBulkEmail.html document it.

Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/

Rule 1: a mail goes as `Raw`, always: the MIME is mailcore's own. `Simple` cannot say AMP, a 16th header, a
        header beyond ASCII, or a file without a name; and two ways to say one mail are two mails.
Rule 2: what SES must fill in goes as `Template`: a stored one, or the message's own subject and bodies. Where
        each address in `to` gets its own mail, all go in one bulk request, one entry each, in their order.
Rule 3: a field that is absent is an absent key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mailcore import (
    Address,
    Attachment,
    Base64,
    Context,
    HttpRequest,
    JsonBody,
    Message,
    MimeBody,
    UnsupportedFeature,
)
from mailcore_amazon_ses._options import AmazonSesOptions
from mailcore_amazon_ses._place import endpoint
from mailcore_amazon_ses._sigv4 import sign

__all__ = ["request"]

_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FEATURES = {True: "ENABLED", False: "DISABLED"}


def request(message: Message, ctx: Context, options: AmazonSesOptions) -> HttpRequest:
    """
    Return the request that sends `message`.

    Raises:
        UnsupportedFeature: A field that a template, a message tag or SES itself cannot say.
    """
    if len(message.from_) > 1:
        raise _unsupported("from_", "SES documents one sender a mail.")
    _refuse_local_parts_beyond_ascii(message)
    path, document = _document(message, ctx, options)
    document |= _shared(message, options)
    document = {name: value for name, value in document.items() if value} | dict(
        message.provider_options.get("amazon-ses", {})
    )
    region = options.region or "us-east-1"
    unsigned = HttpRequest(
        method="POST",
        url=(options.api_url or endpoint("email", region)) + path,
        headers=[("Content-Type", "application/json")],
        body=JsonBody(document),
    )
    return sign(unsigned, options, service="ses", region=region, now=ctx.now)


def _document(message: Message, ctx: Context, options: AmazonSesOptions) -> tuple[str, dict[str, Any]]:
    if message.is_batch:
        return "/v2/email/outbound-bulk-emails", {
            "FromEmailAddress": message.from_[0].to_header(),
            "ReplyToAddresses": _headers_of(message.reply_to),
            "DefaultContent": {"Template": _template(message)},
            "BulkEmailEntries": [_entry(message, address, options) for address in message.to],
        }
    tags = _tags(message, options, message.metadata)
    if message.template_id or message.merge_global_data:
        return "/v2/email/outbound-emails", {
            "FromEmailAddress": message.from_[0].to_header(),
            "Destination": _destination(message, message.to, Address.to_header),
            "ReplyToAddresses": _headers_of(message.reply_to),
            "Content": {"Template": _template(message)},
            "EmailTags": tags,
        }
    source = MimeBody(message, created=ctx.created, unique=ctx.unique)
    return "/v2/email/outbound-emails", {
        "Destination": _destination(message, message.to, lambda address: address.ascii_spec),
        "Content": {"Raw": {"Data": Base64(source)}},
        "EmailTags": tags,
    }


def _shared(message: Message, options: AmazonSesOptions) -> dict[str, Any]:
    sender = message.envelope_sender
    tracking = {
        name: _FEATURES[wanted]
        for name, wanted in {
            "OpenTrackingEnabled": message.track_opens,
            "ClickTrackingEnabled": message.track_clicks,
        }.items()
        if wanted is not None
    }
    return {
        "FromEmailAddressIdentityArn": options.from_identity_arn,
        "FeedbackForwardingEmailAddress": sender and sender.ascii_spec,
        "ConfigurationSetName": options.configuration_set,
        "ConfigurationOverrides": tracking and {"Tracking": tracking},
    }


def _destination(
    message: Message, to: Iterable[Address], write: Callable[[Address], str]
) -> dict[str, list[str]]:
    lists = {"ToAddresses": to, "CcAddresses": message.cc, "BccAddresses": message.bcc}
    return {name: [write(address) for address in addresses] for name, addresses in lists.items() if addresses}


def _headers_of(addresses: Iterable[Address]) -> list[str]:
    return [address.to_header() for address in addresses]


def _entry(message: Message, address: Address, options: AmazonSesOptions) -> dict[str, Any]:
    """Return one mail of a bulk request, with all of its data and tags: nothing depends on defaults."""
    metadata = _row(message.merge_metadata, address)
    data = _row(message.merge_data, address)
    headers = _row(message.merge_headers, address)
    content = {"ReplacementTemplateData": _json({**message.merge_global_data, **data})}
    fields = {
        "Destination": _destination(message, [address], Address.to_header),
        "ReplacementTags": _tags(message, options, {**message.metadata, **metadata}),
        "ReplacementEmailContent": {"ReplacementTemplate": content} if data else None,
        "ReplacementHeaders": _name_values(headers, "merge_headers"),
    }
    return {name: value for name, value in fields.items() if value}


def _row(rows: Mapping[str, Mapping[str, Any]] | None, address: Address) -> Mapping[str, Any]:
    return (rows or {}).get(address.addr_spec, {})


def _tags(message: Message, options: AmazonSesOptions, metadata: Mapping[str, Any]) -> list[dict[str, str]]:
    labels = [(options.tag_name, tag, "tags") for tag in message.tags]
    values = [(name, value, "metadata") for name, value in metadata.items()]
    for name, value, field in [*labels, *values]:
        number = isinstance(value, int) and not isinstance(value, bool)
        if not _TAG.fullmatch(name) or not (number or (isinstance(value, str) and _TAG.fullmatch(value))):
            raise _unsupported(
                field,
                "A message tag of SES is letters, digits, _ and -, at most 256; its value may be a number.",
            )
    if options.tag_name in metadata and message.tags:
        raise _unsupported(
            "metadata", f"{options.tag_name!r} is the name of the tag. Choose another tag_name."
        )
    return [{"Name": name, "Value": str(value)} for name, value, _ in [*labels, *values]]


# Templates ------------------------------------------------------------------------------------------


def _template(message: Message) -> dict[str, Any]:
    if message.amp_html:
        raise _unsupported("amp_html", "A template of SES has no AMP body.")
    fields = {
        "TemplateName": message.template_id,
        "TemplateContent": _own_content(message),
        "TemplateData": _json(message.merge_global_data),
        "Headers": _name_values(_template_headers(message), "headers"),
        "Attachments": [_attachment(attachment) for attachment in message.attachments],
    }
    return {name: value for name, value in fields.items() if value}


def _own_content(message: Message) -> dict[str, str] | None:
    given = {"subject": message.subject, "text": message.text, "html": message.html}
    for field, value in given.items():
        if value and message.template_id:
            raise _unsupported(field, f"With a stored template, SES takes the {field} from the template.")
    return {field.capitalize(): value for field, value in given.items() if value}


def _template_headers(message: Message) -> dict[str, str]:
    own = {
        "In-Reply-To": message.in_reply_to or "",
        "References": " ".join(message.references),
        "List-Unsubscribe": ", ".join(f"<{uri}>" for uri in message.list_unsubscribe),
    }
    return {**{name: value for name, value in own.items() if value}, **message.headers}


def _name_values(headers: Mapping[str, str], field: str) -> list[dict[str, str]]:
    for name, value in headers.items():
        if not (name + value).isascii():
            raise _unsupported(field, f"With a template, SES takes headers in ASCII; {name} is not.")
    return [{"Name": name, "Value": value} for name, value in headers.items()]


def _attachment(attachment: Attachment) -> dict[str, Any]:
    fields = {
        "FileName": attachment.filename or "attachment.bin",  # SES wants a name with an extension
        "RawContent": Base64(attachment),
        "ContentType": attachment.full_content_type,
        "ContentDisposition": "INLINE" if attachment.inline else "ATTACHMENT",
        "ContentId": attachment.content_id,
        "ContentTransferEncoding": "BASE64",  # seven bits, unless said
    }
    return {name: value for name, value in fields.items() if value is not None}


def _json(values: Mapping[str, Any]) -> str:
    return b"".join(JsonBody(values)).decode("ascii")


# What cannot be said --------------------------------------------------------------------------------


def _refuse_local_parts_beyond_ascii(message: Message) -> None:
    for field in ("from_", "to", "cc", "bcc", "reply_to", "envelope_sender"):
        found = getattr(message, field)
        for address in found if isinstance(found, tuple) else filter(None, (found,)):
            if not address.local.isascii():
                raise _unsupported(field, "SES takes no address whose part before the @ is not ASCII.")


def _unsupported(field: str, text: str) -> UnsupportedFeature:
    return UnsupportedFeature(text, field=field, provider="amazon-ses")
