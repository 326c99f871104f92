"""Keys under which the provider takes a repeated request once.

Rule: the key comes from the context and goes to the provider unchanged, and nothing else depends on it. It is
what an unknown send is repeated under: where it is lost or changed, the mail is sent twice.
"""

from __future__ import annotations

from datetime import timedelta

from mailcore import Capability, HttpResponse, InProgress
from mailcore_conformance._check import check, not_applicable_unless, require, require_none
from mailcore_conformance._probe import new_tag
from mailcore_conformance._subject import NOW, Subject
from mailcore_conformance.answers._answers import crowd, message_of
from mailcore_conformance.answers._keys import differences_apart, holders, places
from mailcore_conformance.answers._meaning import told
from mailcore_conformance.answers._verdicts import batch_of, batch_wire

KEY = "conformance-key"
#: Every character that a key may have; see `Message.idempotency_key`.
CHARACTERS = "".join(map(chr, range(ord("!"), ord("~") + 1)))


def _arrives(subject: Subject, key: str, words: str, **context: object) -> None:
    wire = subject.wire(crowd(subject, "keyed"), idempotency_key=key, **context)
    how = "whole and alone" if wire.find(key) else "anywhere"
    require(places(wire, key), f"{words} does not stand in the request {how}.")


@check(
    "K01",
    "The key reaches the request that sends, as it was given.",
    why="Without it, a send whose answer was lost cannot be repeated without sending the mail twice.",
    fix="Write `ctx.idempotency_key` where the provider looks for it, or do not declare the capability.",
    capability=Capability.IDEMPOTENCY_KEY,
)
def reaches_the_request(subject: Subject) -> None:
    """Look for a key that is made up."""
    _arrives(subject, new_tag(), "The key")


@check(
    "K02",
    "Without a key, nothing is sent as one.",
    why="Some providers take an empty key for a key: all mails share it, and all but the first are lost.",
    fix="Leave the header or field out where `ctx.idempotency_key` is None. Nothing else depends on it.",
    capability=Capability.IDEMPOTENCY_KEY,
)
def none_without(subject: Subject) -> None:
    """Compare the requests with and without a key."""
    message = crowd(subject, "keyless")
    keyed, keyless = (subject.wire(message, idempotency_key=key) for key in (KEY, None))
    places_of_keys = set(places(keyed, KEY))
    left = sorted({piece.path for piece in keyless.pieces} & places_of_keys)
    require(not left, f"Without a key, {', '.join(left)} is sent all the same.")
    differ = differences_apart(keyed, keyless, holders(keyed, KEY))
    require_none(f"{path} differs without a key, and is no key." for path in differ)


@check(
    "K03",
    "The longest key that is declared arrives whole.",
    why="Keys that are cut are alike where their beginnings are: the second mail is taken for the first.",
    fix="Send the key as it is, and declare the provider's limit as `max_length` and as the capability's.",
    capability=Capability.IDEMPOTENCY_KEY,
)
def longest(subject: Subject) -> None:
    """Look for a key of as many characters as declared, of a mail and of a batch."""
    promise = subject.spec.idempotency
    most = promise.max_length if promise else subject.limit(Capability.IDEMPOTENCY_KEY) or 1
    key = ("0123456789abcdef-" * (most // 17 + 1))[:most]
    _arrives(subject, key, f"A key of {most} characters")
    if promise and promise.per_batch and subject.can(Capability.BATCH):
        wire = batch_wire(subject, batch_of(subject, ["long-a", "long-b"]), idempotency_key=key)
        require(places(wire, key), f"A batch's key of {most} characters does not stand in the request whole.")


@check(
    "K04",
    "Another key changes nothing but the key.",
    why="Whatever else depends on the key is lost with it where the provider has no use for keys any more.",
    fix="Derive Message-ID, boundaries and the like from `ctx.unique`, and nothing from the key.",
    capability=Capability.IDEMPOTENCY_KEY,
)
def nothing_but_the_key(subject: Subject) -> None:
    """Compare the requests under keys of several kinds."""
    message = crowd(subject, "rekeyed")
    keys = [KEY, KEY.upper(), f"{KEY}-b", "20300102", "a/b", "="]
    wires = [subject.wire(message, idempotency_key=key) for key in keys]
    for key, wire in zip(keys, wires, strict=True):
        but = holders(wires[0], KEY) | holders(wire, key)
        require_none(f"{path} differs under another key." for path in differences_apart(wires[0], wire, but))


@check(
    "K05",
    "The documented status of a key that is being processed says so.",
    why="The first request may still succeed. Reported as refused, the mail is sent again under a new key.",
    fix="Map `Idempotency.conflict_status` to `InProgress`.",
    capability=Capability.IDEMPOTENCY_KEY,
)
def conflict(subject: Subject) -> None:
    """Answer with the status alone."""
    status = subject.spec.idempotency.conflict_status if subject.spec.idempotency else None
    not_applicable_unless(status, "The provider documents no status for a key that is being processed.")
    found = subject.parse(message_of(subject.accepted), HttpResponse(status=status or 0))
    in_progress = isinstance(found, InProgress) and found.retriable
    require(in_progress, f"HTTP {status} becomes {told(found)} instead of an InProgress that is retriable.")


@check(
    "K07",
    "A key arrives whole, whatever characters it has.",
    why="Keys are the application's: order numbers with slashes, base64 with plus signs.",
    fix="Write the key by the rules of its place: as it is in a header, encoded in a URL, form or JSON.",
    capability=Capability.IDEMPOTENCY_KEY,
)
def characters(subject: Subject) -> None:
    """Look for keys of all characters that core lets through."""
    promise = subject.spec.idempotency
    length = max(1, min(promise.max_length if promise else 32, 94) // 2)
    for start in range(0, len(CHARACTERS), length):
        key = CHARACTERS[start : start + length]
        _arrives(subject, key, f"The key {key}")


@check(
    "K08",
    "A repeated attempt carries the same key.",
    why="Repeating under another key is no repetition: the mail is sent once for each attempt.",
    fix="Send `ctx.idempotency_key` alone. Time and attempt are no part of it.",
    capability=Capability.IDEMPOTENCY_KEY,
)
def repeated(subject: Subject) -> None:
    """Build a later attempt."""
    _arrives(subject, KEY, "On a second attempt, the key", now=NOW + timedelta(hours=1), attempt=2)
