"""What Postmark accepts as a mail.

Rule: the first thing that is wrong is the answer. A field Postmark does not know is ignored.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Collection, Mapping
from typing import Any

import attrs

from mailcore_postmark.emulator import _answers as answers
from mailcore_postmark.emulator._addresses import MAX_LENGTH, pairs
from mailcore_postmark.emulator._answers import No
from mailcore_postmark.emulator._mail import Mailbox, SentAttachment, SentMail

__all__ = ["Rules", "Wrong", "mail", "sender_domains"]

LISTS = ("To", "Cc", "Bcc")
TEXTS = ("Subject", "TextBody", "HtmlBody", "Tag", "MessageStream", "TemplateAlias", "ReplyTo")
FIELDS = frozenset(
    {"From", *LISTS, *TEXTS, "TrackOpens", "TrackLinks", "Headers", "Metadata", "Attachments"}
    | {"TemplateId", "TemplateModel", "InlineCss"}
)
LINKS = ("None", "HtmlAndText", "HtmlOnly", "TextOnly")
MAX_RECIPIENTS = 50
MAX_TAG = 1000
#: Article 1180 prints the two expressions that Postmark checks addresses by.
DOMAIN = re.compile(r"[a-zA-Z0-9\-]+(?:\.[a-zA-Z0-9\-]+)+")
MAILBOX = re.compile(r"[a-z0-9.!#$%&'`*+\-/=^_{}|~?]+", re.IGNORECASE)


class Wrong(Exception):
    """A mail that is not taken."""

    def __init__(self, why: No) -> None:
        super().__init__(why.code)
        self.why = why


@attrs.frozen(kw_only=True)
class Rules:
    """
    What the account says about its mail.

    Attributes:
        domains: Domains of its sender signatures, lower case.
        inactive: Addresses that get nothing, lower case.
        templates: Ids and aliases of its templates, as text; None: any.
    """

    domains: Collection[str]
    inactive: Collection[str]
    templates: Collection[str] | None


def mail(payload: Mapping[str, Any], rules: Rules, *, template: bool, message_id: str) -> SentMail:
    """Return the mail, or raise why it is not taken."""
    fields = {
        name: value for name, value in payload.items() if name in FIELDS and value not in (None, "", [])
    }
    sender = _sender(fields, rules)
    lists = {name: _addresses(fields, name) for name in LISTS}
    everyone = [mailbox.address for found in lists.values() for mailbox in found]
    if not everyone:
        raise Wrong(answers.NO_RECIPIENT)
    if len(everyone) > MAX_RECIPIENTS:
        raise Wrong(answers.TOO_MANY_RECIPIENTS)
    _check_fields(fields)
    name = _template(fields, rules) if template else None
    if not template and not (fields.get("TextBody") or fields.get("HtmlBody")):
        raise Wrong(answers.NO_BODY)
    attachments = _attachments(fields)
    inactive = tuple(dict.fromkeys(one.lower() for one in everyone if one.lower() in rules.inactive))
    if len(inactive) == len({one.lower() for one in everyone}):
        raise Wrong(answers.all_inactive(inactive))
    return SentMail(
        message_id=message_id,
        payload=payload,
        from_=sender,
        to=lists["To"],
        cc=lists["Cc"],
        bcc=lists["Bcc"],
        attachments=attachments,
        inactive=inactive,
        template=name,
        stream=fields.get("MessageStream", "outbound"),
        ignored_fields=tuple(one for one in payload if one not in FIELDS),
    )


def sender_domains(payload: Any) -> set[str]:
    """Return the domains that a mail names in `From`."""
    found = payload.get("From") if isinstance(payload, dict) else None
    return {one.address.rpartition("@")[2].lower() for one in _read(found) or ()}


def _read(value: Any) -> tuple[Mailbox, ...] | None:
    """Return the addresses in a text; None where it is none, or one of them is no address."""
    if not isinstance(value, str) or len(value) > MAX_LENGTH or re.search(r"[\r\n\x00]", value):
        return None
    found = tuple(Mailbox(name, address) for name, address in pairs(value))
    return found if all(_is_address(one.address) for one in found) else None


def _is_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return bool(at) and bool(MAILBOX.fullmatch(local)) and bool(DOMAIN.fullmatch(domain))


def _sender(fields: Mapping[str, Any], rules: Rules) -> Mailbox:
    found = _read(fields.get("From"))
    if not found or len(found) != 1:
        raise Wrong(answers.bad_address("From", str(fields.get("From", ""))[:200]))
    if found[0].address.rpartition("@")[2].lower() not in rules.domains:
        raise Wrong(answers.foreign_sender(found[0].address))
    return found[0]


def _addresses(fields: Mapping[str, Any], name: str) -> tuple[Mailbox, ...]:
    if name not in fields:
        return ()
    found = _read(fields[name])
    if not found:
        raise Wrong(answers.bad_address(name, str(fields[name])[:200]))
    return found


def _check_fields(fields: Mapping[str, Any]) -> None:
    for name in TEXTS:
        if not isinstance(fields.get(name, ""), str):
            raise Wrong(answers.bad_field(name))
    if not isinstance(fields.get("TrackOpens", False), bool):
        raise Wrong(answers.bad_field("TrackOpens"))
    if fields.get("TrackLinks", "None") not in LINKS:
        raise Wrong(answers.bad_field("TrackLinks"))
    if "ReplyTo" in fields and not _read(fields["ReplyTo"]):
        raise Wrong(answers.bad_address("ReplyTo", fields["ReplyTo"][:200]))
    if len(fields.get("Tag", "")) > MAX_TAG:
        raise Wrong(answers.BAD_TAG)
    _check_metadata(fields.get("Metadata", {}))
    _check_headers(fields.get("Headers", []))


def _check_metadata(metadata: Any) -> None:
    # Article 1125: 10 fields, names of 20 and values of 80 characters, no name twice in other letters.
    if (
        not isinstance(metadata, dict)
        or len(metadata) > 10
        or len({key.lower() for key in metadata}) < len(metadata)
    ):
        raise Wrong(answers.BAD_METADATA)
    for name, value in metadata.items():
        if isinstance(value, dict | list) or len(name) > 20 or len(str(value)) > 80:
            raise Wrong(answers.BAD_METADATA)


def _check_headers(headers: Any) -> None:
    if not isinstance(headers, list) or not all(isinstance(item, dict) for item in headers):
        raise Wrong(answers.bad_field("Headers"))
    for item in headers:
        if not isinstance(item.get("Name"), str) or not isinstance(item.get("Value"), str):
            raise Wrong(answers.bad_field("Headers"))


def _template(fields: Mapping[str, Any], rules: Rules) -> str:
    name = fields.get("TemplateId", fields.get("TemplateAlias"))
    if (
        isinstance(name, bool)
        or not isinstance(name, int | str)
        or not isinstance(fields.get("TemplateModel"), dict)
    ):
        raise Wrong(answers.bad_field("TemplateModel" if name is not None else "TemplateId"))
    if rules.templates is not None and str(name) not in rules.templates:
        raise Wrong(answers.NO_TEMPLATE)
    return str(name)


def _attachments(fields: Mapping[str, Any]) -> tuple[SentAttachment, ...]:
    items = fields.get("Attachments", [])
    if not isinstance(items, list):
        raise Wrong(answers.bad_field("Attachments"))
    return tuple(map(_attachment, items))


def _attachment(item: Any) -> SentAttachment:
    values = [
        item.get(name) if isinstance(item, dict) else None for name in ("Name", "ContentType", "Content")
    ]
    name, content_type, encoded = values
    content_id = item.get("ContentID") if isinstance(item, dict) else None
    if not (isinstance(name, str) and name and isinstance(content_type, str) and isinstance(encoded, str)):
        raise Wrong(answers.BAD_ATTACHMENT)
    try:
        content = b64decode(encoded, validate=True)
    except ValueError:
        raise Wrong(answers.BAD_ATTACHMENT) from None
    bare = content_id.removeprefix("cid:") if isinstance(content_id, str) and content_id else None
    return SentAttachment(name=name, content_type=content_type, content=content, content_id=bare)
