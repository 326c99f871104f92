"""Inbound webhook → incoming mail (https://resend.com/docs/dashboard/receiving/get-email-content).

Rule 1: a delivery holds no mail, only its id. The mail is asked for by that id, and its source downloaded
        from the address in the answer.
Rule 2: that address is followed to Resend's own host, or to that of a stand-in, and never with the API key.
        Without the source, the mail is put together from what Resend parsed, and what is missing is noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from mailcore import (
    Defect,
    DefectCode,
    Flow,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    InvalidDocument,
    Secret,
    VerifiedWebhook,
    parse_timestamp,
    strict_json,
)
from mailcore_resend._fields import addresses, event_id, table, text
from mailcore_resend._options import ResendOptions

__all__ = ["KIND", "mail_flow"]

KIND = "email.received"
#: https://resend.com/docs/api-reference/attachments/retrieve-received-email-attachment
DOWNLOADS = "https://inbound-cdn.resend.com"
MAX_MAIL = 64 * 1024 * 1024
#: It becomes part of an address.
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def mail_flow(webhook: VerifiedWebhook, options: ResendOptions) -> Flow[list[InboundMessage]]:
    """
    Fetch the one mail that a delivery points to.

    Raises:
        InvalidDocument: It points to none, or the mail cannot be had.
    """
    data = webhook.request.json()["data"]
    response = yield _request(data.get("email_id"), options)
    mail = _document(response)
    defects: list[Defect] = []
    raw: bytes | None = None
    url = _download_url(mail, options, defects)
    if url:
        download = yield HttpRequest(method="GET", url=url, commits=False, max_response=MAX_MAIL)
        raw = download.body if download.status == 200 else None
        if raw is None:
            _note(defects, "raw", f"The source could not be downloaded (HTTP {download.status}).")
    if raw is None and mail.get("attachments"):
        _note(defects, "attachments", "Without its source, the mail is without its files.")
    return [_message(webhook, {**data, **mail}, raw, defects)]


def _request(email_id: Any, options: ResendOptions) -> HttpRequest:
    if not isinstance(email_id, str) or not _ID.fullmatch(email_id):
        raise InvalidDocument("The delivery points to no mail.")
    headers: list[tuple[str, str | Secret]] = [("Accept", "application/json")]
    if options.api_key is not None:
        headers.append(("Authorization", options.api_key.as_bearer()))
    return HttpRequest(
        method="GET",
        url=f"{options.api_url}/emails/receiving/{email_id}?html_format=cid",
        headers=headers,
        commits=False,
        max_response=MAX_MAIL,
    )


def _document(response: HttpResponse) -> Mapping[str, Any]:
    if response.status != 200:
        raise InvalidDocument(f"The mail could not be fetched (HTTP {response.status}).")
    document = strict_json(response.body)
    if not isinstance(document, dict):
        raise InvalidDocument("What was fetched is no mail.")
    return document


def _download_url(mail: Mapping[str, Any], options: ResendOptions, defects: list[Defect]) -> str | None:
    url = table(mail.get("raw")).get("download_url")
    if url is None:
        return None
    if isinstance(url, str) and url.isascii() and _origin(url) in (DOWNLOADS, _origin(options.api_url)):
        return url
    _note(defects, "raw", "The source is said to be in a place that is not Resend's.")
    return None


def _origin(url: str) -> str | None:
    """Return scheme, host and port, written one way only; None for what has more in that place."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin if url.startswith((f"{origin}/", f"{origin}?")) or url == origin else None


def _message(
    webhook: VerifiedWebhook, fields: Mapping[str, Any], raw: bytes | None, defects: list[Defect]
) -> InboundMessage:
    return InboundMessage.from_parts(
        raw=raw,
        headers=tuple(_headers(fields.get("headers"))),
        from_=text(fields.get("from")) or None,
        to=_listed(fields.get("to")),
        cc=_listed(fields.get("cc")),
        bcc=_listed(fields.get("bcc")),
        reply_to=_listed(fields.get("reply_to")),
        subject=_optional(fields.get("subject")),
        message_id=_optional(fields.get("message_id")),
        text=_optional(fields.get("text")),
        html=_optional(fields.get("html")),
        envelope_recipients=addresses(fields.get("received_for")),
        event_id=event_id(webhook),
        timestamp=parse_timestamp(webhook.request.json().get("created_at")),
        provider_fields={name: fields[name] for name in ("id", "attachments", "raw") if name in fields},
        provider_defects=tuple(defects),
    )


def _note(defects: list[Defect], where: str, words: str) -> None:
    defects.append(Defect(DefectCode.PROVIDER_FIELD, where, words))


def _optional(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _listed(value: Any) -> str | None:
    return ", ".join(filter(None, map(text, value))) or None if isinstance(value, list) else None


def _headers(fields: Any) -> Iterator[tuple[str, str]]:
    for name, value in table(fields).items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                yield name, one
