"""How the checks of this suite read a request: by what it says, never by what an API calls it.

Rule: a place is a path without numbers in lists. What is in the right place is found by comparing requests
of the same adapter, so that no check knows any provider's names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mailcore import Address, Capability, InvalidAddress, Message, UnsupportedFeature
from mailcore_conformance._probe import base
from mailcore_conformance._subject import Subject
from mailcore_conformance._wire import File, Piece, Wire

__all__ = [
    "added",
    "bare",
    "built",
    "mail",
    "masked",
    "name_of",
    "places_of",
    "same_text",
    "strangers",
    "unnamed",
]

_NUMBERS = re.compile(r"\[\d+\]")
#: What `new_tag` returns.
_TAG = re.compile(r"k[0-9a-f]{10}")
#: Headers of a raw mail that say how it is written, which may depend on what is written.
_ENCODING = ("Content-Transfer-Encoding: (its name)", "Content-Transfer-Encoding:", "(its other file name)")


def name_of(capability: Capability) -> str:
    """Return a capability's name as ids of checks have it: `cc` of `send.cc`."""
    return capability.value.partition(".")[2]


def mail(tag: str, **fields: Any) -> Message:
    """Return a message with all that a mail needs, and those fields."""
    return Message(**{**base(tag), **fields})


def built(subject: Subject, message: Message, **context: Any) -> Wire | None:
    """Return the request for a message, decoded; None where the adapter says that it cannot carry it."""
    try:
        return subject.wire(message, **context)
    except UnsupportedFeature:
        return None


def bare(path: str) -> str:
    """Return a place without numbers in lists."""
    return _NUMBERS.sub("[]", path)


def masked(text: str) -> str:
    """Return a text for a reason, without what is made up for the run: two runs say the same."""
    return _TAG.sub("...", text)


def same_text(one: str, other: str) -> bool:
    """Return whether two texts differ in nothing but line ends, and in breaks at their end."""
    return _lines(one) == _lines(other)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


def places_of(wire: Wire, mark: str) -> set[tuple[str, frozenset[str]]]:
    """Return where a text stands; in a list, what stands beside it tells one place from another."""
    return {
        (bare(piece.path), _beside(wire, piece.within, mark)) for piece in wire.pieces if mark in piece.text
    }


def _beside(wire: Wire, within: str, mark: str) -> frozenset[str]:
    if not within.endswith("]"):
        return frozenset()
    others = (piece.text for piece in wire.pieces if piece.within == within and mark not in piece.text)
    return frozenset(others)


# Addresses ------------------------------------------------------------------------------------------


def unnamed(wire: Wire, addresses: Iterable[Address]) -> Iterator[Address]:
    """Yield the addresses that do not stand in a request with their names: in one text, or side by side."""
    lists = [(piece, _parsed(piece.text)) for piece in wire.pieces if "@" in piece.text]
    for address in addresses:
        wanted = (address.key, address.display_name)
        together = any(wanted in found for _, found in lists)
        beside = (piece.within for piece, found in lists if (address.key, "") in found)
        names = {piece.within for piece in wire.pieces if piece.text == address.display_name}
        if not together and not names.intersection(beside):
            yield address


def strangers(wire: Wire, message: Message) -> Iterator[str]:
    """Yield the places that hold addresses of a resolved message, and others too."""
    given = [*message.from_, *message.recipients, *message.reply_to]
    known = {address.key for address in given}
    names = {address.display_name for address in given}
    found = [(bare(piece.path), _parsed(piece.text)) for piece in wire.pieces if piece.text not in names]
    places = {place for place, parsed in found if any(key in known for key, _ in parsed)}
    for place, parsed in found:
        if place in places and any(key not in known for key, _ in parsed):
            yield place


def _parsed(text: str) -> list[tuple[str, str]]:
    if "@" not in text:
        return []
    try:
        return [(one.key, one.display_name) for one in Address.parse_list(text)]
    except InvalidAddress:
        return []


# Structure ------------------------------------------------------------------------------------------


def added(hostile: Wire, harmless: Wire, values: Sequence[tuple[str, str]]) -> list[str]:
    """
    Return the places that one request has more or fewer of than another.

    Args:
        values: The values in which the two messages differ, hostile and harmless.
    """
    one = _shape(hostile, [value for value, _ in values])
    other = _shape(harmless, [value for _, value in values])
    return [
        masked(place)
        for place in dict.fromkeys([*one, *other])
        if one[place] != other[place] and not place.endswith(_ENCODING)
    ]


def _shape(wire: Wire, values: Sequence[str]) -> Counter[str]:
    """Return how often there is something in each place; what a value itself might wrap does not count."""
    longest_first = sorted(values, key=len, reverse=True)
    counted: Counter[str] = Counter()
    closed: int | None = None
    for item in wire.items:
        if closed is not None and item.depth > closed:
            continue
        closed = item.depth if _is_value(item, values) else None
        place = bare(item.path)
        for value in longest_first:
            place = place.replace(value, "*")
        counted[place] += 1
    return counted


def _is_value(item: Piece | File, values: Sequence[str]) -> bool:
    text = item.text if isinstance(item, Piece) else item.content.decode("utf-8", "replace")
    return any(same_text(text, value) for value in values)
