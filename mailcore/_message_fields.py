"""What each field of a message takes, and what it keeps.

Rule: one row a field. Each converter takes the value and the field's name, and refuses in that name what
could not be part of any mail. What is absent (`UNSET`, None) never comes here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from mailcore import _header
from mailcore._address import Address
from mailcore._attachment import Attachment
from mailcore._characters import check_line, check_text
from mailcore._json_value import json_map, nested_map
from mailcore._mapping import FrozenMap
from mailcore._unset import Unset
from mailcore.exceptions import InvalidMessage, NotSerializable

__all__ = ["CONVERT", "MERGES", "Absent", "Addresses", "Map", "Rows", "Texts"]

Absent: TypeAlias = "type[Unset] | None"
Addresses: TypeAlias = "str | Address | Iterable[str | Address | None] | Absent"
Texts: TypeAlias = "str | Iterable[str] | Absent"
Map: TypeAlias = "Mapping[str, Any] | Absent"
Rows: TypeAlias = "Mapping[str, Mapping[str, Any]] | Absent"

#: Presence of one of these means that each address in `to` gets a mail of its own.
MERGES = ("merge_data", "merge_metadata", "merge_headers")

#: Numbers that JSON carries to a provider and back, everywhere.
MAX_NUMBER = 10**20

_KEY = re.compile(r"[!-~]+")


def _addresses(value: Any, field: str) -> tuple[Address, ...]:
    return Address.parse_list(value, field=field)


def _return_path(value: Any, field: str) -> Address:
    # A return path has no display name (RFC 5321, section 4.1.2).
    return Address(Address.parse(value, field=field).addr_spec)


def _line(value: Any, field: str) -> str:
    return check_line(value, field=field)


def _line_or_number(value: Any, field: str) -> str:
    if isinstance(value, int) and abs(value) >= MAX_NUMBER:
        raise InvalidMessage("is too large a number.", field=field)
    return check_line(str(value) if isinstance(value, int) else value, field=field)


def _text(value: Any, field: str) -> str:
    return check_text(value, field=field)


def _map(value: Any, field: str) -> FrozenMap[Any]:
    return json_map(value, field=field)


def _rows(value: Any, field: str) -> FrozenMap[FrozenMap[Any]]:
    return nested_map(value, field=field)


def _headers(value: Any, _: str) -> FrozenMap[str]:
    return FrozenMap(_header.header_map(value))


def _header_rows(value: Any, field: str) -> FrozenMap[FrozenMap[str]]:
    rows = nested_map(value, field=field)
    return FrozenMap({key: _headers(row, field) for key, row in rows.items()})


def _by_provider(value: Any, field: str) -> FrozenMap[FrozenMap[Any]]:
    options = nested_map(value, field=field)
    named = FrozenMap({name.replace("_", "-"): fields for name, fields in options.items()})
    if len(named) != len(options):
        raise InvalidMessage("Two keys are spellings of one provider. Keep one.", field=field)
    return named


def _listed(value: Any, field: str) -> Iterable[Any]:
    if not isinstance(value, Iterable) or isinstance(value, Mapping | bytes):
        raise InvalidMessage(f"takes one item or a list of them, not {type(value).__name__}.", field=field)
    return value


def _attachments(value: Any, field: str) -> tuple[Attachment, ...]:
    items = (value,) if isinstance(value, Attachment) else tuple(_listed(value, field))
    for item in items:
        if not isinstance(item, Attachment):
            raise InvalidMessage(
                f"holds {type(item).__name__}; use Attachment(...) or Attachment.from_path(...).",
                field=field,
            )
    return items


def _message_ids(value: Any, field: str) -> tuple[str, ...]:
    return _header.message_ids(_listed(value, field), field)


def _uris(value: Any, field: str) -> tuple[str, ...]:
    return _header.unsubscribe_uris(_listed(value, field), field)


def _tags(value: Any, field: str) -> tuple[str, ...]:
    items = (value,) if isinstance(value, str) else tuple(_listed(value, field))
    for item in items:
        if not isinstance(item, str):
            raise NotSerializable(f"holds {item!r}, a {type(item).__name__}; tags are text.", field=field)
        if not check_line(item, field=field).strip():
            raise InvalidMessage("A tag is empty. Leave it out.", field=field)
    return items


def _flag(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidMessage(f"is True, False or not given, not {value!r}.", field=field)
    return value


def _utc(value: Any, field: str) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidMessage(
            f"needs a datetime with a time zone, not {value!r}. "
            "For example datetime(2030, 1, 31, 9, tzinfo=UTC).",
            field=field,
        )
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidMessage("is outside the years that UTC has.", field=field) from None


def _key(value: Any, field: str) -> str:
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise InvalidMessage(
            "needs at least one printable ASCII character and no spaces; a blank key would make a provider "
            "take all mail for one. Leave it out to have one made.",
            field=field,
        )
    return value


#: Field → what makes the kept value of the given one.
CONVERT: Mapping[str, Callable[[Any, str], Any]] = {
    "from_": _addresses,
    "to": _addresses,
    "cc": _addresses,
    "bcc": _addresses,
    "reply_to": _addresses,
    "subject": _line,
    "text": _text,
    "html": _text,
    "amp_html": _text,
    "attachments": _attachments,
    "headers": _headers,
    "in_reply_to": _header.message_id,
    "references": _message_ids,
    "list_unsubscribe": _uris,
    "tags": _tags,
    "metadata": _map,
    "envelope_sender": _return_path,
    "send_at": _utc,
    "track_opens": _flag,
    "track_clicks": _flag,
    "template_id": _line_or_number,
    "merge_data": _rows,
    "merge_metadata": _rows,
    "merge_headers": _header_rows,
    "merge_global_data": _map,
    "idempotency_key": _key,
    "provider_options": _by_provider,
}
