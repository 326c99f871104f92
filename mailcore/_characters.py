"""Characters that no header, address or label may hold.

Rule: refused, never stripped. A stripped line break turns an attack into a mail nobody meant.
"""

from __future__ import annotations

import re

from mailcore.exceptions import InvalidMessage

__all__ = ["BIDI", "LINE_BREAKS", "check_label", "check_line", "check_text", "is_text"]

#: Bidirectional controls make a text read as another one: `gpj.exe` from `exe.jpg`.
BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
#: What somebody takes for the end of a line, and tabs.
LINE_BREAKS = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]+")

# C0, DEL, C1 (U+0085 is a line break to some), line and paragraph separators, lone surrogates.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Bodies are text of many lines; only what no encoding can carry is refused.
_UNENCODABLE = re.compile("[\x00\ud800-\udfff]")


def check_line(text: str, *, field: str, error: type[InvalidMessage] = InvalidMessage) -> str:
    """Return `text` if it is one line without control characters, else raise `error`."""
    if isinstance(text, str) and text.isprintable():  # nothing printable is forbidden
        return text
    return _check(_CONTROL, text, "a control character or line break", field, error)


def check_label(text: str, *, field: str, error: type[InvalidMessage] = InvalidMessage) -> str:
    """Return `text` if it is one line that also reads as it is written, else raise `error`."""
    if isinstance(text, str) and text.isprintable():
        return text
    return _check(BIDI, check_line(text, field=field, error=error), "a bidirectional control", field, error)


def check_text(text: str, *, field: str) -> str:
    """Return a body `text` if it can be encoded, else raise `InvalidMessage`."""
    if is_text(text):  # many times faster than a search
        return text
    return _check(_UNENCODABLE, text, "a NUL or lone surrogate", field, InvalidMessage)


def is_text(value: object) -> bool:
    """Return whether a value is text that a body can hold."""
    return isinstance(value, str) and "\0" not in value and (value.isascii() or _is_encodable(value))


def _is_encodable(text: str) -> bool:
    """Return whether UTF-8 can carry a text: a lone surrogate it cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check(forbidden: re.Pattern[str], text: str, what: str, field: str, error: type[InvalidMessage]) -> str:
    if not isinstance(text, str):
        raise error(f"expected text, not {type(text).__name__}.", field=field)
    found = forbidden.search(text)
    if found:
        raise error(
            f"holds {what}, U+{ord(found.group()):04X} at position {found.start()}. Remove it.", field=field
        )
    return text
