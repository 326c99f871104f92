"""Samples of one event whose bodies can be changed, and where in them stands what the event is about.

Rule: a place is found by the value the adapter itself reads there; W10 holds that to what the sample says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from weakref import WeakKeyDictionary

import attrs

from mailcore import TrackingEvent, WebhookRequest, parse_timestamp
from mailcore_conformance._check import Failed, NotApplicable
from mailcore_conformance._sample import Delivery
from mailcore_conformance._subject import Subject
from mailcore_conformance.deliveries._delivery_document import GONE, Document, Place, covers, shown
from mailcore_conformance.deliveries._delivery_oddities import ODD_VALUES
from mailcore_conformance.deliveries._delivery_reader import Fate, Reader

__all__ = ["Case", "Mutant", "cases", "drifted", "fresh_id", "id_changes", "mutants", "richest", "unlike"]

_HOUR = re.compile(r"\d\d(?=:\d\d)")
_DIGITS = str.maketrans("0123456789", "1234567891")
_LETTERS = str.maketrans("abcdefABCDEF", "bcdefaBCDEFA")


@attrs.frozen
class Case:
    """
    One sample of one event.

    Attributes:
        event: What the adapter reads.
        ids: Where the mail's id stands.
        kinds: Where the kind stands.
        times: Where the time stands.
        recipients: Where a recipient stands.
    """

    delivery: Delivery
    document: Document
    event: TrackingEvent
    ids: tuple[Place, ...]
    kinds: tuple[Place, ...]
    times: tuple[Place, ...]
    recipients: tuple[Place, ...]

    def request(self, changes: Mapping[Place, Any]) -> WebhookRequest:
        """Return the delivery with other values at those places, not signed."""
        return attrs.evolve(self.delivery.request, body=self.document.write(changes))

    def all(self, places: Iterable[Place], value: Any) -> WebhookRequest:
        """Return the delivery with one value at all those places."""
        return self.request(dict.fromkeys(places, value))

    def later(self) -> dict[Place, Any]:
        """Return the change that makes it an hour or so later."""
        values = dict(self.document.leaves())
        return {place: _later(values[place]) for place in self.times}

    @property
    def needed(self) -> tuple[Place, ...]:
        """Without the mail's id or the kind, there need not be an event."""
        return (*self.ids, *self.kinds)


_CASES: WeakKeyDictionary[Subject, tuple[Case, ...]] = WeakKeyDictionary()


def cases(subject: Subject) -> tuple[Case, ...]:
    """
    Return the samples that hold one event each.

    Raises:
        Failed: There is none.
        NotApplicable: No body can be changed.
    """
    if subject not in _CASES:
        _CASES[subject] = tuple(_cases(subject))
    if not _CASES[subject]:
        raise Failed("No sample becomes exactly one event. Add one of the kind the provider sends most.")
    return _CASES[subject]


def unlike(found: Iterable[Case]) -> list[Case]:
    """Return the samples that differ in what they hold, not only in values: one of each."""
    shapes = {frozenset(_general(place) for place, _ in case.document.nodes()): case for case in found}
    return list(shapes.values())


def richest(subject: Subject, fits: Callable[[Case], object] = lambda _: True) -> Case:
    """Return the sample that says most, among those that fit."""
    found = [case for case in cases(subject) if fits(case)]
    if not found:
        raise NotApplicable("No sample of an event says anything of the kind.")
    return max(found, key=lambda case: (bool(case.ids), bool(case.kinds), len(list(case.document.nodes()))))


def _cases(subject: Subject) -> Iterator[Case]:
    reader = Reader(subject)
    unreadable = None
    single = [one for one in subject.tracking() if len(one.expected.get("events", ())) == 1]
    for delivery in single:
        found = reader.events(delivery.request)
        if len(found.items) != 1:
            continue
        try:
            document = Document.read(delivery.request)
        except NotApplicable as why:
            unreadable = why
            continue
        yield _case(delivery, document, found.items[0])
    if unreadable is not None:
        raise unreadable


