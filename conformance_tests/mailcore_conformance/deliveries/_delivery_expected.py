"""What a sample says its delivery means, against what came of it.

Rule: a field that the sample does not speak of is not compared.
"""

from __future__ import annotations

import enum
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from mailcore import Address, Defect, InboundAttachment

__all__ = ["differences", "mismatches"]

_ABSENT = object()
#: Whether the source is there is W22's to say.
_ELSEWHERE = frozenset({"raw"})


def mismatches(
    name: str, what: str, found: Sequence[Any], expected: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Yield what a sample's events or mails have otherwise than the sample says."""
    if len(found) != len(expected):
        yield f"The sample {name} becomes {len(found)} {what} instead of {len(expected)}."
        return
    for item, fields in zip(found, expected, strict=True):
        yield from (f"In the sample {name}, {text}" for text in differences(item, fields))


def differences(found: Any, expected: Mapping[str, Any]) -> Iterator[str]:
    """Yield the fields in which a value is not as expected; defects last, as reading adds to them."""
    for name in sorted(expected.keys() - _ELSEWHERE, key=lambda name: name == "defects"):
        value = getattr(found, name, _ABSENT)
        if value is _ABSENT:
            yield f"there is `{name}`, and {type(found).__name__} has no such field."
            continue
        shown = _plain(value, expected[name])
        if shown != expected[name]:
            yield f"`{name}` is {_short(shown)} instead of {_short(expected[name])}."


def _plain(value: Any, like: Any) -> Any:
    """Return a value the way a sample writes it."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime):
        return like if _same_moment(value, like) else value.isoformat()
    if isinstance(value, Address):
        return str(value)
    wanted = like if isinstance(like, Mapping) else {}
    if wanted and attrs.has(type(value)):
        value = {name: getattr(value, name, None) for name in wanted}
    if isinstance(value, Mapping):
        return {name: _plain(item, wanted.get(name)) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return _list(value, like)
    return value


def _list(items: Sequence[Any], like: Any) -> Any:
    told = (
        isinstance(like, list) and len(like) == len(items) and all(isinstance(one, Mapping) for one in like)
    )
    if items and isinstance(items[0], Defect) and not told:
        codes = sorted(item.code.value for item in items)
        return like if isinstance(like, list) and codes == sorted(like) else codes
    if items and isinstance(items[0], InboundAttachment):
        wanted = (
            like if isinstance(like, list) and len(like) == len(items) else [{"filename": ""}] * len(items)
        )
        return [_file(*pair) for pair in zip(items, wanted, strict=True)]
    return [_plain(*pair) for pair in zip(items, like if told else [None] * len(items), strict=True)]


def _file(file: InboundAttachment, like: Mapping[str, Any]) -> dict[str, Any]:
    content = {"content_base64": b64encode(file.content).decode()} if "content_base64" in like else {}
    return {name: content.get(name, getattr(file, name, None)) for name in like}


def _same_moment(value: datetime, like: Any) -> bool:
    try:
        return datetime.fromisoformat(like) == value
    except (TypeError, ValueError):
        return False


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
