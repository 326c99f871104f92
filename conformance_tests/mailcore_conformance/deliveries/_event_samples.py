"""What the samples of events become, as they are and about another mail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from mailcore import EndpointKind, EventType, HttpResponse, Message, SendResult, WebhookRequest
from mailcore_conformance._check import NotApplicable
from mailcore_conformance._sample import Exchange
from mailcore_conformance._subject import Subject
from mailcore_conformance.deliveries._delivery_document import Document, as_text
from mailcore_conformance.deliveries._delivery_expected import mismatches
from mailcore_conformance.deliveries._delivery_reader import Reader, dispatched
from mailcore_conformance.deliveries._event_cases import cases, fresh_id, id_changes

__all__ = ["canned", "ids_differ", "mistaken", "shown_types", "unread"]


def mistaken(subject: Subject) -> Iterator[str]:
    """Yield what the samples of events become otherwise than they say."""
    for delivery in subject.tracking():
        received = dispatched(subject, delivery.request, EndpointKind.TRACKING)
        if received.quarantined:
            yield f"The sample {delivery.name} is not understood: {received.quarantined[0].reason}"
        else:
            yield from mismatches(delivery.name, "events", received.events, delivery.expected["events"])


def unread(subject: Subject, kind: EndpointKind) -> Iterator[str]:
    """Yield the samples that nobody can read and that are not acknowledged and kept."""
    for delivery in subject.kit.deliveries:
        if delivery.kind is not kind or "error" not in delivery.expected:
            continue
        received = dispatched(subject, delivery.request, kind)
        status, text = received.response.status, delivery.expected.get("text")
        if len(received.quarantined) != 1 or received.events or received.mails:
            yield f"The sample {delivery.name}, which nobody can read, is not kept for a person."
        elif text is not None and not received.quarantined[0].reason.endswith(f": {text})."):
            yield f"The sample {delivery.name} is kept for another reason: {received.quarantined[0].reason}"
        elif not 200 <= status < 300:
            yield f"The sample {delivery.name}, which nobody can read, is answered with {status}."


def canned(subject: Subject) -> Iterator[str]:
    """Yield the samples whose events do not follow the mail's id when that changes."""
    reader, followed = Reader(subject), False
    for delivery in subject.tracking():
        for old in _ids(delivery.expected["events"]):
            request = _replaced(delivery.request, old, fresh_id(old))
            if request is None:
                continue
            followed = True
            found = [(event.message_id or "").strip("<>") for event in reader.events(request).items]
            if fresh_id(old) not in found:
                yield f"With another mail's id in the sample {delivery.name}, no event is about that mail."
    if not followed:
        yield "The id of the mail stands in no sample of an event. Add one in which it does."


def _ids(events: Any) -> list[str]:
    """Return the ids that are long enough to be found."""
    ids = [str(event.get("message_id") or "").strip("<>") for event in events]
    return [id_ for id_ in ids if len(id_) > 1]


def _replaced(request: WebhookRequest, old: str, new: str) -> WebhookRequest | None:
    body = request.body.replace(old.encode(), new.encode())
    return None if body == request.body else attrs.evolve(request, body=body)


def shown_types(subject: Subject) -> set[EventType]:
    """Return the types of the samples' events, as the samples say."""
    known = {one.value: one for one in EventType}
    said = [event.get("event_type") for one in subject.tracking() for event in one.expected["events"]]
    return {known[name] for name in said if name in known}


def ids_differ(subject: Subject) -> Iterator[str]:
    """Yield the ids that sending returns and that an event about that mail does not have."""
    reader = Reader(subject)
    told = [case for case in cases(subject) if case.ids]
    if not told:
        yield "No sample of an event names a mail."
        return
    numbers = any(isinstance(dict(case.document.leaves())[case.ids[0]], int) for case in told)
    for exchange in subject.kit.exchanges:
        if not exchange.accepted or exchange.is_batch:
            continue
        for result_id, given in _given(subject, exchange, numbers=numbers):
            changes = id_changes(told[0].document, told[0].event.message_id, given)
            found = [event.message_id for event in reader.events(told[0].request(changes)).items]
            if found != [result_id]:
                yield (
                    f"For the sample {exchange.name}, sending returns the id {result_id!r}, and an event "
                    f"about {given!r} has {found[0] if found else 'not come'!r}."
                )


def _given(subject: Subject, exchange: Exchange, *, numbers: bool) -> Iterator[tuple[str, Any]]:
    """Yield the id a send returns, with each form in which an event may name it."""
    message = exchange.messages[0] if exchange.messages else Message(
        from_="a@example.com", to=["b@example.com"], subject="S", text="T"
    )  # fmt: skip
    result = subject.parse(message, exchange.response)
    if not isinstance(result, SendResult) or result.message_id is None:
        return
    raw = _raw_id(exchange.response, result.message_id)
    yield result.message_id, raw
    if isinstance(raw, int):
        yield result.message_id, str(raw)
    elif numbers and raw.isdigit():
        yield result.message_id, int(raw)


def _raw_id(response: Any, message_id: str) -> Any:
    """Return the id as the provider wrote it; where it stands elsewhere than in JSON, as text."""
    if not isinstance(response, HttpResponse):
        return message_id
    try:
        document = Document.read(WebhookRequest(body=response.body))
    except NotApplicable:
        return message_id
    return next((value for _, value in document.leaves() if as_text(value) == message_id), message_id)
