"""What MailPace accepts as a mail.

Rule: every field is looked at before the answer is given, and one bad recipient refuses the whole
mail. A field MailPace does not know is ignored: the mail goes out without it.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from typing import Any

import attrs

from mailcore_mailpace.emulator._addresses import MAX_LENGTH, UnreadableAddress, domain_of, read_mailboxes
from mailcore_mailpace.emulator._answers import (
    BLOCKED_ADDRESS,
    BLOCKED_EXTENSION,
    FOREIGN_SENDER,
    INVALID,
    TOO_LARGE,
    TOO_MANY,
    UNDEFINED,
    UNREADABLE_SENDER,
    failed,
    invalid,
)
from mailcore_mailpace.emulator._mail import Content, Mailbox, SentAttachment

__all__ = ["MAX_RECIPIENTS", "Rules", "read_content", "sender_domains"]

#: MailPace docs: 50 addresses in `to`; nothing is said of `cc` and `bcc`.
MAX_RECIPIENTS = 50
LISTS = ("to", "cc", "bcc")
BODIES = ("htmlbody", "textbody")
ONE_LINE = ("subject", "inreplyto", "references", "list_unsubscribe")
FIELDS = frozenset({"from", *LISTS, *BODIES, *ONE_LINE, "replyto", "tags", "attachments"})
ATTACHMENT_FIELDS = frozenset({"name", "content", "content_type", "cid"})
REQUIRED_OF_ATTACHMENT = ("name", "content", "content_type")
#: MailPace docs: the list, which has grown five times; xml and dwg are the latest.
PICTURES = frozenset({"jpeg", "jpg", "png", "gif", "dwg"})
DOCUMENTS = frozenset({"txt", "pdf", "docx", "xlsx", "pptx", "csv", "html", "xml"})
EXTENSIONS = PICTURES | DOCUMENTS | {"att", "ics", "ical", "zip", "auf"}
LINE_BREAK = re.compile("[\r\n\x00]")


@attrs.frozen(kw_only=True)
class Rules:
    """
    What the account says about its mail.

    Attributes:
        domains: Verified domains, lower case, as A-labels.
        blocked: Addresses that bounced, lower case.
        max_size: Bytes of bodies and decoded attachments together.
    """

    domains: Collection[str]
    blocked: Collection[str]
    max_size: int


class Findings:
    """Collect messages by field, so that one answer can tell them all."""

    def __init__(self) -> None:
        self._errors: dict[str, list[str]] = {}

    def add(self, field: str, text: str) -> None:
        """Note what is wrong with a field; the same text is told once."""
        texts = self._errors.setdefault(field, [])
        if text not in texts:
            texts.append(text)

    def settle(self) -> None:
        """Refuse the mail if anything is wrong with it."""
        if self._errors:
            raise invalid(self._errors)


def read_content(payload: Mapping[str, Any], rules: Rules) -> Content:
    """Return what the payload says, or raise the refusal MailPace would answer with."""
    fields = {name: value for name, value in payload.items() if name in FIELDS and not _is_empty(value)}
    findings = Findings()
    sender = _read_sender(fields, rules, findings)
    lists = {name: _read_list(fields, name, rules, findings) for name in LISTS}
    _check_texts(fields, findings)
    tags = _read_tags(fields, findings)
    attachments = _read_attachments(fields, findings)
    findings.settle()
    _check_size(fields, attachments, rules)
    return Content(
        payload=payload,
        from_=sender,
        to=lists["to"],
        cc=lists["cc"],
        bcc=lists["bcc"],
        tags=tags,
        attachments=attachments,
        ignored_fields=_ignored(payload),
        empty_fields=tuple(name for name, value in payload.items() if name in FIELDS and _is_empty(value)),
    )


def sender_domains(payload: Mapping[str, Any]) -> set[str]:
    """Return the domains that the payload names in `from`."""
    return {domain_of(mailbox.address) for mailbox in _read_addresses(payload.get("from"))}


def _is_empty(value: object) -> bool:
    return value is None or value in ("", [])


def _ignored(payload: Mapping[str, Any]) -> tuple[str, ...]:
    inner: dict[str, None] = {}
    for item in payload.get("attachments") or ():
        inner.update((f"attachments.{name}", None) for name in item if name not in ATTACHMENT_FIELDS)
    return (*(name for name in payload if name not in FIELDS), *inner)


def _read_sender(fields: Mapping[str, Any], rules: Rules, findings: Findings) -> Mailbox:
    if "from" not in fields:
        findings.add("from", UNDEFINED)
        return Mailbox("", "")
    mailboxes = _read_addresses(fields["from"])
    if len(mailboxes) != 1:
        raise failed(UNREADABLE_SENDER)
    if domain_of(mailboxes[0].address) not in rules.domains:
        raise failed(FOREIGN_SENDER)
    return mailboxes[0]


def _read_list(fields: Mapping[str, Any], name: str, rules: Rules, findings: Findings) -> tuple[Mailbox, ...]:
    if name not in fields:
        if name == "to":
            findings.add("to", UNDEFINED)
        return ()
    mailboxes = _read_addresses(fields[name])
    if name == "to" and (len(mailboxes) > MAX_RECIPIENTS or _is_endless(fields[name])):
        findings.add(name, TOO_MANY)
    elif not mailboxes:
        findings.add(name, INVALID)
    if any(mailbox.address.lower() in rules.blocked for mailbox in mailboxes):
        findings.add(name, BLOCKED_ADDRESS)
    return mailboxes


def _is_endless(value: object) -> bool:
    return isinstance(value, str) and len(value) > MAX_LENGTH and value.count("@") > MAX_RECIPIENTS


def _read_addresses(value: object) -> tuple[Mailbox, ...]:
    try:
        return read_mailboxes(value) if isinstance(value, str) else ()
    except UnreadableAddress:
        return ()


def _check_texts(fields: Mapping[str, Any], findings: Findings) -> None:
    if not any(name in fields for name in BODIES):
        for name in BODIES:
            findings.add(name, UNDEFINED)
    if "replyto" in fields and not _read_addresses(fields["replyto"]):
        findings.add("replyto", INVALID)
    for name in (*BODIES, *ONE_LINE):
        value = fields.get(name, "")
        if not isinstance(value, str) or (name in ONE_LINE and LINE_BREAK.search(value)):
            findings.add(name, INVALID)


def _read_tags(fields: Mapping[str, Any], findings: Findings) -> tuple[str, ...]:
    value = fields.get("tags", [])
    tags = [value] if isinstance(value, str) else value
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag for tag in tags):
        findings.add("tags", INVALID)
        return ()
    return tuple(tags)


def _read_attachments(fields: Mapping[str, Any], findings: Findings) -> tuple[SentAttachment, ...]:
    items = fields.get("attachments", [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        findings.add("attachments", INVALID)
        return ()
    return tuple(_read_attachment(item, findings) for item in items)


def _read_attachment(item: Mapping[str, Any], findings: Findings) -> SentAttachment:
    values: dict[str, str] = {}
    for name in REQUIRED_OF_ATTACHMENT:
        values[name] = _read_text(item, name, findings)
    if values["name"] and not _is_allowed(values["name"]):
        findings.add("attachments.name", BLOCKED_EXTENSION)
    content = _read_base64(values["content"])
    if content is None:
        findings.add("attachments.content", INVALID)
    cid = None if item.get("cid") is None else _read_text(item, "cid", findings)
    return SentAttachment(
        name=values["name"], content_type=values["content_type"], content=content or b"", cid=cid
    )


def _read_text(item: Mapping[str, Any], name: str, findings: Findings) -> str:
    value = item.get(name)
    if value is None or (name == "name" and value == ""):
        findings.add(f"attachments.{name}", UNDEFINED)
        return ""
    if not isinstance(value, str) or (name != "content" and LINE_BREAK.search(value)):
        findings.add(f"attachments.{name}", INVALID)
        return ""
    return value


def _is_allowed(file_name: str) -> bool:
    # MailPace docs: a file name may hold only one dot.
    stem, _, extension = file_name.partition(".")
    return bool(stem) and extension.lower() in EXTENSIONS


def _read_base64(text: str) -> bytes | None:
    try:
        content = b64decode(text)
    except ValueError:
        return None
    # The decoder skips what is not base64; what it then encodes to tells.
    return content if b64encode(content).decode() == text else None


def _check_size(fields: Mapping[str, Any], attachments: tuple[SentAttachment, ...], rules: Rules) -> None:
    bodies = sum(len(fields.get(name, "").encode()) for name in BODIES)
    if bodies + sum(len(attachment.content) for attachment in attachments) > rules.max_size:
        raise failed(TOO_LARGE)
