"""One place in a delivery, and another text in it.

Rule: whatever stands beside stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from mailcore import Headers, WebhookRequest
from mailcore_conformance.proofs._body_fields import Path, fields, with_field, with_rival

__all__ = ["Place", "flipped", "forged", "pieces"]

#: A piece of a value such as `t=1893553445,v1=c2f1==`.
_PIECE = re.compile(r"[^,;=\s]+=*")
_HEX = ("0123456789abcdef", "0123456789ABCDEF")
_BASE64 = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
)


@attrs.frozen
class Place:
    """
    Where one text of the proof stands.

    Attributes:
        header: Name in lower case; None for a field of the body.
        piece: Which piece of the value; None: all of it.
    """

    header: str | None = None
    field: Path = ()
    piece: int | None = None

    @property
    def shown(self) -> str:
        """What a reason calls it."""
        return f"header {self.header}" if self.header else f"field {'.'.join(map(str, self.field))}"

    def value(self, request: WebhookRequest) -> str:
        """Return the whole value; empty where there is none."""
        if self.header is None:
            return fields(request).get(self.field, "")
        return request.headers.get(self.header, "")

    def text(self, request: WebhookRequest) -> str:
        """Return the piece that this is about."""
        value = self.value(request)
        if self.piece is None:
            return value
        start, end = _spans(value)[self.piece]
        return value[start:end]

    def with_text(self, request: WebhookRequest, text: Any) -> WebhookRequest:
        """Return the delivery with another piece here, and all beside it as it was."""
        if self.piece is None or not isinstance(text, str):
            return self.with_value(request, text)
        value = self.value(request)
        start, end = _spans(value)[self.piece]
        return self.with_value(request, f"{value[:start]}{text}{value[end:]}")

    def with_value(self, request: WebhookRequest, value: Any) -> WebhookRequest:
        """Return the delivery with another header or field; None takes it out."""
        if self.header is None:
            return with_field(request, self.field, value)
        return self._with_headers(request, [] if value is None else [str(value)])

    def with_both(self, request: WebhookRequest, first: str, second: str) -> WebhookRequest:
        """Return the delivery with the header or the field twice."""
        if self.header is not None:
            return self._with_headers(request, [first, second])
        kept_last = second == self.value(request)
        return with_rival(request, self.field, first if kept_last else second, first=kept_last)

    def _with_headers(self, request: WebhookRequest, values: Sequence[str]) -> WebhookRequest:
        shown = next((name for name, _ in request.headers.pairs if name.lower() == self.header), self.header)
        kept = [pair for pair in request.headers.pairs if pair[0].lower() != self.header]
        return attrs.evolve(request, headers=Headers([*kept, *((str(shown), value) for value in values)]))


def pieces(value: str) -> list[str]:
    """Return the pieces of a value that may each mean something."""
    return _PIECE.findall(value)


def _spans(value: str) -> list[tuple[int, int]]:
    return [found.span() for found in _PIECE.finditer(value)]


def forged(text: str) -> str:
    """Return a signature as long and of the same letters that is another one, in its first letter."""
    return next(flipped(text))[1]


def flipped(text: str) -> Iterator[tuple[int, str]]:
    """Yield a text with each of its letters changed: another value, not another spelling."""
    plain = set(text) - set("=.")
    alphabet = next((one for one in (*_HEX, *_BASE64) if plain <= set(one)), "")
    for position, letter in enumerate(text):
        found = alphabet.find(letter)
        if found >= 0:
            # The highest bit of a letter always counts; base64 may ignore the lowest of the last one.
            other = alphabet[found ^ (len(alphabet) // 2)]
        elif not alphabet:
            other = chr(ord(letter) ^ 1) if letter.isprintable() else "x"
        else:
            continue
        yield position, f"{text[:position]}{other}{text[position + 1 :]}"
