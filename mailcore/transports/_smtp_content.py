"""A mail as it stands after DATA: CRLF line ends, doubled dots, and its end (RFC 5321, 2.3.8 and 4.5.2).

Rule: there is one end. Whatever a mail holds, no line of it can be taken for the last one: a lone CR or LF
is a line end to some servers, and so becomes one for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailcore._http import Body

__all__ = ["Content"]

_LONE = re.compile(rb"\r\n|\r|\n")


class Content:
    """
    A mail, piece by piece.

    Attributes:
        end: What is sent after the last piece; it makes the mail leave.
    """

    def __init__(self, data: bytes | Body) -> None:
        self._data = data
        self.end = b".\r\n"

    def __iter__(self) -> Iterator[bytes]:
        held, fresh = b"", True
        for piece in [self._data] if isinstance(self._data, bytes) else self._data:
            whole = held + piece
            held = b"\r" if whole.endswith(b"\r") else b""  # its LF may be in the next piece
            if text := _LONE.sub(b"\r\n", whole.removesuffix(held) if held else whole):
                yield _dotted(text, fresh=fresh)
                fresh = text.endswith(b"\r\n")
        self.end = b".\r\n" if fresh and not held else b"\r\n.\r\n"


def _dotted(text: bytes, *, fresh: bool) -> bytes:
    """Return text with the dot doubled that begins a line."""
    doubled = text.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if fresh and doubled.startswith(b".") else doubled
