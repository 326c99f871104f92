"""Headers, metadata and merge data → fields.

https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/batch-sending

Rule 1: `recipient-variables` makes one mail for each recipient, so it is there where that is meant.
Rule 2: a field refers to what each recipient has of its own by `%recipient.NAME%`. Each recipient has every
        name: one that is missing would be sent as it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from mailcore import Message, UnsupportedFeature

__all__ = ["form_text", "recipient_fields"]


def recipient_fields(message: Message, headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """
    Return the fields of headers and metadata, and of what each recipient has of its own.

    Args:
        headers: `h:NAME` → value, for all recipients.

    Raises:
        UnsupportedFeature: Values that would make a batch of a mail that is none, or a name with a `%`.
    """
    fields = {**headers, **{f"v:{name}": form_text(value) for name, value in message.metadata.items()}}
    shared = message.merge_global_data
    defaults = {**fields, **shared}
    rows = _own_fields(message, headers)
    fields |= _references(rows.values())
    data: Mapping[str, Mapping[str, Any]] = message.merge_data or {}
    if message.template_id and (shared or data):
        fields["t:variables"] = form_text({**shared, **_references(data.values())})
    if message.is_batch or (shared and not message.template_id):
        _refuse_what_is_no_batch(message)
        names = [*_references([*rows.values(), *data.values(), shared])]
        own = {to: {**rows[to.addr_spec], **data.get(to.addr_spec, {})} for to in message.to}
        table = {
            to.ascii_spec: {name: own[to].get(name, defaults.get(name, "")) for name in names} for to in own
        }
        fields["recipient-variables"] = form_text(table)
    return list(fields.items())


def form_text(value: Any) -> str:
    """Return a value as a field: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=dict)


def _own_fields(message: Message, headers: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return each recipient's own headers and metadata, by the name of the field."""
    rows: dict[str, dict[str, str]] = {to.addr_spec: {} for to in message.to}
    spelled = {name.lower(): name for name in headers}  # a header is the same in any letter case
    for spec, row in (message.merge_headers or {}).items():
        names = {name: spelled.setdefault(f"h:{name}".lower(), f"h:{name}") for name in row}
        rows[spec] |= {names[name]: value for name, value in row.items()}
    for spec, row in (message.merge_metadata or {}).items():
        rows[spec] |= {f"v:{name}": form_text(value) for name, value in row.items()}
    return rows


def _references(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return each name that occurs → how a field refers to its value."""
    names = dict.fromkeys(name for row in rows for name in row)
    if any("%" in name for name in names):
        raise UnsupportedFeature(
            "Mailgun ends the name of a recipient's value at a '%'.", field="merge_data", provider="mailgun"
        )
    return {name: f"%recipient.{name}%" for name in names}


def _refuse_what_is_no_batch(message: Message) -> None:
    if not message.is_batch and (len(message.recipients) > 1 or not message.to):
        raise UnsupportedFeature(
            "Mailgun takes values for all recipients with a template or a batch only. Give merge_data, empty "
            "if need be, to send one mail to each.",
            field="merge_global_data",
            provider="mailgun",
        )
