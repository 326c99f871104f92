"""A URL-encoded form as a request body.

Rule: text and whole numbers only; what `str()` would make of anything else is nobody's intention.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mailcore.exceptions import NotSerializable

__all__ = ["FormBody", "field_text"]


class FormBody:
    """
    Fields as `application/x-www-form-urlencoded`, UTF-8, in order; repeats are kept.

    Raises:
        NotSerializable: A value that is neither text nor a whole number.
    """

    __slots__ = ("_data",)

    content_type = "application/x-www-form-urlencoded"

    def __init__(self, fields: Mapping[str, str | int] | Iterable[tuple[str, str | int]]) -> None:
        from urllib.parse import urlencode

        pairs = fields.items() if isinstance(fields, Mapping) else fields
        self._data = urlencode([(name, field_text(name, value)) for name, value in pairs]).encode("ascii")

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[bytes]:
        yield self._data


def field_text(name: str, value: object) -> str:
    """Return the text of a form field."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise NotSerializable(
            f"A form cannot carry a value of type {type(value).__name__}. Convert it to text.", field=name
        )
    return str(value)
