"""What an adapter makes of single values of an event: tags, metadata, times, recipients, odd texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta, timezone
from typing import Any

from mailcore import TrackingEvent, parse_timestamp
from mailcore_conformance._check import NotApplicable
from mailcore_conformance._subject import Subject
from mailcore_conformance.deliveries._delivery_document import Place, covers, shown
from mailcore_conformance.deliveries._delivery_oddities import ODD_TIMES, TEXTS, forged
from mailcore_conformance.deliveries._delivery_reader import Reader
from mailcore_conformance.deliveries._delivery_schema import is_bare
from mailcore_conformance.deliveries._event_cases import Case, richest

__all__ = ["forged_recipients", "hostile", "metadata_faults", "moved_zone", "odd_times", "tag_faults"]

#: What may stand for a list of tags, and the texts in it that must be kept.
_ODD_TAGS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (None, ()),
    ([None], ()),
    ([""], ()),
    (["kept", None, 7, "", {}, []], ("kept",)),
    ({"kept": True}, ()),
)
#: The same in a form, where a field may be empty, and repeated.
_ODD_FORM_TAGS: tuple[tuple[Any, tuple[str, ...]], ...] = (("", ()), (["kept", ""], ("kept",)))
#: What adapters make of tags that are no texts.
_MADE_UP = frozenset({"", "None", "null", "True", "{}", "[]"})

_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


def tag_faults(subject: Subject) -> Iterator[str]:
    """Yield what odd tags become."""
    case = richest(subject, lambda case: case.event.tags)
    tags = list(case.event.tags)
    places = [place for place, value in case.document.nodes() if value == tags]
    if not places:
        raise NotApplicable("No sample's tags stand in it as a list.")
    reader = Reader(subject)
    for odd, kept in _ODD_FORM_TAGS if case.document.form else _ODD_TAGS:
        fate = reader.events(case.all(places, odd))
        if fate.error or len(fate.items) != 1:
            yield f"With {odd!r} for tags: {fate.error or 'The event is lost.'}"
            continue
        found = fate.items[0].tags
        if set(found) & _MADE_UP or not set(kept) <= set(found):
            yield f"With {odd!r} for tags, the event has {found!r}."


def metadata_faults(subject: Subject) -> Iterator[str]:
    """Yield the metadata that does not come back as it was sent along."""
    case = richest(subject, lambda case: case.event.metadata)
    name, value = next(iter(case.event.metadata.items()))
    places = [place for place, found in case.document.leaves() if place[-1] == name and found == value]
    if not places:
        raise NotApplicable("No sample's metadata stands in it under its name.")
    reader = Reader(subject)
    for new in ("a canary", True, 2.5) if not case.document.form else ("a canary",):
        fate = reader.events(case.all(places, new))
        found = fate.items[0].metadata.get(name) if len(fate.items) == 1 else None
        if found != new or type(found) is not type(new):
            yield f"Metadata of {new!r} comes back as {found!r}."


def odd_times(subject: Subject) -> Iterator[str]:
    """Yield what texts that are no times become."""
    case = richest(subject, lambda case: case.times)
    reader = Reader(subject)
    for odd in ODD_TIMES:
        fate = reader.events(case.all(case.times, odd))
        if fate.error or len(fate.items) != 1:
            yield f"With {odd!a} for a time: {fate.error or 'The event is lost.'}"
        elif fate.items[0].timestamp is not None:
            yield f"With {odd!a} for a time, the event has {fate.items[0].timestamp.isoformat()}."


def moved_zone(subject: Subject) -> Iterator[str]:
    """Yield the ways of writing a sample's time that become another moment."""
    case = richest(subject, lambda case: case.times)
    moment = parse_timestamp(dict(case.document.leaves())[case.times[0]])
    if moment is None:
        raise NotApplicable("The provider does not write its times as ISO 8601.")
    reader = Reader(subject)
    for offset in (timedelta(), timedelta(hours=5, minutes=30), timedelta(hours=-8)):
        text = moment.astimezone(timezone(offset)).isoformat()
        found = [event.timestamp for event in reader.events(case.all(case.times, text)).items]
        if found != [case.event.timestamp]:
            became = found[0].isoformat() if found and found[0] else "no time"
            yield f"The time {text} becomes {became}."


def forged_recipients(subject: Subject) -> Iterator[str]:
    """Yield what a recipient becomes whose display name looks like another address."""
    case = richest(subject, lambda case: case.recipients)
    address = case.event.recipients[0]
    for event in Reader(subject).events(case.all(case.recipients, forged(address))).items:
        odd = [one for one in event.recipients if not is_bare(one) or one != address]
        if odd:
            yield f"A recipient {forged(address)} becomes {odd[0]!r}."


def hostile(subject: Subject, name: str) -> Iterator[str]:
    """Yield where a hostile text raises, costs the event, or makes one that cannot be stored."""
    what, text = TEXTS[name]
    case = richest(subject)
    if case.document.form and name == "surrogates":
        raise NotApplicable("A form cannot hold half of a surrogate pair.")
    reader = Reader(subject)
    places = [place for place, value in case.document.leaves() if isinstance(value, str)]
    free = [place for place in places if not covers(place, case.needed)]
    if not list(_hostile(reader, case, dict.fromkeys(free, text), what)):
        free = []
    for place in free + [place for place in places if covers(place, case.needed)]:
        yield from _hostile(reader, case, {place: text}, f"{what} in {shown(place)}")


def _hostile(reader: Reader, case: Case, changes: Mapping[Place, Any], what: str) -> Iterator[str]:
    fate = reader.events(case.request(changes))
    needed = any(covers(place, case.needed) for place in changes)
    if fate.error:
        yield f"With {what}: {fate.error}"
    elif not needed and len(fate.items) != 1:
        yield f"With {what}, the event is lost."
    for event in fate.items:
        yield from (f"With {what}, {fault}" for fault in _unstorable(event))


def _unstorable(event: TrackingEvent) -> Iterator[str]:
    texts = [event.description, event.mta_response, event.user_agent, event.provider_event, *event.tags]
    for text in (*texts, event.message_id or "", event.click_url or "", event.rfc_message_id or ""):
        if _NOT_STORABLE.search(text):
            yield "a field has a character that no database can hold."
            return
