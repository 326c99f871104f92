"""What a test says of a message, and in what a message differs from it.

Rule: a value is read as `Message` reads it, so that a test writes an address as the program does.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from mailcore._address import Address
from mailcore._message import Message
from mailcore._message_fields import CONVERT
from mailcore._nearest import did_you_mean

__all__ = ["Difference", "Expectation"]

#: Most characters of a value in a failing assertion.
MOST = 300
#: What is known of a message beside its own fields.
BESIDE = ("provider", "mailer")

#: Field, what was expected, what is there; both as they are shown.
Difference = tuple[str, str, str]


class Expectation:
    """
    Values that a message is to have, by field; a function is called with the field's value.

    Raises:
        TypeError: No message has such a field.
        InvalidMessage: A value that no message could have.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        for name in fields:
            if name not in CONVERT and name not in BESIDE:
                raise TypeError(f"A message has no field {name!r}.{did_you_mean(name, [*CONVERT, *BESIDE])}")
        plain = {name: value for name, value in fields.items() if name in CONVERT and not callable(value)}
        read = Message(**plain)
        self._expected = {
            name: getattr(read, name) if name in plain else value for name, value in fields.items()
        }

    def differences(self, message: Message, beside: Mapping[str, str]) -> list[Difference]:
        """Return each field of the message that is not as expected."""
        found = {name: beside.get(name) or getattr(message, name, None) for name in self._expected}
        return [
            (name, _shown(expected), _shown(found[name]))
            for name, expected in self._expected.items()
            if not _fits(expected, found[name])
        ]

    def __str__(self) -> str:
        return ", ".join(f"{name}={_shown(value)}" for name, value in self._expected.items())


def likeness(differences: list[Difference]) -> tuple[int, float]:
    """Return what makes one message nearer than another: fewer differences, then more alike ones."""
    ratios = [difflib.SequenceMatcher(None, expected, found).ratio() for _, expected, found in differences]
    return -len(differences), sum(ratios)


def _fits(expected: Any, found: Any) -> bool:
    if callable(expected):
        return bool(expected(found))
    if isinstance(expected, tuple) and isinstance(found, tuple) and len(expected) == len(found):
        return all(map(_same, expected, found))
    # What is absent is None in one field and empty in another.
    return _same(expected, found) or (_is_absent(expected) and _is_absent(found))


def _is_absent(value: Any) -> bool:
    return value is None or (isinstance(value, str | tuple | Mapping) and not value)


def _same(expected: Any, found: Any) -> bool:
    if isinstance(expected, Address) and isinstance(found, Address):
        named = expected.display_name
        return expected.key == found.key and (not named or named == found.display_name)
    return bool(expected == found)


def _shown(value: Any) -> str:
    text = _text(value)
    return text if len(text) <= MOST else f"{text[:MOST]}... ({len(text)} characters)"


def _text(value: Any) -> str:
    if isinstance(value, Callable):  # type: ignore[arg-type]  # reason: the ABC is a class at run time
        return f"<what {getattr(value, '__qualname__', repr(value))} accepts>"
    if isinstance(value, Address):
        return repr(str(value))
    if isinstance(value, tuple):
        return ", ".join(map(_text, value)) or "nothing"
    if _is_absent(value):
        return "nothing"
    return repr(dict(value)) if isinstance(value, Mapping) else repr(value)
