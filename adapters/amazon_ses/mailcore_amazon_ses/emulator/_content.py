"""What SES takes for a mail.

SES docs (API reference, version 2: SendEmail, SendBulkEmail and their types; Service quotas).
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from email import message_from_bytes, policy
from email.utils import getaddresses
from typing import Any

import attrs

from mailcore_amazon_ses.emulator._refusal import Refusal

__all__ = ["Entry", "bad", "bulk", "mailboxes", "single"]

MAX_RECIPIENTS = 50
MAX_SIZE = 40 * 1024 * 1024
MAX_HEADERS = 15
LISTS = ("ToAddresses", "CcAddresses", "BccAddresses")
ADDRESS = re.compile(r"[!-?A-~]+@[A-Za-z0-9.-]+")
TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
HEADER_NAME = re.compile(r"[!-9;-~]{1,126}")
HEADER_VALUE = re.compile(r"[ -~]{1,995}")


@attrs.frozen(kw_only=True)
class Entry:
    """One mail of a request."""

    sender: str
    recipients: Sequence[str]
    tags: Mapping[str, Sequence[str]]
    subject: str = ""
    source: bytes | None = None


def bad(message: str) -> Refusal:
    """Return what SES says of input that is not valid."""
    return Refusal(400, "BadRequestException", message)


def mailboxes(value: object) -> list[str]:
    """Return the bare addresses of a text."""
    return [address for _, address in getaddresses([value])] if isinstance(value, str) else []


def single(payload: Mapping[str, Any]) -> Entry:
    """Return the mail of SendEmail, or refuse it."""
    content = _object(payload, "Content")
    kinds = [kind for kind in ("Simple", "Raw", "Template") if kind in content]
    if len(kinds) != 1:
        raise bad("Content holds exactly one of Simple, Raw and Template.")
    tags = _tags(payload.get("EmailTags", []))
    recipients = _recipients(payload.get("Destination", {}))
    _texts(payload)
    if kinds == ["Raw"]:
        return _raw(_object(content, "Raw"), payload, recipients, tags)
    part = _object(content, kinds[0])
    if kinds == ["Template"]:
        _check_template(part)
    subject = _check_simple(part) if kinds == ["Simple"] else ""
    if not recipients:
        raise bad("Destination holds no address.")
    return Entry(sender=_sender(payload), recipients=recipients, tags=tags, subject=subject)


def bulk(payload: Mapping[str, Any]) -> Iterator[Entry]:
    """Yield the mails of SendBulkEmail, in their order, or refuse them."""
    _check_template(_object(_object(payload, "DefaultContent"), "Template"))
    _texts(payload)
    sender, shared = _sender(payload), _tags(payload.get("DefaultEmailTags", []))
    entries = payload.get("BulkEmailEntries")
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_RECIPIENTS:
        raise bad(f"BulkEmailEntries holds 1 to {MAX_RECIPIENTS} entries.")
    for entry in entries:
        if not isinstance(entry, dict):
            raise bad("An entry is an object.")
        recipients = _recipients(entry.get("Destination"))
        if not recipients:
            raise bad("Destination holds no address.")
        _check_headers(entry.get("ReplacementHeaders", []))
        tags = {**shared, **_tags(entry.get("ReplacementTags", []))}
        yield Entry(sender=sender, recipients=recipients, tags=tags)


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = holder.get(name)
    if not isinstance(found, dict):
        raise bad(f"{name} is missing, or no object.")
    return found


def _texts(payload: Mapping[str, Any]) -> None:
    for name in ("FromEmailAddress", "FeedbackForwardingEmailAddress", "ConfigurationSetName"):
        if not isinstance(payload.get(name, ""), str):
            raise bad(f"{name} is a text.")
    replies = payload.get("ReplyToAddresses", [])
    if not isinstance(replies, list) or not all(map(_is_one_address, replies)):
        raise bad("ReplyToAddresses holds something that is no address.")
    tracking = payload.get("ConfigurationOverrides", {})
    for value in (tracking.get("Tracking") or {}).values() if isinstance(tracking, dict) else ["?"]:
        if value not in ("ENABLED", "DISABLED"):
            raise bad("ConfigurationOverrides is not one.")


def _is_one_address(value: object) -> bool:
    found = mailboxes(value)
    return len(found) == 1 and bool(ADDRESS.fullmatch(found[0]))


def _sender(payload: Mapping[str, Any]) -> str:
    if not _is_one_address(payload.get("FromEmailAddress")):
        raise bad("FromEmailAddress is not one address.")
    return mailboxes(payload["FromEmailAddress"])[0]


def _recipients(destination: object) -> list[str]:
    if not isinstance(destination, dict):
        raise bad("Destination is an object.")
    found: list[str] = []
    for name in LISTS:
        given = destination.get(name, [])
        if not isinstance(given, list) or not all(map(_is_one_address, given)):
            raise bad("Illegal address")
        found += [mailboxes(item)[0] for item in given]
    if len(found) > MAX_RECIPIENTS:
        raise bad(f"Recipient count exceeds {MAX_RECIPIENTS}.")
    return found


def _tags(given: object) -> dict[str, list[str]]:
    if not isinstance(given, list):
        raise bad("Tags are a list.")
    found: dict[str, list[str]] = {}
    for item in given:
        name, value = (item.get("Name"), item.get("Value")) if isinstance(item, dict) else (None, None)
        if not (isinstance(name, str) and TAG.fullmatch(name)):
            raise bad("Invalid tag name: only alphanumeric ASCII characters, '_' and '-' are allowed.")
        if not (isinstance(value, str) and TAG.fullmatch(value)):
            raise bad("Invalid tag value: only alphanumeric ASCII characters, '_' and '-' are allowed.")
        if name in found:
            raise bad(f"Duplicate tag name: {name}.")
        found[name] = [value]
    return found


def _raw(
    raw: Mapping[str, Any], payload: Mapping[str, Any], recipients: list[str], tags: dict[str, list[str]]
) -> Entry:
    source = _base64(raw.get("Data"), "Raw.Data")
    if len(raw["Data"]) > MAX_SIZE:
        raise bad(f"Message length is more than {MAX_SIZE} bytes long.")
    mail = message_from_bytes(source, policy=policy.compat32)
    senders = mailboxes(str(mail.get("From", "")))
    if "FromEmailAddress" in payload:
        senders = [_sender(payload)]
    if len(senders) != 1 or not ADDRESS.fullmatch(senders[0]):
        raise bad("Missing or illegal 'From' header.")
    named = [address for header in ("To", "Cc", "Bcc") for address in mailboxes(str(mail.get(header, "")))]
    everybody = recipients or named
    if not everybody or len(everybody) > MAX_RECIPIENTS:
        raise bad("Missing or too many recipients.")
    subject = " ".join(str(mail.get("Subject", "")).split())
    return Entry(sender=senders[0], recipients=everybody, tags=tags, subject=subject, source=source)


def _base64(value: object, name: str) -> bytes:
    try:
        return b64decode(value, validate=True) if isinstance(value, str) else b""
    except ValueError:
        raise Refusal(400, "SerializationException", f"{name} is not base64.") from None


def _check_simple(simple: Mapping[str, Any]) -> str:
    body, subject = _object(simple, "Body"), _object(simple, "Subject").get("Data")
    parts = [_object(body, kind).get("Data") for kind in ("Text", "Html") if kind in body]
    if not isinstance(subject, str) or not parts or not all(isinstance(part, str) for part in parts):
        raise bad("A simple message has a subject, and a text or an HTML body.")
    _check_headers(simple.get("Headers", []))
    _check_files(simple.get("Attachments", []))
    return subject


def _check_template(template: Mapping[str, Any]) -> None:
    names = [name for name in ("TemplateName", "TemplateArn", "TemplateContent") if template.get(name)]
    if len(names) != 1:
        raise bad("A template is named, or given.")
    data = template.get("TemplateData", "{}")
    if not isinstance(data, str) or not data.startswith("{"):
        raise bad("TemplateData is a JSON object, as text.")
    _check_headers(template.get("Headers", []))
    _check_files(template.get("Attachments", []))


def _check_headers(given: object) -> None:
    if not isinstance(given, list) or len(given) > MAX_HEADERS:
        raise bad(f"Headers are a list of at most {MAX_HEADERS}.")
    for item in given:
        name, value = (item.get("Name"), item.get("Value")) if isinstance(item, dict) else (None, None)
        named = isinstance(name, str) and HEADER_NAME.fullmatch(name)
        if not named or not isinstance(value, str) or not HEADER_VALUE.fullmatch(value):
            raise bad("A header has a name and a value of printable ASCII.")


def _check_files(given: object) -> None:
    if not isinstance(given, list):
        raise bad("Attachments are a list.")
    for item in given:
        if not isinstance(item, dict) or not isinstance(item.get("FileName"), str):
            raise bad("An attachment has a FileName.")
        if not isinstance(item.get("RawContent"), str):
            raise bad("An attachment has its RawContent.")
        _base64(item["RawContent"], "RawContent")
        if item.get("ContentDisposition", "ATTACHMENT") not in ("ATTACHMENT", "INLINE"):
            raise bad("ContentDisposition is ATTACHMENT or INLINE.")
