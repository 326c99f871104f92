"""Text as it stands in a mail: 7-bit lines of bounded length, CRLF line ends.

Rule: plain ASCII stays readable; anything else survives every relay.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterator

from mailcore._attachment import Attachment

__all__ = ["Base64Lines", "encode_text", "is_seven_bit", "with_crlf"]

LINE = 76
MAX_LINE = 998
GROUP = LINE // 4 * 3

_BREAK = re.compile(rb"\r\n|\r|\n")
_UNSAFE = re.compile(rb"[^\t\r\n -~]")
_QUOTED = re.compile(rb"[^\t !-<>-~]|[\t ]\Z")
#: Mailbox files take this line for the begin of a mail; some servers change it on the way.
_FROM_LINE = re.compile(rb"(?:\A|\n)From ")


def with_crlf(content: bytes) -> bytes:
    """Return `content` with every line end as CRLF."""
    return _BREAK.sub(b"\r\n", content)


def is_seven_bit(content: bytes) -> bool:
    """Whether `content` (CRLF line ends) passes every relay as it is."""
    if not content.isascii() or b"\x00" in content or _FROM_LINE.search(content):
        return False
    return all(len(line) <= MAX_LINE for line in content.split(b"\r\n"))


def encode_text(text: str) -> tuple[str, bytes]:
    """Return a transfer encoding and `text` in it, UTF-8."""
    data = with_crlf(text.encode())
    if is_seven_bit(data):
        return "7bit", data
    unsafe = len(_UNSAFE.findall(data))
    if unsafe * 6 > len(data):  # beyond this, base64 is shorter
        return "base64", b"".join(_lines(data))
    return "quoted-printable", b"\r\n".join(_quote_line(line) for line in data.split(b"\r\n"))


def _quote_line(line: bytes) -> bytes:
    quoted = _QUOTED.sub(lambda found: b"=%02X" % found.group()[0], line)
    if quoted.startswith(b"From "):
        quoted = b"=46" + quoted[1:]
    pieces, at = [], 0
    while len(quoted) - at > LINE:
        end = at + LINE - 1
        escape = quoted.rfind(b"=", end - 2, end)  # never cut within =XX
        end = end if escape < 0 else escape
        pieces.append(quoted[at:end])
        at = end
    return b"=\r\n".join([*pieces, quoted[at:]])


def _lines(data: bytes) -> Iterator[bytes]:
    encoded = b2a_base64(data, newline=False)
    for at in range(0, len(encoded), LINE):
        yield encoded[at : at + LINE] + b"\r\n"


class Base64Lines:
    """An attachment's content as lines of base64, made afresh for each iteration."""

    __slots__ = ("_attachment",)

    def __init__(self, attachment: Attachment) -> None:
        self._attachment = attachment

    def __len__(self) -> int:
        size = len(self._attachment)
        return (size + 2) // 3 * 4 + (size + GROUP - 1) // GROUP * 2

    def __iter__(self) -> Iterator[bytes]:
        held = b""
        for piece in self._attachment.pieces():
            data = held + piece
            whole = len(data) - len(data) % GROUP
            held = data[whole:]
            yield b"".join(_lines(data[:whole]))
        yield b"".join(_lines(held))
