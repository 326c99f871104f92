"""What deliveries say of sent mail.

Rule: whatever a provider adds, leaves out or gets wrong, an event is handed over as long as it says of which
mail it speaks and what happened; what has no meaning here is kept as it came.
"""

from __future__ import annotations

from typing import Any

import attrs

from mailcore import Capability, EndpointKind, EventType
from mailcore_conformance._check import check, not_applicable_unless, require, require_none
from mailcore_conformance._subject import Subject
from mailcore_conformance.deliveries import _shape_samples
from mailcore_conformance.deliveries._delivery_document import GONE
from mailcore_conformance.deliveries._delivery_reader import Reader
from mailcore_conformance.deliveries._delivery_row import Row
from mailcore_conformance.deliveries._event_cases import cases, drifted, mutants
from mailcore_conformance.deliveries._event_identity import confused, shortened, unstable
from mailcore_conformance.deliveries._event_kinds import unheard
from mailcore_conformance.deliveries._event_rows import RECIPIENT, ROWS
from mailcore_conformance.deliveries._event_samples import canned, ids_differ, mistaken, shown_types, unread

TRACKING = Capability.WEBHOOK_TRACKING


@check(
    "W10",
    "Each sample of an event becomes the event it stands for.",
    why="Otherwise a bounce is shown as delivered, or news arrives about nobody's mail.",
    fix="Map the fields of the payload in parse_events; mend the sample's `expected` if that is wrong.",
    capability=TRACKING,
)
def samples(subject: Subject) -> None:
    """Compare what the samples say, and follow the mail's id, which no answer by heart does."""
    require_none(mistaken(subject))
    require_none(unread(subject, EndpointKind.TRACKING))
    require_none(canned(subject))


@check(
    "W11",
    "A kind of event nobody documented is handed over as unknown, under the provider's word.",
    why="Providers add kinds without notice; an error costs the endpoint, silence the news.",
    fix="Look the kind up with EventType.UNKNOWN as the default, and keep it in `provider_event`.",
    capability=TRACKING,
)
def unknown(subject: Subject) -> None:
    """Show it by a sample, and by every sample under a kind that no provider has."""
    require(
        EventType.UNKNOWN in shown_types(subject),
        "No sample is of an event nobody documented. Add one with the event type unknown.",
    )
    require_none(unheard(subject))


@check(
    "W12.types",
    "The event types that are declared are those the samples show.",
    why="Applications choose a provider, and write their handlers, by that table.",
    fix="Correct `event_types` of the spec, or add the sample that is missing.",
    capability=TRACKING,
)
def types(subject: Subject) -> None:
    """Leave UNKNOWN to the check beside this one."""
    declared, seen = set(subject.spec.event_types), shown_types(subject)
    bare = declared - seen - {EventType.UNKNOWN}
    extra = seen - declared - {EventType.UNKNOWN}
    names = [", ".join(sorted(one.value for one in group)) for group in (bare, extra)]
    require(not bare, f"No sample shows what is declared: {names[0]}.")
    require(not extra, f"Samples show what is not declared: {names[1]}.")


@check(
    "W12.unknown_declared",
    "Unknown is among the declared event types.",
    why="Whoever handles all declared types would otherwise miss the kinds a provider adds later.",
    fix="Add EventType.UNKNOWN to `event_types` of the spec.",
    capability=TRACKING,
)
def unknown_declared(subject: Subject) -> None:
    """Look at the spec alone."""
    require(EventType.UNKNOWN in subject.spec.event_types, "`event_types` does not hold unknown.")


@check(
    "W13",
    "The id that sending returns is the id that events of that mail have.",
    why="An application finds the mail an event speaks of by that id, and by nothing else.",
    fix="Turn ids into text by one function, in parse_send and in parse_events.",
    capability=TRACKING,
)
def same_id(subject: Subject) -> None:
    """Put the id of each accepted sample where an event names its mail."""
    not_applicable_unless(subject.can(Capability.MESSAGE_ID), "The adapter does not declare send.message_id.")
    require_none(ids_differ(subject))