def _case(delivery: Delivery, document: Document, event: TrackingEvent) -> Case:
    times = tuple(place for place, value in document.leaves() if _is_moment(value, event.timestamp))
    return Case(
        delivery=delivery,
        document=document,
        event=event,
        ids=tuple(id_changes(document, event.message_id, "")),
        kinds=document.places(event.provider_event),
        times=times,
        recipients=tuple(place for one in event.recipients for place in document.places(one)),
    )


def id_changes(document: Document, old: str | None, new: Any) -> dict[Place, Any]:
    """
    Return the changes that put another id where `old` stands.

    Alone, if it does; else with or without the brackets of a Message-ID; else within longer texts.
    """
    if not old:
        return {}
    alone = document.places(old)
    if alone:
        return dict.fromkeys(alone, new)
    texts = [(place, value) for place, value in document.leaves() if isinstance(value, str)]
    bare, bare_new = old.strip("<>"), str(new).strip("<>")
    other_form = {place: value for place, value in texts if value.strip("<>") == bare}
    found = other_form or {place: value for place, value in texts if bare in value}
    return {place: value.replace(bare, bare_new) for place, value in found.items()}


def fresh_id(old: str) -> str:
    """Return another id of the same form."""
    new = old.translate(_DIGITS)
    return new if new != old else old.translate(_LETTERS) if old.translate(_LETTERS) != old else f"{old}x"


@attrs.frozen
class Mutant:
    """A sample with one value changed, and what became of it."""

    case: Case
    place: Place
    value: Any
    fate: Fate

    @property
    def told(self) -> str:
        """The change, as the start of a sentence."""
        what = "left out" if self.value is GONE else f"replaced by {self.value!r}"
        return f"With {shown(self.place)} {what}"

    def faults(self) -> Iterator[str]:
        """Yield what is raised, and whether the event is lost though the mail's id and the kind are there."""
        if self.fate.error:
            yield f"{self.told}: {self.fate.error}"
        elif not covers(self.place, self.case.needed) and self._is_lost:
            yield f"{self.told}, the event is lost, or is about another mail."

    @property
    def _is_lost(self) -> bool:
        return [event.message_id for event in self.fate.items] != [self.case.event.message_id]


def mutants(subject: Subject, values: Iterable[Any]) -> Iterator[Mutant]:
    """Yield each place of the samples' bodies with each of those values instead; the same place once."""
    reader = Reader(subject)
    seen = set()
    wanted = list(values)
    for case in cases(subject):
        for place, value in case.document.nodes():
            if _general(place) in seen:
                continue
            seen.add(_general(place))
            for new in wanted:
                if new is not value and not (new is GONE and isinstance(place[-1], int)):
                    yield Mutant(case, place, new, reader.events(case.request({place: new})))


def _general(place: Place) -> Place:
    """Return a place for which the elements of a list are one."""
    return tuple("*" if isinstance(step, int) else step for step in place)


_DRIFTED: WeakKeyDictionary[Subject, tuple[Mutant, ...]] = WeakKeyDictionary()


def drifted(subject: Subject) -> tuple[Mutant, ...]:
    """Return each place of the samples' bodies with a value of every other type instead."""
    if subject not in _DRIFTED:
        _DRIFTED[subject] = tuple(mutants(subject, ODD_VALUES))
    return _DRIFTED[subject]


def _is_moment(value: Any, moment: datetime | None) -> bool:
    return moment is not None and not isinstance(value, bool) and moment in _moments(value)


def _moments(value: Any) -> Iterator[datetime]:
    """Yield the moments a value may stand for: ISO 8601, RFC 5322, seconds or milliseconds."""
    iso = parse_timestamp(value)
    if iso is not None:
        yield iso
        return
    try:
        if isinstance(value, str) and ":" in value:
            yield parsedate_to_datetime(value).astimezone(UTC)
            return
        number = float(value)
        for seconds in (number, number / 1000):
            yield datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return


def _later(value: Any) -> Any:
    if isinstance(value, int | float):
        return value + 3600
    if value.isdigit():
        return str(int(value) + 3600)
    return _HOUR.sub(lambda hour: f"{(int(hour[0]) + 1) % 24:02}", value, count=1)
