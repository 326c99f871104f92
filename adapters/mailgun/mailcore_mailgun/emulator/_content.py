"""What Mailgun accepts as a mail.

Rule: every field that the documentation speaks of is looked at before the answer is given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import NonASCIILocalPartDefect, ObsoleteHeaderDefect
from email.policy import default
from email.utils import parsedate_to_datetime
from typing import Any

import attrs

from mailcore_mailgun.emulator._answers import (
    BAD_TIME,
    BAD_VARIABLES,
    LONG_OPTIONS,
    NO_BODY,
    TOO_LARGE,
    TOO_MANY,
    TWO_BODIES,
    missing,
    not_an_address,
    refused,
)
from mailcore_mailgun.emulator._form import Form
from mailcore_mailgun.emulator._mail import Mailbox, SentFile, SentMail

__all__ = ["read_mail", "read_mailboxes"]

MAX_OPTIONS = 16 * 1024
MAX_BATCH = 1000
MAX_ADDRESSES = 64 * 1024  # the parser takes time in the square of the length
BODIES = ("text", "html", "amp-html", "template")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# Old but legal forms, and addresses of RFC 6531.
HARMLESS = (ObsoleteHeaderDefect, NonASCIILocalPartDefect)


def read_mail(
    form: Form, *, domain: str, number: int, now: datetime, as_mime: bool, max_size: int
) -> SentMail:
    """Return the mail that a form describes, or raise the refusal Mailgun would answer with."""
    recipients = _recipients(form, "to") or _none("to")
    mime = _source(form) if as_mime else None
    sender = _sender(form, mime)
    if mime is None:
        recipients += _recipients(form, "cc") + _recipients(form, "bcc")
        _check_bodies(form)
    if form.options_length > MAX_OPTIONS:
        raise refused(LONG_OPTIONS)
    files = tuple(
        attrs.evolve(file, inline=field == "inline")
        for field, file in form.files
        if field in ("attachment", "inline")
    )
    _check_size(form, files, mime, max_size)
    return SentMail(
        id=f"<{now:%Y%m%d%H%M%S}.{number:016x}@{domain}>",
        domain=domain,
        fields=tuple(form.fields),
        sender=sender,
        recipients=recipients,
        subject=form.first("subject") if mime is None else str(_parsed(mime)["Subject"] or ""),
        headers=form.prefixed("h:"),
        variables={name: _variable(value) for name, value in form.prefixed("v:").items()},
        tags=tuple(form.values("o:tag")),
        recipient_variables=_recipient_variables(form),
        files=files,
        mime=mime,
        test_mode=form.first("o:testmode") in ("yes", "true"),
        accepted_at=now,
        deliver_at=_delivery_time(form, now),
    )


def _none(field: str) -> tuple[Mailbox, ...]:
    raise missing(field)


def _recipients(form: Form, field: str) -> tuple[Mailbox, ...]:
    found = [mailbox for value in form.values(field) for mailbox in read_mailboxes(value, field)]
    # "Duplicate addresses are automatically ignored."
    return tuple({mailbox.address: mailbox for mailbox in reversed(found)}.values())[::-1]


def read_mailboxes(text: str, field: str) -> tuple[Mailbox, ...]:
    """Read a comma-separated list of addresses, all of which are whole."""
    try:
        header: Any = (
            None if len(text) > MAX_ADDRESSES or CONTROL.search(text) else default.header_factory("To", text)
        )
    except Exception:  # noqa: BLE001  # reason: the parser is known to raise more than it documents
        header = None
    if header is None or not all(isinstance(defect, HARMLESS) for defect in header.defects):
        raise not_an_address(field)
    for address in header.addresses:
        _check_domain(address.domain, field)
    return tuple(Mailbox(address.display_name, address.addr_spec) for address in header.addresses)


def _check_domain(domain: str, field: str) -> None:
    try:
        labels = domain.encode("idna").decode().lower().split(".")
    except UnicodeError:
        labels = []
    if len(labels) < 2 or not all(LABEL.fullmatch(label) for label in labels):
        raise not_an_address(field)


def _sender(form: Form, mime: bytes | None) -> Mailbox:
    text = form.first("from") if mime is None else str(_parsed(mime)["From"] or "")
    if not text:
        raise missing("from")
    found = read_mailboxes(text, "from")
    if not found:
        raise not_an_address("from")
    return found[0]


def _parsed(mime: bytes) -> Any:
    return message_from_bytes(mime, policy=default)


def _source(form: Form) -> bytes:
    found = next((file.content for field, file in form.files if field == "message"), b"")
    return found or bytes(_none("message"))  # type: ignore[arg-type]  # reason: it raises


def _check_bodies(form: Form) -> None:
    if not any(form.values(name) for name in BODIES):
        raise refused(NO_BODY)
    if form.values("html") and form.values("template"):
        raise refused(TWO_BODIES)


def _check_size(form: Form, files: tuple[SentFile, ...], mime: bytes | None, max_size: int) -> None:
    bodies = sum(len(form.first(name).encode()) for name in BODIES)
    if bodies + sum(len(file.content) for file in files) + len(mime or b"") > max_size:
        raise refused(TOO_LARGE, status=413)


def _variable(text: str) -> Any:
    """Return custom data: JSON objects as such, all else as text."""
    try:
        found = json.loads(text) if text[:1] in ("{", "[") else text
    except (ValueError, RecursionError):
        return text
    return found


def _recipient_variables(form: Form) -> Mapping[str, Mapping[str, Any]] | None:
    text = form.first("recipient-variables")
    if not text:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(row, dict) for row in found.values()):
        raise refused(BAD_VARIABLES)
    if len(found) > MAX_BATCH or len(form.values("to")) > MAX_BATCH:
        raise refused(TOO_MANY)
    return found


def _delivery_time(form: Form, now: datetime) -> datetime:
    text = form.first("o:deliverytime")
    if not text:
        return now
    try:
        if text.isascii() and text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError, IndexError):
        raise refused(BAD_TIME) from None
