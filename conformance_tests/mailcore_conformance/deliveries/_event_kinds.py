"""The provider's word for what happened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mailcore import EndpointKind, EventType
from mailcore_conformance._check import Failed
from mailcore_conformance._subject import Subject
from mailcore_conformance.deliveries._delivery_reader import Reader, dispatched
from mailcore_conformance.deliveries._event_cases import Case, cases, richest
from mailcore_conformance.deliveries._event_identity import UNHEARD

__all__ = ["guessed", "unheard"]


def _with_kinds(subject: Subject) -> list[Case]:
    found = {case.event.provider_event: case for case in cases(subject) if case.kinds}
    if not found:
        raise Failed("`provider_event` is the provider's own word, and stands in no sample as it is.")
    return list(found.values())


def unheard(subject: Subject) -> Iterator[str]:
    """Yield the samples that under a kind nobody documented do not become an unknown event."""
    reader = Reader(subject)
    for case in _with_kinds(subject):
        fate = reader.events(case.all(case.kinds, UNHEARD))
        for fault in [fate.error] if fate.error else _not_unknown(fate.items):
            yield f"With the kind {UNHEARD!r} in the sample {case.delivery.name}: {fault}"
    case = richest(subject, lambda case: case.kinds)
    received = dispatched(subject, case.all(case.kinds, UNHEARD), EndpointKind.TRACKING)
    if not received.events or not 200 <= received.response.status < 300:
        yield f"An event of the kind {UNHEARD!r} is not handed over and acknowledged."


def _not_unknown(events: tuple[Any, ...]) -> Iterator[str]:
    if len(events) != 1:
        yield "The event is lost."
    elif events[0].event_type is not EventType.UNKNOWN:
        yield f"The event is of type {events[0].event_type.value}."
    elif events[0].provider_event != UNHEARD:
        yield f"The provider's word becomes {events[0].provider_event!r}."


def guessed(subject: Subject) -> Iterator[str]:
    """Yield the kinds that the richest sample does not keep when it is of that kind."""
    reader = Reader(subject)
    known = _with_kinds(subject)
    case = richest(subject, lambda case: case.kinds)
    for kind in sorted(other.event.provider_event for other in known):
        events = reader.events(case.all(case.kinds, kind)).items
        if len(events) == 1 and events[0].provider_event != kind:
            yield f"An event of the kind {kind!r} has {events[0].provider_event!r} for `provider_event`."
