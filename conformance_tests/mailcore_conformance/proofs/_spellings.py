"""All the ways to misspell a signature.

Rule: a signature has one spelling. Two that count as the same today are a forgery tomorrow, when the
signature becomes part of a key, a log or a comparison.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from mailcore import WebhookRequest
from mailcore_conformance.proofs._body_fields import has_json
from mailcore_conformance.proofs._place import Place, forged

__all__ = ["SPELLINGS", "Spelling"]

_URL_SAFE = str.maketrans("+/-_", "-_+/")
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")  # noqa: RUF001  # reason: that is the trick
_LAST = re.compile(r"([A-Za-z0-9+/])(={1,2})$")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@attrs.frozen(kw_only=True)
class Spelling:
    """
    One way of misspelling.

    Attributes:
        title: What must hold, as a sentence.
        why: What goes wrong where it does not.
        texts: Made from the piece that is the signature, and put in its place.
        wholes: Made from the whole header or field, and put in its place.
        pairs: Made from the whole header or field, which is then there twice.
        others: Values of other types, where a field can have one.
    """

    title: str
    why: str
    texts: Callable[[str], Sequence[str]] = attrs.field(default=lambda _: ())
    wholes: Callable[[str], Sequence[str]] = attrs.field(default=lambda _: ())
    pairs: Callable[[str], Sequence[tuple[str, str]]] = attrs.field(default=lambda _: ())
    others: Sequence[Any] = ()

    def cases(self, request: WebhookRequest, places: Sequence[Place]) -> Iterator[tuple[str, WebhookRequest]]:
        """Yield what is tried on a genuine delivery; what comes out unchanged is left out."""
        for place in places:
            for number, changed in enumerate(self._changed(request, place), 1):
                if changed != request:
                    yield f"The {place.shown}, way {number}", changed

    def _changed(self, request: WebhookRequest, place: Place) -> Iterator[WebhookRequest]:
        text, value = place.text(request), place.value(request)
        for other in self.texts(text):
            yield place.with_text(request, other)
        for whole in self.wholes(value):
            yield place.with_value(request, whole)
        for first, second in self.pairs(value):
            yield place.with_both(request, first, second)
        if place.header is None and has_json(request):
            for odd in self.others:
                yield place.with_value(request, odd)


def _cut(text: str) -> list[str]:
    return [text[:1], text[:4], text[:8], text[: len(text) // 2], text[:-4], text[:-1]]


def _lengthened(text: str) -> list[str]:
    return [text + text[-1], f"{text}0", f"{text}00", f"{text}AAAA", f"0{text}", f"00{text}", text + text]


def _spaced(text: str) -> list[str]:
    inner = [f"{text[:8]}{space}{text[8:]}" for space in (" ", "\n", "\r\n", "\t")]
    return [f" {text}", f"{text} ", f"\t{text}", f"{text}\n", f"{text}\r\n", *inner]


def _padded(text: str) -> list[str]:
    """Return other texts that lax decoders of hex and of base64 read as the same bytes."""
    found = [f"{text}=", f"{text}==", text.rstrip("="), text.translate(_URL_SAFE), _loose_end(text)]
    return [*found, f"0x{text}", f"{text[:2]}_{text[2:]}", f"{text[:2]}!{text[2:]}", f"{text[:2]}:{text[2:]}"]


def _loose_end(text: str) -> str:
    """Return base64 with a bit set that belongs to no byte."""
    return _LAST.sub(lambda end: _LETTERS[_LETTERS.index(end[1]) ^ 1] + end[2], text)


def _foreign(text: str) -> list[str]:
    return [f"{text}é", "é" * len(text), text.translate(_FULL_WIDTH), f"{text}\udcff", f"\ufeff{text}"]


SPELLINGS: Mapping[str, Spelling] = {
    "empty": Spelling(
        title="An empty signature is refused.",
        why="Some libraries take an empty signature for one that is in the body, or for none being asked.",
        wholes=lambda _: [""],
        texts=lambda _: [""],
    ),
    "garbage": Spelling(
        title="A signature that is no signature is refused.",
        why="A stranger's nonsense that ends in another exception fills the log, and hides real faults.",
        texts=lambda text: ["!" * len(text), "%00", "null", "{}", "\x00", "None", "-" * len(text), "x"],
        others=[7, True, [], {}, ["x"], 1.5],
    ),
    "short": Spelling(
        title="A part of the signature is refused.",
        why="Where the first letters are enough, a forger needs a few tries instead of more than anyone has.",
        texts=_cut,
    ),
    "long": Spelling(
        title="A signature with something more is refused.",
        why="What ignores the rest of a signature compares a part of it, and parts can be guessed.",
        texts=_lengthened,
    ),
    "duplicated": Spelling(
        title="Two signatures are refused, whichever comes first.",
        why="A proxy, the framework and the adapter may each look at another one of the two.",
        pairs=lambda value: [(value, value), (value, forged(value)), (forged(value), value)],
    ),
    "whitespace": Spelling(
        title="A signature with spaces or line breaks is refused.",
        why="Whatever strips and skips characters accepts texts that nobody signed as they stand.",
        texts=_spaced,
    ),
    "case": Spelling(
        title="A signature in other letters, large or small, is refused.",
        why="Whoever remembers signatures would take the second spelling for another delivery.",
        texts=lambda text: [text.upper(), text.lower(), text.swapcase()],
    ),
    "spelling": Spelling(
        title="Another text for the same bytes of a signature is refused.",
        why="Lax decoders skip odd characters and padding: then one signature has many spellings.",
        texts=_padded,
    ),
    "non-ascii": Spelling(
        title="A signature with characters outside ASCII is refused.",
        why="The comparison in constant time raises TypeError at them: any stranger can cause an error 500.",
        texts=_foreign,
    ),
    "huge": Spelling(
        title="A signature of ten thousand letters is refused.",
        why="What is decoded before it is measured costs the receiver more than the sender.",
        texts=lambda text: ["A" * 10_240, f"{text}{'=' * 10_240}", text * 160, "9" * 10_240],
    ),
    "list": Spelling(
        title="Signatures joined by a comma are refused.",
        why="Servers join two headers of one name by a comma: the same attack as two headers.",
        wholes=lambda value: [f"{value},{value}", f"{value}, {value}", f"{forged(value)},{value}"],
    ),
}
