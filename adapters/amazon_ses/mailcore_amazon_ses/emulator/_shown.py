"""A mail that was taken, as its recipients would get it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

from mailcore import EmulatedFile, EmulatedMail
from mailcore_amazon_ses.emulator._account import SentMail

__all__ = ["shown"]


def shown(mail: SentMail) -> EmulatedMail:
    """Return a mail for people to look at."""
    content = mail.payload.get("Content") or mail.payload.get("DefaultContent") or {}
    simple = content.get("Simple", {})
    body = simple.get("Body", {})
    written = mail.source is None
    return EmulatedMail(
        message_id=mail.message_id,
        sender=mail.sender,
        recipients=tuple(mail.recipients),
        headers=tuple(_headers(mail, simple)) if written else (),
        text=_template(content["Template"]) if "Template" in content else _data(body.get("Text")),
        html=_data(body.get("Html")),
        files=tuple(_files(simple)) if written else (),
        tags=tuple(f"{name}: {', '.join(values)}" for name, values in mail.tags.items()),
        source=mail.source,
    )


def _data(part: Mapping[str, Any] | None) -> str:
    return str((part or {}).get("Data", ""))


def _headers(mail: SentMail, simple: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    destination = mail.payload.get("Destination") or {"ToAddresses": mail.recipients}
    yield "From", mail.payload.get("FromEmailAddress") or mail.sender
    listed = {
        "To": destination.get("ToAddresses"),
        "Cc": destination.get("CcAddresses"),
        "Reply-To": mail.payload.get("ReplyToAddresses"),
    }
    for name, addresses in listed.items():
        if addresses:
            yield name, ", ".join(addresses)
    if mail.subject:
        yield "Subject", mail.subject
    for header in simple.get("Headers", ()):
        yield header["Name"], header["Value"]


def _template(template: Mapping[str, Any]) -> str:
    name = template.get("TemplateName") or template.get("TemplateArn") or "of its own"
    return f"Template {name}\n\n{template.get('TemplateData', '')}\n"


def _files(simple: Mapping[str, Any]) -> Iterator[EmulatedFile]:
    for file in simple.get("Attachments", ()):
        yield EmulatedFile(
            filename=file.get("FileName", ""),
            content_type=file.get("ContentType", "application/octet-stream"),
            content=b64decode(file.get("RawContent", "")),
            content_id=file.get("ContentId", "").strip("<>")
            if file.get("ContentDisposition") == "INLINE"
            else "",
        )
