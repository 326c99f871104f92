"""Request bodies that are streamed.

Rule: attachments never enter an encoder whole. The text around them is encoded once; their base64 is
made piece by piece, afresh for each iteration, so that a retry has nothing to rewind.
"""

from __future__ import annotations

import json
import re
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from mailcore._attachment import Attachment
from mailcore._http import Body
from mailcore.exceptions import NotSerializable

__all__ = ["Base64", "JsonBody", "Part", "StreamedBody"]

#: What a body is put together from; all but bytes make theirs when they are sent.
Part: TypeAlias = bytes | Attachment | Body


class StreamedBody:
    """Parts one after the other, made afresh for each iteration."""

    __slots__ = ("_length", "_parts")

    def __init__(self, parts: Iterable[Part]) -> None:
        self._parts = tuple(parts)
        self._length = sum(map(len, self._parts))

    @property
    def content_type(self) -> str:
        """What it says of itself."""
        return "application/octet-stream"

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield from part.pieces() if isinstance(part, Attachment) else part


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise NotSerializable(f"JSON cannot carry a value of type {type(value).__name__}.")


def _encoder(default: Callable[[Any], Any]) -> json.JSONEncoder:
    return json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=default)


#: Made once: most documents hold no attachment.
_PLAIN = _encoder(_plain)

_MARKER = "base64-goes-here"
_MARKER_RUN = re.compile(f"{_MARKER}(-*)")


@attrs.frozen
class Base64:
    """Stand in a JSON document for an attachment's content, or for another body, as one line of base64."""

    content: Attachment | Body

    def __len__(self) -> int:
        return (len(self.content) + 2) // 3 * 4

    def __iter__(self) -> Iterator[bytes]:
        rest = b""
        for piece in self.content.pieces() if isinstance(self.content, Attachment) else self.content:
            content = rest + piece  # those of a body may have any length
            whole = len(content) - len(content) % 3
            yield b2a_base64(content[:whole], newline=False)
            rest = content[whole:]
        yield b2a_base64(rest, newline=False)


class JsonBody(StreamedBody):
    """
    A JSON document, an object or a list, in which `Base64` values are streamed.

    Raises:
        NotSerializable: Something in the document is not JSON.
    """

    __slots__ = ()

    def __init__(self, document: Mapping[str, Any] | Sequence[Any]) -> None:
        super().__init__(_encode(document))

    @property
    def content_type(self) -> str:
        """`application/json`."""
        return "application/json"


def _encode(document: Mapping[str, Any] | Sequence[Any]) -> tuple[bytes | Base64, ...]:
    try:
        return (_PLAIN.encode(document).encode("ascii"),)
    except (TypeError, ValueError, RecursionError):  # it holds `Base64`, or what is not JSON
        return _encode_around(document)


def _encode_around(document: Mapping[str, Any] | Sequence[Any]) -> tuple[bytes | Base64, ...]:
    streamed: list[Base64] = []
    marker = _MARKER
    text = _dumps(document, marker, streamed)
    if text.count(marker) != len(streamed):
        # The mail itself says so: a marker longer than any there is stands for the content alone.
        longest = max(map(len, _MARKER_RUN.findall(text)))
        marker += "-" * (longest + 1)
        streamed.clear()
        text = _dumps(document, marker, streamed)
    pieces = text.encode("ascii").split(marker.encode("ascii"))
    parts: list[bytes | Base64] = [pieces[0]]
    for content, piece in zip(streamed, pieces[1:], strict=True):
        parts += [content, piece]
    return tuple(parts)


def _dumps(document: Mapping[str, Any] | Sequence[Any], marker: str, streamed: list[Base64]) -> str:
    def replace(value: Any) -> Any:
        if isinstance(value, Base64):
            streamed.append(value)
            return marker
        return _plain(value)

    try:
        return _encoder(replace).encode(document)
    except NotSerializable:
        raise
    except (TypeError, ValueError, RecursionError) as error:
        raise NotSerializable(f"JSON cannot carry the document ({error}).") from None
