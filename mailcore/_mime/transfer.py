"""Content in its transfer encoding, decoded when somebody asks.

Rule: content stays where it is. A part of a mail is a range of the mail's own bytes; nothing is copied
before it is decoded.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, a2b_qp

import attrs

from mailcore._inbound.defect import DefectCode, DefectLog

__all__ = ["Encoded"]

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SPACE = b" \t\r\n\x0b\x0c"
_FOREIGN = bytes(set(range(256)) - set(_ALPHABET + b"="))
_PIECE = 64 * 1024
_MAX_PADDING = 1_000
#: What a decoder writes for bytes it could not read (U+FFFD in UTF-8).
_LOST = b"\xef\xbf\xbd"


@attrs.frozen(kw_only=True, repr=False)
class Encoded:
    """
    A range of bytes in a transfer encoding.

    Attributes:
        encoding: `base64`, `quoted-printable`, or one that leaves bytes as they are.
        end: None for the end of `data`.
    """

    data: bytes
    encoding: str = ""
    start: int = 0
    end: int | None = None

    @property
    def view(self) -> memoryview:
        """The encoded bytes, without a copy."""
        return memoryview(self.data)[self.start : self.end]

    @property
    def is_damaged(self) -> bool:
        """Whether bytes were lost where somebody took the mail for text."""
        return self.data.find(_LOST, self.start, self._end) >= 0

    @property
    def _end(self) -> int:
        return len(self.data) if self.end is None else self.end

    def decode(self, log: DefectLog, where: str) -> bytes:
        """Return the content as far as it can be decoded."""
        if self.encoding == "base64":
            return self._base64(log, where)
        if self.encoding == "quoted-printable":
            return a2b_qp(self.view)
        if self.encoding not in ("", "7bit", "8bit", "binary"):
            log.add(DefectCode.BAD_ENCODING, where, "The transfer encoding is unknown.")
        return self.data[self.start : self.end]

    def _base64(self, log: DefectLog, where: str) -> bytes:
        if self._is_base64():
            try:
                return a2b_base64(self.view)
            except Error:
                pass
        log.add(DefectCode.BAD_BASE64, where, "The base64 is not valid; some of the content may be missing.")
        return _salvage(bytes(self.view))

    def _is_base64(self) -> bool:
        padding = self.data.find(b"=", self.start, self._end)
        end = self._end if padding < 0 else padding
        if self.data[end : self._end].translate(None, b"=" + _SPACE):
            return False  # the decoder would stop at the padding and drop the rest
        pieces = range(self.start, end, _PIECE)
        known = _ALPHABET + _SPACE
        return not any(self.data[at : min(at + _PIECE, end)].translate(None, known) for at in pieces)


def _salvage(data: bytes) -> bytes:
    """Decode what is base64 in `data`: several padded runs, or runs with something between them."""
    known = data.translate(None, _FOREIGN)
    many = known.count(b"=") > _MAX_PADDING
    segments = [known.replace(b"=", b"")] if many else re.split(b"=+", known)
    return b"".join(map(_decode_segment, segments))


def _decode_segment(segment: bytes) -> bytes:
    whole = segment[:-1] if len(segment) % 4 == 1 else segment  # one character alone is not a byte
    return a2b_base64(whole + b"=" * (-len(whole) % 4))
