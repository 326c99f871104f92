"""The fields and files of a form that a webhook holds: URL-encoded, or with files (RFC 7578).

Rule 1: strict. What two readers could take apart differently is refused: the proof may be one of the fields.
Rule 2: work is bounded before it is done: 1,000 parts, 16 KiB of headers each.
Rule 3: a part is bytes. Only its labels are text, so that a mail in one of them loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NoReturn

import attrs

from mailcore.exceptions import InvalidDocument

__all__ = ["FormPart", "read_form"]

MAX_PARTS = 1000
MAX_HEAD = 16 * 1024

_MULTIPART = re.compile(r"\s*multipart/form-data\s*(?:;|\Z)", re.IGNORECASE)
# Boundaries of RFC 2046, section 5.1.1, without the spaces that nobody writes.
_BOUNDARY = re.compile(
    r""";\s*boundary=(?:"([\w'()+,./:=?-]{1,70})"|([\w'+./-]{1,70}))\s*(?:;|\Z)""", re.IGNORECASE | re.ASCII
)
_HEADER = re.compile(r"([!-9;-~]+):[ \t]*([^\x00\r\n]*)")
_LABEL = r';\s*(name|filename\*?)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s";]+)\s*'
_DISPOSITION = re.compile(rf"form-data\s*(?:{_LABEL})+", re.IGNORECASE)
_LABELS = re.compile(_LABEL, re.IGNORECASE)
#: Some senders escape as RFC 822 does, some as browsers do; the others' backslashes stay.
_ESCAPED = re.compile(r'\\(["\\])')
_UNENCODED = frozenset({"", "7bit", "8bit", "binary"})


@attrs.frozen(kw_only=True)
class FormPart:
    """
    One field or file of a form.

    Attributes:
        content: The bytes, as they were before they were put into the form.
        filename: As the sender names it, not safe to use as a path; None for a field.
        content_type: What the part says of its content; empty where it says nothing.
    """

    name: str
    content: bytes = attrs.field(repr=lambda content: f"<{len(content)} bytes>")
    filename: str | None = None
    content_type: str = ""

    @property
    def text(self) -> str:
        """The content as text: what is no UTF-8 is replaced, and NUL, which would not survive a queue."""
        return _scrubbed(self.content.decode("utf-8", "replace"))

    @property
    def strict_text(self) -> str:
        """The content as text, which it is (UTF-8); raises `InvalidDocument` otherwise."""
        return _scrubbed(_utf8(self.content))


def read_form(content_types: Iterable[str], body: bytes) -> tuple[FormPart, ...]:
    """
    Return the parts of a body, in order; repeats are kept.

    Args:
        content_types: Each `Content-Type` header; without any, the form is URL-encoded.

    Raises:
        InvalidDocument: It is no form, or one that could be read in two ways.
    """
    given = tuple(content_types)
    if not any(map(_MULTIPART.match, given)):
        return tuple(_url_encoded(body))
    found = _BOUNDARY.search(given[0]) if len(given) == 1 else None
    if found is None:
        _refuse("has no boundary")
    return tuple(_multipart((found[1] or found[2]).encode("ascii"), body))


def _refuse(what: str) -> NoReturn:
    raise InvalidDocument(f"The form {what}.") from None


def _scrubbed(text: str) -> str:
    return text.replace("\0", "\ufffd")


def _utf8(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("is not UTF-8")


def _url_encoded(body: bytes) -> Iterator[FormPart]:
    from urllib.parse import parse_qsl

    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=MAX_PARTS,
            encoding="latin-1",  # each byte is one character: what they stand for is decided later
        )
    except ValueError:
        _refuse("is not URL-encoded")
    for name, value in pairs:
        yield FormPart(name=_scrubbed(_utf8(name.encode("latin-1"))), content=value.encode("latin-1"))


def _multipart(boundary: bytes, body: bytes) -> Iterator[FormPart]:
    delimiter = b"\r\n--" + boundary
    if not body.startswith(delimiter[2:]):
        _refuse("does not begin with its boundary")
    at = len(delimiter) - 2
    for _ in range(MAX_PARTS + 1):
        after = body[at : at + 2]
        if after == b"--":
            if body[at + 2 : at + 5] not in (b"", b"\r\n"):
                _refuse("goes on after its end")
            return
        start, end = at + 2, body.find(delimiter, at + 2)
        blank = body.find(b"\r\n\r\n", start, min(end, start + MAX_HEAD))
        if after != b"\r\n" or end < 0 or blank < 0:
            _refuse("has a part without end or without headers")
        yield _part(body[start:blank], body[blank + 4 : end])
        at = end + len(delimiter)
    _refuse(f"has more than {MAX_PARTS} parts")


def _part(head: bytes, content: bytes) -> FormPart:
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        match = _HEADER.fullmatch(line)
        if match is None or match[1].lower() in headers:
            _refuse("has a part with a header that is none, or that is there twice")
        headers[match[1].lower()] = match[2].strip()
    if headers.get("content-transfer-encoding", "").lower() not in _UNENCODED:
        _refuse("has a part in a transfer encoding")
    labels = _labels(headers.get("content-disposition", ""))
    return FormPart(
        name=labels["name"],
        content=content,
        filename=labels.get("filename*", labels.get("filename")),
        content_type=headers.get("content-type", ""),
    )


def _labels(disposition: str) -> dict[str, str]:
    if not _DISPOSITION.fullmatch(disposition):
        _refuse("has a part that is no field")
    found = [(key.lower(), value) for key, value in _LABELS.findall(disposition)]
    labels = {key: _label(key, value) for key, value in found}
    if len(labels) != len(found) or "name" not in labels:
        _refuse("has a part with two names, or none")
    return labels


def _label(key: str, value: str) -> str:
    if key == "filename*":  # RFC 7578 forbids it, and older libraries write it for letters beyond ASCII
        from urllib.parse import unquote

        return _scrubbed(unquote(value.strip('"').rpartition("'")[2], errors="replace"))
    bare = _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
    return bare.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
