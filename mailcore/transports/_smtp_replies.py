"""Replies of an SMTP server, put together from the bytes that come (RFC 5321, 4.2).

Rule 1: a reply is bounded, whatever the server goes on to say.
Rule 2: what is not written as a reply is none; nothing is guessed.
"""

from __future__ import annotations

import re

import attrs

__all__ = ["BadReply", "Replies", "Reply"]

#: Most bytes of one reply, all its lines together; no server needs a tenth of it.
MAX_REPLY = 64 * 1024

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
#: What no reply may hold (RFC 5321, 4.2: printable text), made harmless where it is shown.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


class BadReply(Exception):
    """What came is no reply; the text says why."""


@attrs.frozen
class Reply:
    """One reply: its number, and the text of its lines."""

    code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All lines, parted by line ends."""
        return "\n".join(self.lines)


class Replies:
    """Collect what a server says, and hand it out reply by reply."""

    def __init__(self) -> None:
        self._held = b""
        self._lines: list[tuple[int, str]] = []
        self._size = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing came that was not handed out."""
        return not self._held and not self._lines

    def feed(self, data: bytes) -> None:
        """Add what came."""
        self._held += data

    def next(self) -> Reply | None:
        """
        Return the next reply; None where it is not complete.

        Raises:
            BadReply: It never will be: too long, or not written as a reply.
        """
        while b"\n" in self._held:
            line, _, self._held = self._held.partition(b"\n")
            if self._take(line):
                return self._handed_out()
        self._require(len(self._held))
        return None

    def _take(self, line: bytes) -> bool:
        """Take a line in, and return whether it is the last of its reply."""
        self._size += len(line) + 1
        self._require(0)
        match = _LINE.fullmatch(line.removesuffix(b"\r"))
        if match is None:
            raise BadReply("it is not written as a reply")
        code, more, text = match.groups()
        if self._lines and self._lines[0][0] != int(code):
            raise BadReply("its lines have different numbers")
        shown = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", (text or b"").decode("utf-8", "replace"))
        self._lines.append((int(code), shown.strip()))
        return more != b"-"

    def _require(self, more: int) -> None:
        if self._size + more > MAX_REPLY:
            raise BadReply("it does not end")

    def _handed_out(self) -> Reply:
        reply = Reply(self._lines[0][0], tuple(text for _, text in self._lines))
        self._lines, self._size = [], 0
        return reply
