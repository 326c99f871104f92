"""Message → payload: one row a field; a field that is absent is an absent key, never "", null or []."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mailcore import Address, Attachment, Base64, Message

__all__ = ["FIELDS", "payload"]


def _mailbox(address: Address) -> dict[str, str]:
    named = {"name": address.display_name} if address.display_name else {}
    return {"email": address.ascii_spec, **named}


def _mailboxes(addresses: Iterable[Address]) -> list[dict[str, str]]:
    return [_mailbox(address) for address in addresses]


def _attachment(file: Attachment) -> dict[str, Any]:
    fields = {
        "filename": file.filename,
        "content": Base64(file),
        "content_type": file.full_content_type,
        "content_id": file.content_id,
        "inline": file.inline or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _attachments(files: Iterable[Attachment]) -> list[dict[str, Any]]:
    return [_attachment(file) for file in files]


def _rows(rows: Mapping[str, Any]) -> dict[str, Any]:
    # A row is found by the spelling that `to` has on the wire.
    return {Address(spec).ascii_spec: dict(row) for spec, row in rows.items()}


#: Our field → the provider's field, and how it is written.
FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "from_": ("from", _mailboxes),
    "to": ("to", _mailboxes),
    "cc": ("cc", _mailboxes),
    "bcc": ("bcc", _mailboxes),
    "reply_to": ("reply_to", _mailboxes),
    "subject": ("subject", str),
    "text": ("text", str),
    "html": ("html", str),
    "amp_html": ("amp_html", str),
    "attachments": ("attachments", _attachments),
    "headers": ("headers", dict),
    "in_reply_to": ("in_reply_to", str),
    "references": ("references", list),
    "list_unsubscribe": ("list_unsubscribe", list),
    "tags": ("tags", list),
    "metadata": ("metadata", dict),
    "envelope_sender": ("envelope_sender", lambda address: address.ascii_spec),
    "send_at": ("send_at", lambda moment: moment.isoformat()),
    "track_opens": ("track_opens", bool),
    "track_clicks": ("track_clicks", bool),
    "template_id": ("template", str),
    "merge_data": ("merge_data", _rows),
    "merge_metadata": ("merge_metadata", _rows),
    "merge_headers": ("merge_headers", _rows),
    "merge_global_data": ("merge_global_data", dict),
}
#: Fields that say something even where they are empty or False.
TELLING = frozenset({"track_opens", "track_clicks", "merge_data", "merge_metadata", "merge_headers"})


def payload(message: Message) -> dict[str, Any]:
    """Return the fields that a message gives."""
    given = {ours: getattr(message, ours) for ours in FIELDS}
    return {
        FIELDS[ours][0]: FIELDS[ours][1](value)
        for ours, value in given.items()
        if value or (ours in TELLING and value is not None)
    }
