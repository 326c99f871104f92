"""Inbound webhook → incoming mail (https://resend.com/docs/dashboard/receiving/get-email-content).

Rule 1: a delivery holds no mail, only its id. The mail is asked for by that id, and its source downloaded
        from the address in the answer.
Rule 2: without the source, the mail is put together from what Resend parsed and from its files, which are
        downloaded one by one; what is missing is noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from mailcore import (
    Defect,
    DefectCode,
    Flow,
    InboundAttachment,
    InboundMessage,
    InvalidDocument,
    VerifiedWebhook,
    parse_timestamp,
)
from mailcore_resend._download import MAX_MAIL, downloaded, told
from mailcore_resend._fields import addresses, event_id, table, text
from mailcore_resend._options import ResendOptions

__all__ = ["KIND", "mail_flow"]

KIND = "email.received"
#: What has no place of its own.
_KEPT = ("id", "authentication", "attachments", "raw")
#: Each is a request.
MAX_FILES = 100
#: It becomes part of an address.
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def mail_flow(
    webhook: VerifiedWebhook, options: ResendOptions, *, now: datetime
) -> Flow[list[InboundMessage]]:
    """
    Fetch the one mail that a delivery points to.

    Raises:
        InvalidDocument: It points to none, or to one that is gone.
        ServiceUnavailable: The mail cannot be had for now.
    """
    data = webhook.request.json()["data"]
    email_id = data.get("email_id")
    if not isinstance(email_id, str) or not _ID.fullmatch(email_id):
        raise InvalidDocument("The delivery points to no mail.")
    path = f"/emails/receiving/{email_id}"
    mail = yield from told(f"{path}?html_format=cid", options, now=now)
    defects: list[Defect] = []
    raw = yield from _source(mail, options, defects, now)
    files: list[InboundAttachment] = []
    if raw is None and mail.get("attachments"):
        files = yield from _files(path, options, defects, now)
    return [_message(webhook, {**data, **mail}, raw, files, defects)]


def _source(
    mail: Mapping[str, Any], options: ResendOptions, defects: list[Defect], now: datetime
) -> Flow[bytes | None]:
    url = table(mail.get("raw")).get("download_url")
    if url is None:
        return None
    try:
        return (yield from downloaded(url, options, now=now))
    except InvalidDocument as error:
        _note(defects, "raw", str(error))
        return None


def _files(
    path: str, options: ResendOptions, defects: list[Defect], now: datetime
) -> Flow[list[InboundAttachment]]:
    files: list[InboundAttachment] = []
    try:
        listed = (yield from told(f"{path}/attachments", options, now=now)).get("data")
    except InvalidDocument as error:
        _note(defects, "attachments", str(error))
        return files
    items = listed if isinstance(listed, list) else [None]
    left = MAX_MAIL
    for fields in map(table, items[:MAX_FILES]):
        try:
            content = yield from downloaded(fields.get("download_url"), options, now=now, most=left)
        except InvalidDocument as error:
            _note(defects, "attachments", str(error))
            continue
        left -= len(content)
        files.append(_file(fields, content))
    if len(items) > MAX_FILES:
        _note(defects, "attachments", f"The mail has more than {MAX_FILES} files.")
    return files


def _file(fields: Mapping[str, Any], content: bytes) -> InboundAttachment:
    return InboundAttachment.from_bytes(
        content,
        content_type=text(fields.get("content_type")) or "application/octet-stream",
        filename=text(fields.get("filename")) or None,
        content_id=text(fields.get("content_id")) or None,
        inline=fields.get("content_disposition") == "inline",
    )


def _message(
    webhook: VerifiedWebhook,
    fields: Mapping[str, Any],
    raw: bytes | None,
    files: list[InboundAttachment],
    defects: list[Defect],
) -> InboundMessage:
    headers = tuple(_headers(fields.get("headers")))
    named = any(name.lower() == "from" for name, _ in headers)
    return InboundMessage.from_parts(
        raw=raw,
        headers=headers,
        from_=None if named else text(fields.get("from")) or None,  # the header alone has the name
        to=_listed(fields.get("to")),
        cc=_listed(fields.get("cc")),
        bcc=_listed(fields.get("bcc")),
        reply_to=_listed(fields.get("reply_to")),
        subject=_optional(fields.get("subject")),
        message_id=_optional(fields.get("message_id")),
        text=_optional(fields.get("text")),
        html=_optional(fields.get("html")),
        attachments=files,
        envelope_recipients=addresses(fields.get("received_for")),
        event_id=event_id(webhook),
        timestamp=parse_timestamp(webhook.request.json().get("created_at")),
        provider_fields={name: fields[name] for name in _KEPT if name in fields},
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
