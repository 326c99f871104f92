"""Notification of received mail → mail.

Source: https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html

Rule 1: the mail is `content` where the notification has it (an SNS action), and the object in S3 where it
        names one; bucket and key are believed because the notification was verified.
Rule 2: a notification with neither (of a rule that bounces, stops or calls Lambda) is no mail, and an error.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from mailcore import (
    Defect,
    DefectCode,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    InvalidDocument,
    ServiceUnavailable,
    error_for_status,
    parse_timestamp,
)
from mailcore_amazon_ses._fields import addresses, digest, items, table, text
from mailcore_amazon_ses._options import AmazonSesOptions
from mailcore_amazon_ses._place import endpoint
from mailcore_amazon_ses._sigv4 import sign

__all__ = ["is_inbound", "message", "object_request", "stored"]

#: SES takes mail of 40 MB.
MAX_MAIL = 64 * 1024 * 1024

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")


def is_inbound(record: Mapping[str, Any]) -> bool:
    """Return whether a parsed message has the shape of received mail."""
    objects = isinstance(record.get("mail"), dict) and isinstance(record.get("receipt"), dict)
    return record.get("notificationType") == "Received" and objects


def object_request(
    record: Mapping[str, Any], options: AmazonSesOptions, *, now: datetime
) -> HttpRequest | None:
    """
    Return the request for the mail in S3; None where the notification names no object.

    Raises:
        InvalidDocument: It names one that cannot be asked for.
    """
    action = table(table(record.get("receipt")).get("action"))
    bucket, key = text(action.get("bucketName")), text(action.get("objectKey"))
    if action.get("type") != "S3" or isinstance(record.get("content"), str):
        return None
    if not _BUCKET.fullmatch(bucket) or not key or {".", ".."} & set(key.split("/")):
        raise InvalidDocument("The notification names no usable bucket and key.")
    region = options.bucket_region or options.region or "us-east-1"
    # In the path, so that a name with dots needs no certificate of its own.
    url = f"{options.s3_url or endpoint('s3', region)}/{bucket}/{quote(key)}"
    unsigned = HttpRequest(method="GET", url=url, commits=False, max_response=MAX_MAIL)
    return sign(unsigned, options, service="s3", region=region, now=now)


def stored(response: HttpResponse, *, now: datetime) -> bytes:
    """
    Return the mail that S3 answered with.

    Raises:
        InvalidDocument: It has none, or gives it to nobody with this key.
        ServiceUnavailable: It cannot be had for now.
    """
    if response.status == 200:
        return response.body
    code = re.search(rb"<Code>([A-Za-z]{1,64})</Code>", response.body)
    said = code[1].decode() if code else "no code"
    if response.status == 429 or response.status >= 500:
        raise error_for_status(response, said, now=now, cls=ServiceUnavailable)
    raise InvalidDocument(f"Amazon S3 answered {response.status} ({said}).")


def message(record: Mapping[str, Any], raw: bytes | None) -> InboundMessage:
    """
    Return the mail; `raw` is what S3 has of it.

    Raises:
        InvalidDocument: The notification holds none.
    """
    receipt, mail = table(record.get("receipt")), table(record.get("mail"))
    defects: list[Defect] = []
    return InboundMessage.from_parts(
        raw=_content(record, receipt, defects) if raw is None else raw,
        envelope_sender=_sender(mail.get("source")),
        envelope_recipients=[one for item in items(receipt.get("recipients")) for one in addresses(item)],
        event_id=text(mail.get("messageId")) or digest(record),
        timestamp=parse_timestamp(mail.get("timestamp")),
        provider_fields={"receipt": receipt, "mail": mail},
        provider_defects=tuple(defects),
    )


def _content(record: Mapping[str, Any], receipt: Mapping[str, Any], defects: list[Defect]) -> bytes | str:
    content = record.get("content")
    if not isinstance(content, str):
        raise InvalidDocument("The notification neither holds the mail nor names an object with it.")
    if text(table(receipt.get("action")).get("encoding")).upper() != "BASE64":
        return content
    try:
        return b64decode(content, validate=True)
    except ValueError:
        words = "The content is not the base64 it is said to be."
        defects.append(Defect(DefectCode.PROVIDER_FIELD, "content", words))
        return content


def _sender(value: Any) -> str | None:
    """Return the bare address; empty for a bounce, None where there is none to be read."""
    found = addresses(value)
    return found[0] if len(found) == 1 else ("" if value in ("", "<>") else None)
