"""The checks of single values of an event, of several events in one delivery, and of odd deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from mailcore import Capability, EndpointKind
from mailcore_conformance._subject import Subject
from mailcore_conformance.deliveries import _event_schema as schema
from mailcore_conformance.deliveries import _event_values as values
from mailcore_conformance.deliveries._delivery_oddities import TEXTS
from mailcore_conformance.deliveries._delivery_row import Row
from mailcore_conformance.deliveries._delivery_shapes import SHAPES, shape_faults
from mailcore_conformance.deliveries._event_batches import emptied, poisoned
from mailcore_conformance.deliveries._event_kinds import guessed

__all__ = ["RECIPIENT", "ROWS"]

Faults = Callable[[Subject], Iterable[str]]


def _row(check_id: str, title: str, faults: Faults, *, why: str, fix: str) -> Row:
    return Row(
        id=check_id, title=title, why=why, fix=fix, capability=Capability.WEBHOOK_TRACKING, faults=faults
    )


def _shape(name: str) -> Faults:
    return lambda subject: shape_faults(subject, name, subject.tracking()[0], EndpointKind.TRACKING)


ROWS: tuple[Row, ...] = (
    _row(
        "W17.recipients",
        "An event's recipients are bare addresses, whatever a display name looks like.",
        values.forged_recipients,
        why="An application looks recipients up by address; a forged one would suppress the wrong person.",
        fix="Parse the recipient with Address.parse or parse_list and keep `addr_spec`; drop what fails.",
    ),
    _row(
        "W17.scope",
        "An event that names no recipient speaks of the whole mail.",
        schema.scopeless,
        why="Scope 'recipient' without one sends applications looking for somebody who is not there.",
        fix='Set `scope="message"` where `recipients` is empty.',
    ),
    _row(
        "W17.provider_event",
        "`provider_event` is the provider's own word, not one derived from other fields.",
        guessed,
        why="People look that word up in the provider's documentation and in its support tickets.",
        fix="Copy the value that the kind is looked up by.",
    ),
    _row(
        "W17.raw",
        "An event keeps its part of the delivery.",
        schema.rawless,
        why="What has no field of its own here can be read nowhere else.",
        fix="Pass the parsed element on as `raw`, unchanged.",
    ),
    _row(
        "W17.json",
        "An event is the same after a way through JSON.",
        schema.no_round_trip,
        why="Events wait in queues and files; one that changes there, or cannot go there, is lost.",
        fix="Keep `raw` and `metadata` as JSON gave them: no bytes, sets, dates or objects of your own.",
    ),
    _row(
        "W17.types",
        "An event's fields are of the promised types, whatever the provider's are.",
        schema.drifting,
        why="An application that was promised text fails at a number, in production, once a month.",
        fix="Take a value over only where it has the type you expect, and addresses only where they parse.",
    ),
    _row(
        "W18",
        "One bad event of several costs none of the others, and is handed over as unknown.",
        poisoned,
        why="A provider packs the news about many mails together; nobody else's may be lost.",
        fix="Read element by element; make one that is no object an UNKNOWN event with it as `raw`.",
    ),
    _row(
        "W18.empty",
        "A list without events is no error.",
        emptied,
        why="Providers send empty lists to see whether the endpoint is there.",
        fix="Return no events where the list is empty; do not reach for its first element.",
    ),
    *(
        _row(
            f"W19.{name}",
            f"Of {what}, nothing is made, and it is kept for a person.",
            _shape(name),
            why="A genuine delivery that is not understood is somebody's news; an error costs the endpoint.",
            fix="Read bodies with `request.json()` or `form()`; return None from webhook_kind for the rest.",
        )
        for name, (what, _) in SHAPES.items()
    ),
    _row(
        "W40",
        "An event's tags are texts, and only those the provider sent.",
        values.tag_faults,
        why="Reports by tag count a tag 'None' that nobody ever gave.",
        fix="Keep the items of the list that are texts and not empty.",
    ),
    _row(
        "W40.metadata",
        "Metadata comes back as it was sent along.",
        values.metadata_faults,
        why="Applications find their own records by it: True that comes back as 'True' finds none.",
        fix="Pass the provider's object on; do not turn its values into text.",
    ),
    _row(
        "W41",
        "What is no time becomes no time, and costs nothing else.",
        values.odd_times,
        why="A made-up time orders events wrongly; an error loses them.",
        fix="Use `mailcore.parse_timestamp`, which returns None for what it cannot read.",
    ),
    _row(
        "W41.offset",
        "A time means the same whatever zone it is written in.",
        values.moved_zone,
        why="Two hours' difference puts a bounce before its own delivery.",
        fix="Use `mailcore.parse_timestamp`, which honours the offset.",
    ),
    *(
        _row(
            f"W42.{name}",
            f"A text of {what} in any field is survived.",
            partial(values.hostile, name=name),
            why="Subjects, names and servers' answers are written by strangers; providers pass them on.",
            fix="Read with `request.json()`, which mends what no database can hold; limit nothing yourself.",
        )
        for name, (what, _) in TEXTS.items()
    ),
)

#: Needs the recipient to be named, by declaration.
RECIPIENT = Row(
    id="W17.recipient",
    title="Events name the recipient as the provider does, letter for letter.",
    why="An application finds nobody under an address that lost its capitals or its tag.",
    fix="Keep the recipient's address as it is, with the scope 'recipient'; or stop declaring it.",
    capability=Capability.WEBHOOK_RECIPIENT,
    faults=schema.not_followed,
)
