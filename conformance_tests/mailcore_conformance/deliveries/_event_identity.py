"""By what an adapter tells one event from another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import attrs

from mailcore import WebhookRequest
from mailcore_conformance._check import not_applicable_unless
from mailcore_conformance._sample import Delivery
from mailcore_conformance._subject import NOW, Subject
from mailcore_conformance.deliveries._delivery_document import Place
from mailcore_conformance.deliveries._delivery_identity import Identify, OwnId, find_own_id
from mailcore_conformance.deliveries._delivery_reader import Reader, proved
from mailcore_conformance.deliveries._event_cases import Case, cases, fresh_id, id_changes, richest, unlike

__all__ = [
    "ASPECTS",
    "FRESH_RECIPIENT",
    "UNHEARD",
    "another_kind",
    "confused",
    "own_id",
    "shortened",
    "unstable",
]

Changes: TypeAlias = Mapping[Place, Any]

#: A kind of event that no provider has.
UNHEARD = "Conformance.Unheard-Of"
#: An address whose every letter counts.
FRESH_RECIPIENT = "Fresh.Person+tag@sub.example.net"


@attrs.frozen
class Own:
    """A sample of an event, and where the provider's own id of it stands, if it sends one."""

    case: Case
    own: OwnId
    identify: Identify


def _identifier_of(subject: Subject) -> Identify:
    """Return a function that reads the one event id of a delivery."""
    reader = Reader(subject)

    def identify(request: WebhookRequest) -> str | None:
        items = reader.events(request).items
        return items[0].event_id if len(items) == 1 else None

    return identify


_OWN: WeakKeyDictionary[Subject, Own] = WeakKeyDictionary()


def own_id(subject: Subject) -> Own:
    """Return the richest sample with the provider's own id of the event, if it sends one."""
    if subject not in _OWN:
        _OWN[subject] = _own_id(subject)
    return _OWN[subject]


def _own_id(subject: Subject) -> Own:
    case = richest(subject, lambda case: case.ids and case.kinds)
    identify = _identifier_of(subject)
    another = case.request({**dict.fromkeys(case.kinds, another_kind(subject, case)), **case.later()})
    besides = (*case.ids, *case.kinds, *case.times, *case.recipients)
    own = find_own_id(
        identify, case.delivery.request, case.document, another=another, besides=besides, what="event"
    )
    return Own(case, own, identify)


def another_kind(subject: Subject, case: Case) -> str:
    """Return another kind that the provider sends."""
    kinds = {other.event.provider_event for other in cases(subject) if other.kinds}
    return min(kinds - {case.event.provider_event}, default=UNHEARD)


def _another_mail(_: Subject, case: Case) -> Changes:
    old = case.event.message_id or ""
    new = fresh_id(old)
    values = dict(case.document.leaves())
    number = any(isinstance(values[place], int) for place in case.ids)
    return id_changes(case.document, old, int(new) if number and new.isdigit() else new)


def _another_kind(subject: Subject, case: Case) -> Changes:
    return dict.fromkeys(case.kinds, another_kind(subject, case))


def _another_recipient(_: Subject, case: Case) -> Changes:
    # An event of the whole mail is the same whomever the mail went to.
    return dict.fromkeys(case.recipients, FRESH_RECIPIENT) if case.event.scope == "recipient" else {}


#: What may tell two events apart → the change that makes it another event.
ASPECTS: Mapping[str, Callable[[Subject, Case], Changes]] = {
    "kind": _another_kind,
    "time": lambda _, case: case.later(),
    "mail": _another_mail,
    "recipient": _another_recipient,
}


def confused(subject: Subject, aspect: str) -> bool:
    """
    Return whether two events that differ in one aspect have one id, if the provider sends none.

    Raises:
        NotApplicable: The provider's events do not have that aspect.
    """
    found = own_id(subject)
    changes = ASPECTS[aspect](subject, found.case)
    not_applicable_unless(changes, f"The events say nothing of a {aspect}.")
    first, second = (found.identify(found.own.removed(change)) for change in ({}, changes))
    return first is not None and first == second


def shortened(subject: Subject) -> bool:
    """Return whether two ids of the provider become one because they are not taken whole."""
    found = own_id(subject)
    if not found.own.exists:
        return False
    first, second = (found.identify(found.own.put("e" * 63 + end)) for end in "12")
    return first is not None and first == second


def unstable(subject: Subject) -> Iterator[str]:
    """Yield the samples whose events get another id when they come again."""
    readers = Reader(subject), Reader(subject)
    times = NOW, NOW + timedelta(days=1)
    for name, delivery, body in _bodies(subject):
        first, second = (
            [event.event_id for event in reader.events(proved(subject, delivery, body, at)).items]
            for reader, at in zip(readers, times, strict=True)
        )
        if first != second:
            yield f"{name} has other event ids when it comes again."


def _bodies(subject: Subject) -> Iterator[tuple[str, Delivery, bytes]]:
    for case in unlike(cases(subject)):
        yield f"The sample {case.delivery.name}", case.delivery, case.delivery.request.body
    found = own_id(subject)
    if found.own.place is not None:
        name = found.case.delivery.name
        yield f"The sample {name} without its id", found.case.delivery, found.own.removed({}).body