@check(
    "W14",
    "A delivery that comes again has the same event ids.",
    why="Providers repeat deliveries; only the id keeps an application from counting a bounce twice.",
    fix="Make `event_id` of the payload, not of the time, the signature, the process or a counter.",
    capability=TRACKING,
)
def stable(subject: Subject) -> None:
    """Sign each sample twice, a day apart."""
    require_none(unstable(subject))


@check(
    "W15",
    "The event id tells events apart, and takes the provider's own id whole.",
    why="Two events under one id are one to whoever drops repetitions: the second is lost.",
    fix="Use the provider's id of the event as it is, or a digest of all that tells events apart.",
    capability=TRACKING,
)
def distinct(subject: Subject) -> None:
    """Look for what decides the id."""
    require(not shortened(subject), "Two long ids of the provider that differ at the end become one.")


def _distinct(aspect: str, phrase: str) -> None:
    @check(
        f"W15.{aspect}",
        f"Events {phrase} have ids of their own.",
        why="Otherwise the second counts as a repetition of the first, and is lost.",
        fix=f"Where the provider sends no id of the event, let the {aspect} be part of what is digested.",
        capability=TRACKING,
    )
    def run(subject: Subject) -> None:
        reason = f"Without an id of the provider's own, two events {phrase} have the same event_id."
        require(not confused(subject, aspect), reason)


_distinct("kind", "of different kinds of one mail")
_distinct("time", "of different times of one mail")
_distinct("mail", "of different mails")
_distinct("recipient", "of different recipients of one mail")


@check(
    "W16.nulls",
    "Null in place of any value costs nothing but that value.",
    why="Providers send null for what they do not know, documented or not.",
    fix="Treat null as absent. Only without the mail's id or the kind may you raise InvalidDocument.",
    capability=TRACKING,
)
def nulls(subject: Subject) -> None:
    """Put null at each place in turn."""
    require_none(fault for one in mutants(subject, [None]) for fault in one.faults())


@check(
    "W16.types",
    "A value of another type than documented costs nothing but that value.",
    why="Types drift: a number becomes a text, one tag a list of tags. News must not be lost for that.",
    fix="Look at the type before you use a value; what has another one is absent.",
    capability=TRACKING,
)
def odd_types(subject: Subject) -> None:
    """Put a value of every JSON type at each place in turn."""
    require_none(fault for one in drifted(subject) for fault in one.faults())


@check(
    "W16.missing",
    "A key that is not there costs nothing but its value.",
    why="Providers leave out what is empty, and what an older version of theirs did not have.",
    fix="Read optional keys with `.get`.",
    capability=TRACKING,
)
def missing(subject: Subject) -> None:
    """Leave out each key in turn."""
    require_none(fault for one in mutants(subject, [GONE]) for fault in one.faults())


@check(
    "W16.extra",
    "Keys nobody documented change nothing.",
    why="Providers add fields without notice, and call that compatible.",
    fix="Pick the keys you know; do not pass a whole object on as arguments.",
    capability=TRACKING,
)
def extra(subject: Subject) -> None:
    """Add a key to every object; what becomes of the content as a whole may differ."""
    free: dict[str, Any] = {"raw": None, "event_id": "-", "metadata": {}}
    reader = Reader(subject)
    for case in cases(subject):
        places = [(*place, "conformance_extra") for place in case.document.objects()]
        fate = reader.events(case.all(places, {"a": [1, None]}))
        require(not fate.error, f"With keys nobody documented: {fate.error}")
        same = [attrs.evolve(one, **free) for one in fate.items] == [attrs.evolve(case.event, **free)]
        require(same, f"With keys nobody documented, the sample {case.delivery.name} is another event.")


@check(
    "W19.samples",
    "Each sample of no documented shape is kept for a person, at every endpoint.",
    why="What looks like news or mail in one field, and is neither, would be handled as what it is not.",
    fix="Return None from `webhook_kind` unless all that makes an event or a mail is there.",
)
def undocumented(subject: Subject) -> None:
    """Hand each such sample to both endpoints."""
    require_none(_shape_samples.mistaken(subject))


def _add(row: Row) -> None:
    @check(row.id, row.title, why=row.why, fix=row.fix, capability=row.capability)
    def run(subject: Subject) -> None:
        require_none(row.faults(subject))


for _row in (*ROWS, RECIPIENT):
    _add(_row)
