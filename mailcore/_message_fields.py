"""What each field of a message takes, and what it keeps.

Rule: one small function a field. Each refuses in the field's name what could not be part of any mail,
and lets `UNSET` and None through for `resolve`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar, cast

from mailcore import _header
from mailcore._address import Address
from mailcore._attachment import Attachment
from mailcore._characters import check_line, check_text
from mailcore._json_value import json_map, nested_map
from mailcore._mapping import FrozenMap
from mailcore._unset import UNSET, Unset
from mailcore.exceptions import InvalidMessage, NotSerializable

T = TypeVar("T")
Absent: TypeAlias = "type[Unset] | None"
Addresses: TypeAlias = "str | Address | Iterable[str | Address | None] | Absent"
Texts: TypeAlias = "str | Iterable[str] | Absent"
Map: TypeAlias = "Mapping[str, Any] | Absent"
Rows: TypeAlias = "Mapping[str, Mapping[str, Any]] | Absent"

_KEY = re.compile(r"[!-~]+")


def _keep(value: Any, convert: Callable[[Any], T]) -> T:
    # What is absent passes as it is: typed as the value it stands for until `resolve`.
    return cast("T", value) if value is UNSET or value is None else convert(value)


def _addresses(value: Any, field: str) -> tuple[Address, ...]:
    return _keep(value, lambda given: Address.parse_list(given, field=field))


def _line(value: Any, field: str) -> str:
    return _keep(value, lambda given: check_line(given, field=field))


def _body(value: Any, field: str) -> str:
    return _keep(value, lambda given: check_text(given, field=field))


def _rows(value: Any, field: str) -> FrozenMap[FrozenMap[Any]]:
    return _keep(value, lambda given: nested_map(given, field=field))


def _map(value: Any, field: str) -> FrozenMap[Any]:
    return _keep(value, lambda given: json_map(given, field=field))


def _listed(value: Any, field: str) -> Any:
    if not isinstance(value, Iterable) or isinstance(value, Mapping | bytes):
        raise InvalidMessage(f"takes one item or a list of them, not {type(value).__name__}.", field=field)
    return value


def _flag(value: Any, field: str) -> bool | None:
    if value is not UNSET and value is not None and not isinstance(value, bool):
        raise InvalidMessage(f"is True, False or not given, not {value!r}.", field=field)
    return cast("bool | None", value)


def from_(value: Addresses) -> tuple[Address, ...]:
    return _addresses(value, "from_")


def to(value: Addresses) -> tuple[Address, ...]:
    return _addresses(value, "to")


def cc(value: Addresses) -> tuple[Address, ...]:
    return _addresses(value, "cc")


def bcc(value: Addresses) -> tuple[Address, ...]:
    return _addresses(value, "bcc")


def reply_to(value: Addresses) -> tuple[Address, ...]:
    return _addresses(value, "reply_to")


def subject(value: str | Absent) -> str | None:
    return _line(value, "subject")


def text(value: str | Absent) -> str | None:
    return _body(value, "text")


def html(value: str | Absent) -> str | None:
    return _body(value, "html")


def amp_html(value: str | Absent) -> str | None:
    return _body(value, "amp_html")


def attachments(value: Attachment | Iterable[Attachment] | Absent) -> tuple[Attachment, ...]:
    return _keep(value, _attachment_list)


def _attachment_list(value: Any) -> tuple[Attachment, ...]:
    items = (value,) if isinstance(value, Attachment) else tuple(_listed(value, "attachments"))
    for item in items:
        if not isinstance(item, Attachment):
            raise InvalidMessage(
                f"holds {type(item).__name__}; use Attachment(...) or Attachment.from_path(...).",
                field="attachments",
            )
    return items


def headers(value: Mapping[str, str | int | float] | Absent) -> FrozenMap[str]:
    return _keep(value, lambda given: FrozenMap(_header.header_map(given)))


def in_reply_to(value: str | Absent) -> str | None:
    return _keep(value, lambda given: _header.message_id(given, "in_reply_to"))


def references(value: Texts) -> tuple[str, ...]:
    return _keep(value, lambda given: _header.message_ids(_listed(given, "references"), "references"))


def list_unsubscribe(value: Texts) -> tuple[str, ...]:
    field = "list_unsubscribe"
    return _keep(value, lambda given: _header.unsubscribe_uris(_listed(given, field), field))


def tags(value: Texts) -> tuple[str, ...]:
    return _keep(value, _tag_list)


def _tag_list(value: Any) -> tuple[str, ...]:
    items = (value,) if isinstance(value, str) else tuple(_listed(value, "tags"))
    for item in items:
        if not isinstance(item, str):
            raise NotSerializable(f"holds {item!r}, a {type(item).__name__}; tags are text.", field="tags")
        if not check_line(item, field="tags").strip():
            raise InvalidMessage("A tag is empty. Leave it out.", field="tags")
    return items


def metadata(value: Map) -> FrozenMap[Any]:
    return _map(value, "metadata")


def envelope_sender(value: str | Address | Absent) -> Address | None:
    return _keep(value, _bare_address)


def _bare_address(value: str | Address) -> Address:
    # A return path has no display name (RFC 5321, section 4.1.2).
    return Address(Address.parse(value, field="envelope_sender").addr_spec)


def send_at(value: datetime | Absent) -> datetime | None:
    return _keep(value, _utc)


def _utc(value: Any) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidMessage(
            f"needs a datetime with a time zone, not {value!r}. "
            "For example datetime(2030, 1, 31, 9, tzinfo=UTC).",
            field="send_at",
        )
    return value.astimezone(UTC)


def track_opens(value: bool | Absent) -> bool | None:  # noqa: FBT001  # reason: attrs calls it
    return _flag(value, "track_opens")


def track_clicks(value: bool | Absent) -> bool | None:  # noqa: FBT001  # reason: attrs calls it
    return _flag(value, "track_clicks")


def template_id(value: str | int | Absent) -> str | None:
    return _line(str(value) if isinstance(value, int) else value, "template_id")


def merge_data(value: Rows) -> FrozenMap[FrozenMap[Any]] | None:
    return _rows(value, "merge_data")


def merge_metadata(value: Rows) -> FrozenMap[FrozenMap[Any]] | None:
    return _rows(value, "merge_metadata")


def merge_headers(value: Rows) -> FrozenMap[FrozenMap[str]] | None:
    return _keep(value, _header_rows)


def _header_rows(value: Mapping[str, Mapping[str, Any]]) -> FrozenMap[FrozenMap[str]]:
    nested_map(value, field="merge_headers")
    return FrozenMap({key: FrozenMap(_header.header_map(row)) for key, row in value.items()})


def merge_global_data(value: Map) -> FrozenMap[Any]:
    return _map(value, "merge_global_data")


def idempotency_key(value: str | Absent) -> str | None:
    return _keep(value, _key)


def _key(value: Any) -> str:
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise InvalidMessage(
            "needs at least one printable ASCII character and no spaces; a blank key would make a provider "
            "take all mail for one. Leave it out to have one made.",
            field="idempotency_key",
        )
    return value


def provider_options(value: Rows) -> FrozenMap[FrozenMap[Any]]:
    return _keep(value, _by_provider)


def _by_provider(value: Mapping[str, Mapping[str, Any]]) -> FrozenMap[FrozenMap[Any]]:
    options = nested_map(value, field="provider_options")
    named = FrozenMap({name.replace("_", "-"): fields for name, fields in options.items()})
    if len(named) != len(options):
        raise InvalidMessage("Two keys are spellings of one provider. Keep one.", field="provider_options")
    return named
