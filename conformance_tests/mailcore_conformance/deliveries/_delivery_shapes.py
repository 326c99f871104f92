"""Genuine deliveries that no documentation describes.

Rule: they are somebody's news or mail all the same: acknowledged and kept for a person; nothing is made of
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import attrs

from mailcore import EndpointKind, WebhookRequest
from mailcore_conformance._check import NotApplicable
from mailcore_conformance._sample import Delivery
from mailcore_conformance._subject import Subject
from mailcore_conformance.deliveries._delivery_reader import Fate, Reader, dispatched

__all__ = ["SHAPES", "shape_faults"]

_FIRST_KEY = re.compile(rb'\{\s*("(?:[^"\\]|\\.)*"\s*:)')
#: Deeper than any parser of Python follows.
DEPTH = 20_000


def _scalars(_: bytes) -> Iterator[bytes]:
    yield from (b"7", b'"x"', b"null", b"true")


def _encodings(body: bytes) -> Iterator[bytes]:
    yield b'{"x":"\xff\xfe"}'
    yield body.decode("utf-8", "replace").encode("utf-16")


def _duplicates(body: bytes) -> Iterator[bytes]:
    # JSON within a form is the provider's own affair: some are known to write a key twice there.
    key = _FIRST_KEY.search(body) if body.lstrip()[:1] in (b"{", b"[") else None
    if key is None:
        raise NotApplicable("No sample is a JSON object.")
    yield body[: key.start() + 1] + key[1] + b"null," + body[key.start() + 1 :]


#: Name → what arrives, and the bodies made from that of a sample.
SHAPES: Mapping[str, tuple[str, Callable[[bytes], Iterator[bytes]]]] = {
    "object": ("an empty object", lambda _: iter([b"{}"])),
    "list": ("an empty list", lambda _: iter([b"[]"])),
    "scalar": ("a lone number, text, null or true", _scalars),
    "garbage": ("a body that is no JSON", lambda _: iter([b"<html>x", b'{"x":'])),
    "empty": ("an empty body", lambda _: iter([b""])),
    "encoding": ("a body that is not UTF-8", _encodings),
    "deep": ("a list 20,000 levels deep", lambda _: iter([b"[" * DEPTH + b"]" * DEPTH])),
    "duplicate_keys": ("an object with one key twice", _duplicates),
}


def shape_faults(subject: Subject, name: str, sample: Delivery, kind: EndpointKind) -> Iterator[str]:
    """Yield what is wrong with how deliveries of that shape are taken."""
    what, bodies = SHAPES[name]
    reader = Reader(subject)
    for body in bodies(sample.request.body):
        request = attrs.evolve(sample.request, body=body)
        fate = reader.read(request, kind)
        if fate.error:
            yield f"Of {what}: {fate.error}"
        elif not (fate.refused or _is_empty_batch(sample, body, fate)):
            yield f"Of {what}, the adapter makes {len(fate.items)} {kind.value} items instead of refusing it."
        else:
            yield from _not_kept(subject, request, kind, what, kept=fate.refused)


def _is_empty_batch(sample: Delivery, body: bytes, fate: Fate) -> bool:
    """Return whether it is a list without events of a provider that sends lists."""
    return body == b"[]" and sample.request.body.lstrip().startswith(b"[") and not fate.items


def _not_kept(
    subject: Subject, request: WebhookRequest, kind: EndpointKind, what: str, *, kept: bool
) -> Iterator[str]:
    """Behind core, which asks the adapter once more."""
    received = dispatched(subject, request, kind)
    if not 200 <= received.response.status < 300:
        yield f"It answers {what} with {received.response.status}, so the provider will try again or give up."
    elif bool(received.quarantined) is not kept:
        yield f"Nobody keeps {what}."
