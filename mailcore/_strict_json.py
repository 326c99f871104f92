"""JSON from strangers: one meaning, bounded work, one error.

Rule 1: UTF-8 only; a byte order mark, another encoding or a broken sequence is refused.
Rule 2: what parsers disagree about is refused: duplicate keys, NaN, infinities, huge numbers.
Rule 3: text that no mail or database can hold (lone surrogates, NUL) is replaced by U+FFFD.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from mailcore.exceptions import InvalidDocument

__all__ = ["strict_json"]

MAX_DEPTH = 64
MAX_DIGITS = 20

_SUSPICIOUS_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


def strict_json(data: bytes | str, *, max_depth: int = MAX_DEPTH) -> Any:
    """
    Return the value of a JSON text.

    Args:
        max_depth: Most levels of objects and lists within each other.

    Raises:
        InvalidDocument: Not UTF-8, not JSON, or JSON that breaks the rules of this file.
    """
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        value = _DECODER.decode(text)
    except InvalidDocument:
        raise
    except RecursionError:
        raise InvalidDocument("The JSON is nested too deeply.") from None
    except ValueError as error:
        # The decoder's own text may quote the input; its class and position say enough.
        raise InvalidDocument(f"The text is not UTF-8 JSON ({type(error).__name__}).") from None
    if len(text) > max_depth and _may_be_deep(text, max_depth):
        _refuse_depth(value, max_depth)
    return _scrub(value) if _may_be_unusable(text, data) else value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise InvalidDocument("The JSON has an object with a duplicate key.")
    return result


def _integer(digits: str) -> int:
    if len(digits.removeprefix("-")) > MAX_DIGITS:
        raise InvalidDocument(f"The JSON has a number of more than {MAX_DIGITS} digits.")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise InvalidDocument("The JSON has a number that is too large.")
    return value


def _constant(name: str) -> NoReturn:
    raise InvalidDocument(f"The JSON has {name}, which is not a JSON value.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _may_be_deep(text: str, max_depth: int) -> bool:
    """Return whether there are enough brackets for that; looking for one is much faster than counting all."""
    left = max_depth
    for bracket in "[{":
        at = -1
        while (at := text.find(bracket, at + 1)) >= 0:
            left -= 1
            if left < 0:
                return True
    return False


def _may_be_unusable(text: str, data: bytes | str) -> bool:
    """Return whether the text may hold a character that has to be replaced, as itself or as an escape."""
    if "\\u" in text and _SUSPICIOUS_ESCAPE.search(text):
        return True
    return isinstance(data, str) and _UNUSABLE.search(text) is not None


def _children(value: Any) -> list[Any]:
    inside = value.values() if isinstance(value, dict) else value
    return [child for child in inside if isinstance(child, dict | list)]


def _refuse_depth(value: Any, max_depth: int) -> None:
    """Walk level by level, so that no input can exhaust the stack."""
    level = _children([value])
    for _ in range(max_depth):
        if not level:
            return
        level = [child for container in level for child in _children(container)]
    if level:
        raise InvalidDocument(f"The JSON is nested more than {max_depth} levels deep.")


def _scrub(value: Any) -> Any:
    if isinstance(value, str):
        return _UNUSABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return _object([(_scrub(key), _scrub(item)) for key, item in value.items()])
    if isinstance(value, list):
        return [_scrub(item) for item in value]
    return value
