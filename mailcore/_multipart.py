"""A form with files as a request body (RFC 7578).

Rule 1: files are streamed, afresh for each iteration.
Rule 2: the boundary occurs in nothing it separates; where it would, a longer one is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from mailcore._attachment import Attachment
from mailcore._body import StreamedBody
from mailcore._form import field_text
from mailcore.exceptions import InvalidMessage

__all__ = ["MultipartBody"]

Field: TypeAlias = str | int | Attachment | StreamedBody
Content: TypeAlias = bytes | Attachment | StreamedBody

MAX_BOUNDARY = 70
_BOUNDARY = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


class MultipartBody(StreamedBody):
    """
    Fields and files as `multipart/form-data`, UTF-8, in order; repeats are kept.

    A `MimeBody` or another streamed body is a file as well, named as its field.

    Attributes:
        boundary: The one given, or a longer one where that occurs in the content.
        content_type: What the request says as `Content-Type`.

    Raises:
        InvalidMessage: The boundary is empty, longer than 70 characters, or not of letters, digits,
            `-` and `_`.
        NotSerializable: A field that is neither text, a whole number nor a file.
    """

    __slots__ = ("boundary",)

    def __init__(self, fields: Mapping[str, Field] | Iterable[tuple[str, Field]], *, boundary: str) -> None:
        pairs = list(fields.items() if isinstance(fields, Mapping) else fields)
        contents = [_head(name, value) for name, value in pairs]
        self.boundary = _free_boundary(boundary, contents)
        super().__init__(self._frame(contents))

    @property
    def content_type(self) -> str:
        """`multipart/form-data` with the boundary."""
        return f"multipart/form-data; boundary={self.boundary}"

    def _frame(self, contents: list[tuple[bytes, Content]]) -> Iterator[Content]:
        delimiter = b"--" + self.boundary.encode("ascii")
        for head, content in contents:
            yield delimiter + b"\r\n" + head
            yield content
            yield b"\r\n"
        yield delimiter + b"--\r\n"


def _head(name: str, value: Field) -> tuple[bytes, Content]:
    disposition = f'Content-Disposition: form-data; name="{_escape(name)}"'
    if isinstance(value, Attachment):
        # Without a file name the part would be an ordinary field.
        return _file_head(disposition, value.filename or "attachment", value.full_content_type), value
    if isinstance(value, StreamedBody):
        return _file_head(disposition, name, value.content_type), value
    return f"{disposition}\r\n\r\n".encode(), field_text(name, value).encode()


def _file_head(disposition: str, filename: str, content_type: str) -> bytes:
    return f'{disposition}; filename="{_escape(filename)}"\r\nContent-Type: {content_type}\r\n\r\n'.encode()


def _escape(name: str) -> str:
    """Escape a name as browsers do (HTML, section 4.10.21.8); RFC 7578 forbids `filename*`."""
    # To some readers a backslash hides the closing quote; two of them end nobody's name too late.
    last = name[len(name.rstrip("\\")) :]
    return (name + last).replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _free_boundary(given: str, contents: list[tuple[bytes, Content]]) -> str:
    boundary = given
    while True:
        if not boundary or len(boundary) > MAX_BOUNDARY or not _BOUNDARY.issuperset(boundary):
            raise InvalidMessage("needs 1 to 70 letters, digits, '-' or '_'.", field="boundary")
        mark = b"--" + boundary.encode("ascii")
        if not any(mark in head or _occurs(mark, content) for head, content in contents):
            return boundary
        boundary += "-"


def _occurs(mark: bytes, content: Content) -> bool:
    if isinstance(content, bytes):
        return mark in content
    tail = b""
    for piece in content.pieces() if isinstance(content, Attachment) else content:
        if mark in tail + piece:
            return True
        tail = (tail + piece)[-len(mark) :]
    return False
