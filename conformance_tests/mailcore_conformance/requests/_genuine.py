"""The genuine samples of sends: which there are, and the requests an adapter builds for their messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from mailcore import Capability, HttpRequest, Message, Request, SmtpRequest
from mailcore_conformance._check import Failed
from mailcore_conformance._probe import PROBES, Probe, new_tag
from mailcore_conformance._sample import Exchange
from mailcore_conformance._subject import Subject
from mailcore_conformance._wire import Piece, Wire
from mailcore_conformance.requests._likeness import differences
from mailcore_conformance.requests._reading import bare, mail

__all__ = ["NOTHING", "empties", "samples", "unlike", "unshown"]

#: What stands for nothing, in some language.
NOTHING = ("", "null", "None", "[]", "{}", "undefined")
KEY = "0b9c2f1e-a-key-of-the-suite"


def samples(subject: Subject) -> list[Exchange]:
    """Return the samples that say what was sent and what goes over the wire."""
    return [one for one in subject.kit.exchanges if one.messages and one.request is not None]


def empties(subject: Subject, wire: Wire) -> list[Piece]:
    """Return what stands for nothing in a request, but for where the provider's own samples have the same."""
    found = [piece for piece in wire.pieces if piece.text in NOTHING]
    wires = (Wire(_request(sample)) for sample in samples(subject)) if found else ()
    genuine = {bare(piece.path) for shown in wires for piece in shown.pieces if piece.text in NOTHING}
    return [piece for piece in found if bare(piece.path) not in genuine]


def unlike(subject: Subject) -> Iterator[tuple[str, str]]:
    """Yield the names of samples, and how the adapter's requests differ from theirs."""
    places = _places_of_the_key(subject)
    for sample in samples(subject):
        for difference in differences(_request(sample), _rebuilt(subject, sample, places), subject.secret):
            yield sample.name, difference


def _places_of_the_key(subject: Subject) -> set[str]:
    if subject.spec.idempotency is None:
        return set()
    wire = subject.wire(mail(new_tag()), idempotency_key=KEY)
    return {piece.path for piece in wire.exactly(KEY)}


def _request(sample: Exchange) -> HttpRequest | SmtpRequest:
    if sample.request is None:
        raise Failed(f"{sample.name} has no request.")
    return sample.request


def _rebuilt(subject: Subject, sample: Exchange, places: set[str]) -> Request:
    """Return the adapter's request for a sample's messages, under the key that the sample shows, if any."""
    wire = Wire(_request(sample))
    key = next((piece.text for piece in wire.pieces if piece.path in places), None)
    if sample.is_batch:
        return subject.batch_request(sample.messages, idempotency_key=key)
    return subject.request(sample.messages[0], idempotency_key=key)


#: Capability → whether a resolved message uses it, where a value in the field is not enough.
_USED: Mapping[Capability, Callable[[Message], bool]] = {
    Capability.MULTIPLE_FROM: lambda message: len(message.from_) > 1,
    Capability.MULTIPLE_REPLY_TO: lambda message: len(message.reply_to) > 1,
    Capability.INLINE_IMAGES: lambda message: any(file.inline for file in message.attachments),
}


def unshown(subject: Subject) -> Iterator[Probe]:
    """Yield what is declared, and used by no message of an accepted sample."""
    sent = [message.resolve() for one in samples(subject) if one.accepted for message in one.messages]
    for probe in PROBES.values():
        if subject.can(probe.capability) and not any(_uses(message, probe) for message in sent):
            yield probe


def _uses(message: Message, probe: Probe) -> bool:
    if probe.capability in _USED:
        return _USED[probe.capability](message)
    return getattr(message, probe.field) not in (None, (), {})
