"""Values that JSON can carry to a provider and back, checked when they are given.

Rule: what would be turned into some text on the way (dates, decimals, objects) is refused, so that an
event brings back exactly what the message took along.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mailcore._characters import check_text, is_text
from mailcore._mapping import FrozenMap
from mailcore.exceptions import InvalidMessage, NotSerializable

__all__ = ["json_map", "nested_map"]

MAX_DEPTH = 32
#: Numbers of more digits are refused by those who read strictly, ourselves among them.
MAX_INTEGER = 10**20 - 1


def json_map(value: Mapping[str, Any], *, field: str) -> FrozenMap[Any]:
    """
    Return a mapping of JSON values, read-only.

    Raises:
        NotSerializable: A value JSON cannot carry; the error names its place and type.
    """
    if not isinstance(value, Mapping):
        raise InvalidMessage(f"is a mapping, not {type(value).__name__}.", field=field)
    for key, item in value.items():
        _check_key(key, field)
        if not is_text(item):  # most are, and need no name for their place
            _check(item, f"{field}[{key!r}]", MAX_DEPTH)
    return FrozenMap(value)


def nested_map(value: Mapping[str, Mapping[str, Any]], *, field: str) -> FrozenMap[FrozenMap[Any]]:
    """Return a mapping of mappings of JSON values, read-only; errors as in `json_map`."""
    if not isinstance(value, Mapping):
        raise InvalidMessage(f"is a mapping of mappings, not {type(value).__name__}.", field=field)
    for key in value:
        _check_key(key, field)
    return FrozenMap({key: json_map(row, field=f"{field}[{key!r}]") for key, row in value.items()})


def _check_key(key: object, field: str) -> None:
    if not isinstance(key, str):
        raise NotSerializable(f"has the key {key!r}; JSON keys are text.", field=field)
    check_text(key, field=field)


def _check(value: Any, place: str, depth: int) -> None:
    if depth == 0:
        raise NotSerializable(f"is nested more than {MAX_DEPTH} levels deep.", field=place)
    if isinstance(value, str):
        check_text(value, field=place)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _check_key(key, place)
            _check(item, f"{place}[{key!r}]", depth - 1)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            _check(item, f"{place}[{position}]", depth - 1)
    elif not _is_scalar(value):
        raise NotSerializable(
            f"holds {_shown(value)}, which JSON cannot carry. Convert it to text or a number.",
            field=place,
        )


def _shown(value: Any) -> str:
    if isinstance(value, int):
        return "an integer of more digits than JSON parsers agree on"
    return f"{value!r}, a {type(value).__name__}"


def _is_scalar(value: Any) -> bool:
    if isinstance(value, int):
        return abs(value) <= MAX_INTEGER
    return value is None or (isinstance(value, float) and math.isfinite(value))
