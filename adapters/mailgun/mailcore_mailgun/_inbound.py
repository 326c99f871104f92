"""Inbound webhook → incoming mail (https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http).

Rule 1: `body-mime` is the mail itself, byte for byte. Without it the mail is put together from what Mailgun
        parsed: headers, bodies and files.
Rule 2: Mailgun posts every header as a field too. What is read are the fields it documents; one that is there
        in another form than documented is left out and noted.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from mailcore import (
    Address,
    Defect,
    DefectCode,
    FormPart,
    InboundAttachment,
    InboundMessage,
    InvalidAddress,
    WebhookRequest,
)
from mailcore_mailgun._events import moment
from mailcore_mailgun._signature import PARENT, SIGNED

__all__ = ["is_inbound", "message"]

#: Fields that are kept as they are.
_KEPT = (
    *("domain", "recipient", "sender", "subject", "stripped-text", "stripped-html", "stripped-signature"),
    *("attachment-count", "attachments", "message-url"),
)
_FILE = re.compile(r"attachment-([0-9]{1,4})")


def is_inbound(request: WebhookRequest) -> bool:
    """Return whether a form is an incoming mail; old events are forms too, and have an `event`."""
    names = {part.name for part in request.form_parts()}
    return "recipient" in names and not names.isdisjoint(("body-mime", "body-plain", "message-headers"))


def message(request: WebhookRequest) -> InboundMessage:
    """Return the mail that a form holds."""
    parts = request.form_parts()
    fields: dict[str, FormPart] = {}
    for part in parts:
        fields.setdefault(part.name, part)
    texts = {name: part.text for name, part in fields.items() if part.filename is None}
    mime = fields.get("body-mime")
    defects: list[Defect] = []
    return InboundMessage.from_parts(
        raw=None if mime is None else mime.content,
        headers=tuple(_headers(texts.get("message-headers"), defects)),
        text=texts.get("body-plain"),
        html=texts.get("body-html"),
        attachments=tuple(_files(parts, texts, defects)),
        envelope_sender=_envelope_sender(texts.get("sender")),
        envelope_recipients=_addresses(texts.get("recipient")),
        event_id=_event_id(parts),
        timestamp=moment(texts.get("timestamp")),
        provider_fields={name: texts[name] for name in _KEPT if name in texts},
        provider_defects=tuple(defects),
    )


def _note(defects: list[Defect], where: str, text: str) -> None:
    defects.append(Defect(DefectCode.PROVIDER_FIELD, where, text))


def _event_id(parts: tuple[FormPart, ...]) -> str:
    """Return an id of what is delivered: time and token differ where it is signed anew."""
    digest = hashlib.sha256(b"mailgun:inbound")
    for part in parts:
        if part.name not in SIGNED and part.name != PARENT:
            for piece in (part.name.encode(), (part.filename or "").encode(), part.content):
                digest.update(b"%d:" % len(piece) + piece)
    return digest.hexdigest()


def _pairs(text: str) -> list[tuple[Any, Any]]:
    """Return a JSON list of pairs, or an object's: Mailgun is known to write one with the same key twice."""
    try:
        found = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return []
    pairs = found if isinstance(found, list) else []
    return [(pair[0], pair[1]) for pair in pairs if isinstance(pair, list | tuple) and len(pair) == 2]


def _headers(text: str | None, defects: list[Defect]) -> Iterator[tuple[str, str]]:
    if text is None:
        return
    found = [pair for pair in _pairs(text) if isinstance(pair[0], str) and isinstance(pair[1], str)]
    if not found and text.strip() != "[]":
        _note(defects, "message-headers", "It is not a JSON list of names and values.")
    yield from found


def _files(
    parts: tuple[FormPart, ...], texts: dict[str, str], defects: list[Defect]
) -> Iterator[InboundAttachment]:
    ids = {name: cid for cid, name in _pairs(texts.get("content-id-map", "{}")) if isinstance(name, str)}
    files = [(int(found[1]), part) for part in parts if (found := _FILE.fullmatch(part.name))]
    for _, part in sorted(files, key=lambda file: file[0]):
        cid = ids.get(part.name)
        yield InboundAttachment.from_bytes(
            part.content,
            content_type=part.content_type or "application/octet-stream",
            filename=part.filename or None,
            content_id=cid if isinstance(cid, str) else None,
            inline=part.name in ids,
        )
    if "body-mime" not in texts and _announced(texts) != len(files):
        _note(defects, "attachments", "Another number of files came than Mailgun says; the rest is with it.")


def _announced(texts: dict[str, str]) -> int:
    """Return how many files a mail has: those that came with it, or that wait at Mailgun (`store`)."""
    count = texts.get("attachment-count", "0")
    try:
        waiting = json.loads(texts.get("attachments", "[]"))
    except (ValueError, RecursionError):
        waiting = []
    return max(
        int(count[:4]) if count.isascii() and count.isdigit() else 0,
        len(waiting) if isinstance(waiting, list) else 0,
    )


def _envelope_sender(text: str | None) -> str | None:
    if not text:
        return text  # a bounce comes from nobody
    return next(iter(_addresses(text)), None)


def _addresses(text: str | None) -> tuple[str, ...]:
    try:
        return tuple(address.addr_spec for address in Address.parse_list(text or ""))
    except InvalidAddress:
        return ()
