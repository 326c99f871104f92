"""Forgeries made from a genuine delivery: its body, its signed fields, its signature.

Rule: each differs from the genuine one in one thing, so that nothing but the proof can tell them apart.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import attrs

from mailcore import Covers, WebhookRequest
from mailcore_conformance._check import Failed, not_applicable_unless, require, require_none
from mailcore_conformance._subject import Subject
from mailcore_conformance.proofs._body_fields import has_json
from mailcore_conformance.proofs._place import Place, flipped
from mailcore_conformance.proofs._proof import (
    Verifier,
    genuine,
    not_refused,
    proof,
    shortest,
    signed_places,
    unless_covers,
)
from mailcore_conformance.proofs._spellings import SPELLINGS

__all__ = [
    "added",
    "another_body",
    "another_key",
    "body_flips",
    "field_flips",
    "misspelt",
    "missing",
    "prefixed",
    "respelt",
    "rivals",
    "signature_flips",
    "token_flips",
]

Case = tuple[str, WebhookRequest]

#: Most letters of one field that are changed: one field may be a whole mail.
MAX_FLIPS = 256


def _with_body(request: WebhookRequest, body: bytes) -> WebhookRequest:
    return attrs.evolve(request, body=body)


# The body -------------------------------------------------------------------------------------------


def body_flips(subject: Subject) -> None:
    """Change each byte of the body in one bit; another bit each time."""
    unless_covers(subject, Covers.BODY)
    request = genuine(subject)
    body = request.body

    def cases() -> Iterator[Case]:
        for place in range(len(body)):
            other = bytes([body[place] ^ (1 << place % 8)])
            changed = body[:place] + other + body[place + 1 :]
            yield f"Byte {place + 1} of {len(body)} of the body is changed", _with_body(request, changed)

    require_none(not_refused(subject, cases()))


def added(subject: Subject) -> None:
    """Lengthen and shorten the body at both ends."""
    unless_covers(subject, Covers.BODY)
    request = genuine(subject)
    body = request.body
    changed = {
        "A newline follows the body": body + b"\n",
        "A carriage return and a newline follow the body": body + b"\r\n",
        "A space follows the body": body + b" ",
        "A NUL follows the body": body + b"\x00",
        "The body is there twice": body + body,
        "A newline precedes the body": b"\n" + body,
        "A space precedes the body": b" " + body,
        "A byte order mark precedes the body": b"\xef\xbb\xbf" + body,
        "The body lacks its last byte": body[:-1],
        "The body lacks its first byte": body[1:],
        "The body is cut in half": body[: len(body) // 2],
    }
    require_none(not_refused(subject, ((what, _with_body(request, text)) for what, text in changed.items())))


def respelt(subject: Subject) -> None:
    """Write the same JSON otherwise."""
    unless_covers(subject, Covers.BODY)
    request = genuine(subject)
    not_applicable_unless(has_json(request), "The body is no JSON.")
    document = json.loads(request.body)
    texts = {
        "without spaces": json.dumps(document, separators=(",", ":")),
        "with spaces": json.dumps(document),
        "indented": json.dumps(document, indent=2),
        "with its keys in order": json.dumps(document, sort_keys=True, separators=(",", ":")),
        "with its keys in the other order": json.dumps(_reversed(document), separators=(",", ":")),
        "with escapes": json.dumps(document, separators=(",", ":")).replace("e", "\\u0065"),
        "without escapes": json.dumps(document, ensure_ascii=False, separators=(",", ":")),
    }
    cases = [
        (f"The same JSON {how}", _with_body(request, text.encode("utf-8", "replace")))
        for how, text in texts.items()
    ]
    others = [(what, changed) for what, changed in cases if changed.body != request.body]
    require_none(not_refused(subject, others))


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed(item) for name, item in reversed(value.items())}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


# Fields ---------------------------------------------------------------------------------------------


def field_flips(subject: Subject) -> None:
    """Change each letter of each signed field, and take each field out."""
    unless_covers(subject, Covers.FIELDS)
    request = genuine(subject)
    places = signed_places(subject, request)
    require_none(not_refused(subject, [*_flips(request, places), *_absences(request, places)]))


def token_flips(subject: Subject) -> None:
    """Change each letter of what the signature of a token covers, and take each part out."""
    unless_covers(subject, Covers.TOKEN)
    request = genuine(subject)
    named = signed_places(subject, request) if subject.kit.signed_fields else []
    places = list(dict.fromkeys([*proof(subject).times, *named]))
    if not places:
        raise Failed("Nothing but the signature is proof. Name the token's fields in kit.signed_fields.")
    require_none(not_refused(subject, [*_flips(request, places), *_absences(request, places)]))


def signature_flips(subject: Subject) -> None:
    """Change each letter of the signature."""
    request = genuine(subject)
    require_none(not_refused(subject, _flips(request, proof(subject).signatures)))


def rivals(subject: Subject) -> None:
    """Add a second field of the same name, with another value, to each signed one."""
    unless_covers(subject, Covers.FIELDS, Covers.TOKEN)
    has_fields = subject.covers is Covers.FIELDS or subject.kit.signed_fields
    not_applicable_unless(has_fields, "The token is no field of the body.")
    request = genuine(subject)
    places = signed_places(subject, request)

    def cases() -> Iterator[Case]:
        for place in places:
            value = place.value(request)
            other = next(flipped(value), (0, "x"))[1]
            yield f"Another {place.shown} follows", place.with_both(request, value, other)
            yield f"Another {place.shown} precedes", place.with_both(request, other, value)

    require_none(not_refused(subject, (case for case in cases() if case[1] != request)))


def _flips(request: WebhookRequest, places: Iterable[Place]) -> Iterator[Case]:
    for place in places:
        text = place.text(request)
        for position, other in islice(flipped(text), MAX_FLIPS):
            yield f"Letter {position + 1} of {place.shown} is changed", place.with_text(request, other)


def _absences(request: WebhookRequest, places: Iterable[Place]) -> Iterator[Case]:
    for place in places:
        yield f"The {place.shown} is missing", place.with_value(request, None)
        yield f"The {place.shown} is empty", place.with_value(request, "")


# The signature --------------------------------------------------------------------------------------


def missing(subject: Subject) -> None:
    """Take the signature out."""
    request = genuine(subject)
    cases = [
        (f"The {place.shown} is missing", place.with_value(request, None))
        for place in proof(subject).signatures
    ]
    require_none(not_refused(subject, cases))


def misspelt(name: str) -> Callable[[Subject], None]:
    """Return what tries one way of misspelling the signature."""

    def run(subject: Subject) -> None:
        request = genuine(subject)
        require_none(not_refused(subject, SPELLINGS[name].cases(request, proof(subject).signatures)))

    return run


def another_key(subject: Subject) -> None:
    """Sign with another key than the one that is trusted."""
    require_none(not_refused(subject, [("It is signed with another key", genuine(subject, key=1))]))


def another_body(subject: Subject) -> None:
    """Verify one delivery, and then another one with the signature of the first."""
    unless_covers(subject, Covers.BODY, Covers.FIELDS)
    bodies = {one.request.body: one for one in subject.kit.deliveries if one.readable}
    require(len(bodies) > 1, "There is only one delivery in the kit. Add another one.")
    first = shortest(subject)
    other = next(one for body, one in bodies.items() if body != first.request.body)
    signed = [subject.signed(one.request.body, like=one) for one in (first, other)]
    verifier = Verifier(subject)
    verifier.takes(signed[0])
    moved = attrs.evolve(signed[0], body=signed[1].body)
    for place in proof(subject).signatures:
        moved = place.with_value(moved, place.value(signed[0]))
    finding = verifier.finding("The signature of another delivery, just verified", moved)
    require(finding is None, str(finding))


def prefixed(subject: Subject) -> None:
    """Put the signature before the body, where it belongs into a header."""
    not_applicable_unless(proof(subject).in_headers, "The signature is in the body.")
    unless_covers(subject, Covers.BODY)
    request = genuine(subject)

    def cases() -> Iterator[Case]:
        for place in proof(subject).signatures:
            for raw in _decoded(place.text(request)):
                changed = _with_body(request, raw + request.body)
                yield (
                    f"The body begins with it and the {place.shown} is missing",
                    place.with_value(changed, None),
                )
                yield f"The body begins with it and the {place.shown} is empty", place.with_value(changed, "")

    require_none(not_refused(subject, cases()))


def _decoded(text: str) -> Iterator[bytes]:
    """Yield the bytes that a signature may stand for."""
    yield text.encode()
    decoders: Mapping[str, Callable[[str], bytes]] = {
        "hex": bytes.fromhex,
        "base64": lambda given: b64decode(given, validate=True),
    }
    for decode in decoders.values():
        try:
            yield decode(text)
        except (ValueError, binascii.Error):
            continue
