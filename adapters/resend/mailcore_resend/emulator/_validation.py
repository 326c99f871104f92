"""What Resend checks in a mail (https://resend.com/docs/api-reference/emails/send-email)."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any

from mailcore_resend.emulator._answers import Refused
from mailcore_resend.emulator._mail import SentFile, SentMail

__all__ = ["read_mail"]

MAX_TO, MAX_TAGS = 50, 75
MAX_SIZE = 40 * 1024 * 1024
_ADDRESS = re.compile(r"[^@\s<>,;:\"()]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,}")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FORMAT = "The email address needs to follow the `email@example.com` or `Name <email@example.com>` format."


def read_mail(fields: Any, *, mail_id: str, domains: set[str], now: datetime, batch: bool) -> SentMail:
    """
    Return the mail that a JSON object asks for.

    Raises:
        Refused: It cannot be sent.
    """
    if not isinstance(fields, dict):
        raise _invalid("The mail is not an object.")
    _check_addresses(fields, domains)
    _check_texts(fields)
    if batch and fields.get("attachments"):
        raise _invalid("The `attachments` field is not supported in a batch.")
    _check_pairs(fields)
    return SentMail(
        id=mail_id,
        fields=fields,
        files=tuple(_files(fields)),
        created_at=now,
        deliver_at=max(now, _time(fields, now)),
    )


def _invalid(message: str) -> Refused:
    return Refused(422, "validation_error", message)


def _missing(name: str) -> Refused:
    return Refused(422, "missing_required_field", f"Missing `{name}` field.")


def _check_addresses(fields: Mapping[str, Any], domains: set[str]) -> None:
    for name in ("from", "to"):
        if not fields.get(name):
            raise _missing(name)
    for name in ("from", "to", "cc", "bcc", "reply_to"):
        given = fields.get(name, [])
        listed = given if isinstance(given, list) and name != "from" else [given]
        if not all(isinstance(one, str) and _ADDRESS.fullmatch(parseaddr(one)[1]) for one in listed):
            raise _invalid(f"Invalid `{name}` field. {_FORMAT}")
        if name == "to" and len(listed) > MAX_TO:
            raise _invalid(f"The `to` field has more than {MAX_TO} addresses.")
    domain = parseaddr(fields["from"])[1].rpartition("@")[2].lower()
    if domain not in domains:
        words = f"The {domain} domain is not verified. Please, add and verify your domain."
        raise Refused(403, "validation_error", words)


def _check_texts(fields: Mapping[str, Any]) -> None:
    if not isinstance(fields.get("subject"), str):
        raise _missing("subject")
    for name in ("text", "html"):
        if not isinstance(fields.get(name, ""), str):
            raise _invalid(f"Invalid `{name}` field.")
    if not fields.get("html") and "text" not in fields:
        raise _missing("html` or `text")


def _check_pairs(fields: Mapping[str, Any]) -> None:
    headers = fields.get("headers", {})
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise _invalid("Invalid `headers` field.")
    tags = fields.get("tags", [])
    if len(tags) > MAX_TAGS:
        raise _invalid(f"A mail has at most {MAX_TAGS} tags.")
    for tag in tags if isinstance(tags, list) else [None]:
        pair = [tag.get("name"), tag.get("value")] if isinstance(tag, dict) else [None]
        if not all(isinstance(one, str) and _TAG.fullmatch(one) for one in pair):
            raise _invalid("Tags should only contain ASCII letters, numbers, underscores, or dashes.")


def _files(fields: Mapping[str, Any]) -> Iterator[SentFile]:
    files = fields.get("attachments", [])
    size = 0
    for item in files if isinstance(files, list) else [None]:
        file = item if isinstance(item, dict) else {}
        content = file.get("content")
        if not isinstance(content, str):
            text = "Attachment must have either a `content` or `path`."
            raise Refused(422, "invalid_attachment", text)
        size += len(content)
        if size > MAX_SIZE:
            raise _invalid("The attachments are larger than 40MB.")
        yield _file(file, content)


def _file(file: Mapping[str, Any], content: str) -> SentFile:
    try:
        return SentFile(
            filename=str(file.get("filename", "")),
            content_type=str(file.get("content_type", "")),
            content=b64decode(content, validate=True),
            content_id=file.get("content_id"),
        )
    except ValueError:
        raise Refused(422, "invalid_attachment", "Attachment `content` is not base64.") from None


def _time(fields: Mapping[str, Any], now: datetime) -> datetime:
    given = fields.get("scheduled_at")
    if given is None:
        return now
    try:
        return datetime.fromisoformat(given).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise _invalid("Invalid `scheduled_at` field.") from None
