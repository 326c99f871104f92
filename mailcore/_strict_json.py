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

from mailcore._characters import is_text
from mailcore.exceptions import InvalidDocument

__all__ = ["strict_json"]

MAX_DEPTH = 64
MAX_DIGITS = 20

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
        value = _DECODER.decode(data.decode("utf-8") if isinstance(data, bytes) else data)
    except InvalidDocument:
        raise
    except RecursionError:
        raise InvalidDocument("The JSON is nested too deeply.") from None
    except ValueError as error:
        # The decoder's own text may quote the input; its class and position say enough.
        raise InvalidDocument(f"The text is not UTF-8 JSON ({type(error).__name__}).") from None
    return _scrub(value) if _is_unusable(value, max_depth) else value


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


def _is_unusable(value: Any, max_depth: int) -> bool:
    """
    Return whether any text in a value has to be replaced.

    The value is looked at, not the text it came from: that is most of a large delivery, and full of
    backslashes. Level by level, so that no input can exhaust the stack.
    """
    unusable = False
    level: list[Any] = [[value]]
    for _ in range(max_depth + 1):
        below = []
        for container in level:
            for item in container if type(container) is list else (*container, *container.values()):
                kind = type(item)
                if kind is str:
                    if not item.isascii() or "\0" in item:
                        unusable = unusable or not is_text(item)
                elif kind is dict or kind is list:
                    below.append(item)
        if not below:
            return unusable
        level = below
    raise InvalidDocument(f"The JSON is nested more than {max_depth} levels deep.")


def _scrub(value: Any) -> Any:
    if isinstance(value, str):
        return _UNUSABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return _object([(_scrub(key), _scrub(item)) for key, item in value.items()])
    if isinstance(value, list):
        return [_scrub(item) for item in value]
    return value
