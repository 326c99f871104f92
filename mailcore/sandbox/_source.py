"""The source of a mail that came through an API: what the provider would put on the wire.

Rule: whatever the mail holds, it becomes a mail: headers stay on one line and bodies within their part.
"""

from __future__ import annotations

import re
from base64 import encodebytes
from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime

import attrs

from mailcore._emulator import EmulatedFile, EmulatedMail

__all__ = ["MAX_LINE", "is_wide", "source_of"]

#: The longest line that SMTP carries, without its end.
MAX_LINE = 998

_BREAKS = re.compile(r"[\r\n\0]+\s*")
_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+")


@attrs.frozen
class _Part:
    head: tuple[tuple[str, str], ...]
    body: bytes


def source_of(mail: EmulatedMail, at: datetime) -> bytes:
    """Return the mail as MIME, with CRLF line ends and text in UTF-8."""
    if mail.source is not None:
        return mail.source
    names = {name.lower() for name, _ in mail.headers}
    own = [("Date", format_datetime(at)), ("MIME-Version", "1.0")]
    pairs = [*mail.headers, *((name, value) for name, value in own if name.lower() not in names)]
    entity = _entity(mail)
    return _head((*pairs, *entity.head)) + entity.body


def is_wide(text: bytes) -> bool:
    """Tell whether a line is longer than SMTP carries; each byte is looked at once."""
    return any(len(line) > MAX_LINE for line in text.splitlines())


def _entity(mail: EmulatedMail) -> _Part:
    shown = [file for file in mail.files if file.content_id]
    others = [file for file in mail.files if not file.content_id]
    texts = [_text("plain", mail.text)] if mail.text or not mail.html else []
    if mail.html:
        rich = _multipart("related", [_text("html", mail.html), *map(_file, shown)])
        texts.append(rich)
    else:
        others = [*shown, *others]
    return _multipart("mixed", [_multipart("alternative", texts), *map(_file, others)])


def _multipart(kind: str, parts: list[_Part]) -> _Part:
    if len(parts) == 1:
        return parts[0]
    number = 1
    while any(f"=_{kind}_{number}".encode() in part.body for part in parts):
        number += 1
    boundary = f"=_{kind}_{number}"
    opening = f"--{boundary}\r\n".encode()
    inside = b"".join(opening + _head(part.head) + part.body + b"\r\n" for part in parts)
    head = (("Content-Type", f'multipart/{kind}; boundary="{boundary}"'),)
    return _Part(head, inside + f"--{boundary}--\r\n".encode())


def _text(kind: str, text: str) -> _Part:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").encode(errors="replace")
    wide = is_wide(lines) or b"\0" in lines
    head = ("Content-Type", f"text/{kind}; charset=utf-8")
    if wide:
        return _Part((head, ("Content-Transfer-Encoding", "base64")), _base64(lines))
    return _Part((head, ("Content-Transfer-Encoding", "8bit")), lines.replace(b"\n", b"\r\n"))


def _file(file: EmulatedFile) -> _Part:
    return _Part(tuple(_file_head(file)), _base64(file.content))


def _file_head(file: EmulatedFile) -> Iterator[tuple[str, str]]:
    name = file.filename.replace("\\", "_").replace('"', "'")
    kind = file.content_type if _TYPE.fullmatch(file.content_type) else "application/octet-stream"
    # A multipart type would be read as parts, which a file's base64 is not.
    kind = "application/octet-stream" if kind.lower().startswith(("multipart/", "message/")) else kind
    yield "Content-Type", f'{kind}; name="{name}"'
    yield "Content-Transfer-Encoding", "base64"
    yield "Content-Disposition", f'{"inline" if file.content_id else "attachment"}; filename="{name}"'
    if file.content_id:
        yield "Content-ID", f"<{file.content_id}>"


def _base64(content: bytes) -> bytes:
    return encodebytes(content).replace(b"\n", b"\r\n")


def _head(pairs: tuple[tuple[str, str], ...]) -> bytes:
    lines = (f"{_one_line(name)}: {_one_line(value)}\r\n" for name, value in pairs)
    return "".join(lines).encode(errors="replace") + b"\r\n"


def _one_line(text: str) -> str:
    return _BREAKS.sub(" ", text)
