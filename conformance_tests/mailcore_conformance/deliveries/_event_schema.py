"""Whether an event's fields are what applications rely on."""

from __future__ import annotations

from collections.abc import Iterator

from mailcore_conformance._subject import Subject
from mailcore_conformance.deliveries._delivery_reader import Reader
from mailcore_conformance.deliveries._delivery_schema import event_faults, round_trip_faults
from mailcore_conformance.deliveries._event_cases import cases, drifted, richest
from mailcore_conformance.deliveries._event_identity import FRESH_RECIPIENT

__all__ = ["drifting", "no_round_trip", "not_followed", "rawless", "scopeless"]


def drifting(subject: Subject) -> Iterator[str]:
    """Yield the fields that are of another type than promised where the provider's are."""
    for one in drifted(subject):
        for event in one.fate.items:
            yield from (f"{one.told}, {fault}" for fault in event_faults(event))


def scopeless(subject: Subject) -> Iterator[str]:
    """Yield the events that name no recipient and yet speak of one."""
    reader = Reader(subject)
    for case in cases(subject):
        for event in (case.event, *reader.events(case.all(case.recipients, None)).items):
            if event.scope != "message" and not event.recipients:
                yield f"Without a recipient, the sample {case.delivery.name} has the scope {event.scope!r}."


def rawless(subject: Subject) -> Iterator[str]:
    """Yield the samples whose events do not keep their part of the delivery."""
    for case in cases(subject):
        raw = case.event.raw
        parts = [case.document.whole, *(value for _, value in case.document.nodes())]
        if raw is None or not (case.document.form or raw in parts):
            yield f"In the sample {case.delivery.name}, `raw` is no part of the delivery."


def no_round_trip(subject: Subject) -> Iterator[str]:
    """Yield the samples whose events do not survive a queue."""
    for case in cases(subject):
        for fault in round_trip_faults(case.event):
            yield f"The event of the sample {case.delivery.name}: {fault}"


def not_followed(subject: Subject) -> Iterator[str]:
    """Yield what becomes of a recipient whose address has a tag and capitals."""
    if not any(case.recipients for case in cases(subject)):
        yield "No sample of an event names a recipient. Add one that does."
        return
    case = richest(subject, lambda case: case.recipients)
    for event in Reader(subject).events(case.all(case.recipients, FRESH_RECIPIENT)).items:
        if event.recipients != (FRESH_RECIPIENT,):
            yield f"An event about {FRESH_RECIPIENT} names {event.recipients!r}."
        elif event.scope != "recipient":
            yield f"An event about {FRESH_RECIPIENT} has the scope {event.scope!r}."
