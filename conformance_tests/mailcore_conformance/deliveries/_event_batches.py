"""Several events in one delivery, one of which makes no sense.

Rule: a bad element costs nobody else's news, and is handed over for what it is: unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from mailcore import EventType, TrackingEvent, WebhookRequest
from mailcore_conformance._check import NotApplicable
from mailcore_conformance._sample import Delivery
from mailcore_conformance._subject import Subject
from mailcore_conformance.deliveries._delivery_document import Document, Place
from mailcore_conformance.deliveries._delivery_reader import Fate, Reader

__all__ = ["emptied", "poisoned"]

POISONS: tuple[Any, ...] = (None, 7, "x", {}, [])


@attrs.frozen
class Batch:
    """
    A sample of several events.

    Attributes:
        place: Where the list stands that holds them.
    """

    delivery: Delivery
    document: Document
    place: Place
    events: tuple[TrackingEvent, ...]

    def request(self, place: Place, value: Any) -> WebhookRequest:
        """Return the delivery with another value at a place."""
        return attrs.evolve(self.delivery.request, body=self.document.write({place: value}))


def _batch(subject: Subject, reader: Reader) -> Batch:
    """
    Return a sample of several events.

    Raises:
        NotApplicable: The provider delivers one event at a time.
    """
    for delivery in subject.tracking():
        count = len(delivery.expected["events"])
        found = reader.events(delivery.request).items
        if count < 2 or len(found) != count:
            continue
        document = Document.read(delivery.request)
        for place, value in [((), document.whole), *document.nodes()]:
            if isinstance(value, list) and len(value) == count:
                return Batch(delivery, document, place, found)
    raise NotApplicable("No sample holds several events in a list: the provider delivers them one by one.")


def poisoned(subject: Subject) -> Iterator[str]:
    """Yield what goes wrong where one event of several makes no sense."""
    reader = Reader(subject)
    batch = _batch(subject, reader)
    last = len(batch.events) - 1
    for poison in POISONS:
        for position in (0, last):
            fate = reader.events(batch.request((*batch.place, position), poison))
            for fault in _poisoned(batch, fate, position, poison):
                yield f"With {poison!r} as event {position} of {last + 1}: {fault}"


def _poisoned(batch: Batch, fate: Fate, position: int, poison: Any) -> Iterator[str]:
    if fate.error or fate.refused:
        yield fate.error or "All of them are lost."
    elif len(fate.items) != len(batch.events):
        yield f"Only {len(fate.items)} come out."
    else:
        pairs = list(enumerate(zip(fate.items, batch.events, strict=True)))
        if any(found != event for at, (found, event) in pairs if at != position):
            yield "Another event changes."
        odd = fate.items[position]
        if odd.event_type is not EventType.UNKNOWN or odd.raw != poison:
            yield f"It becomes an event of type {odd.event_type.value} with {odd.raw!r} for its raw part."


def emptied(subject: Subject) -> Iterator[str]:
    """Yield what goes wrong where no event is left."""
    reader = Reader(subject)
    batch = _batch(subject, reader)
    fate = reader.events(batch.request(batch.place, []))
    if fate.error or fate.items:
        yield fate.error or f"Of a list without events, the adapter makes {len(fate.items)}."
