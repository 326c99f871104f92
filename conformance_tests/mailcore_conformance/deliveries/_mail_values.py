"""What an adapter makes of deliveries of mail that are odd, hostile, or at the wrong endpoint."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from mailcore import EndpointKind, InboundMessage, Request, Response
from mailcore_conformance._check import NotApplicable
from mailcore_conformance._subject import Subject, fetch
from mailcore_conformance.deliveries._delivery_document import GONE, Place
from mailcore_conformance.deliveries._delivery_oddities import MAILS
from mailcore_conformance.deliveries._delivery_reader import Reader, dispatched
from mailcore_conformance.deliveries._delivery_schema import mail_faults, round_trip_faults
from mailcore_conformance.deliveries._delivery_shapes import SHAPES, shape_faults
from mailcore_conformance.deliveries._mail_cases import (
    MailCase,
    Mutation,
    drifted_mails,
    mail_cases,
    mail_mutants,
    with_source,
)

__all__ = [
    "committing_steps",
    "drifting_mails",
    "hostile_mails",
    "lost_inner_mails",
    "misrouted",
    "misrouted_events",
    "no_way_back",
    "odd_shapes",
    "raised_at_missing",
    "raised_at_nulls",
    "raised_at_types",
    "swayed",
]

INNER = b"From: a@example.org\r\nSubject: Inner canary\r\n\r\nInner\r\n"
OUTER = (
    b"From: b@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=c7\r\n\r\n"
    b"--c7\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--c7\r\nContent-Type: message/rfc822\r\n"
    b"Content-Disposition: attachment\r\n\r\n" + INNER + b"\r\n--c7--\r\n"
)


def _raised(mutations: Iterable[Mutation]) -> Iterator[str]:
    return (f"{one.told}: {one.fate.error}" for one in mutations if one.fate.error)


def raised_at_nulls(subject: Subject) -> Iterator[str]:
    """Yield where null raises something else than InvalidDocument."""
    return _raised(mail_mutants(subject, [None]))


def raised_at_types(subject: Subject) -> Iterator[str]:
    """Yield where a value of another type raises something else than InvalidDocument."""
    return _raised(drifted_mails(subject))


def raised_at_missing(subject: Subject) -> Iterator[str]:
    """Yield where a key that is not there raises something else than InvalidDocument."""
    return _raised(mail_mutants(subject, [GONE]))


def swayed(subject: Subject) -> Iterator[str]:
    """Yield the samples that become another mail when keys are added."""
    free: dict[str, Any] = {"provider_fields": {}, "provider_defects": (), "event_id": ""}
    reader = Reader(subject)
    for case in mail_cases(subject):
        places = [(*place, "conformance_extra") for place in case.changeable.objects()]
        fate = reader.mails(case.request({place: {"a": [1, None]} for place in places}))
        if fate.error:
            yield f"With keys nobody documented: {fate.error}"
        elif [attrs.evolve(one, **free) for one in fate.items] != [attrs.evolve(case.mail, **free)]:
            yield f"With keys nobody documented, the sample {case.name} is another mail."


def odd_shapes(subject: Subject) -> Iterator[str]:
    """Yield what is wrong with how unknown shapes are taken at the endpoint of mail."""
    for name in SHAPES:
        try:
            yield from shape_faults(subject, name, subject.inbound()[0], EndpointKind.INBOUND)
        except NotApplicable:
            continue


def hostile_mails(subject: Subject) -> Iterator[str]:
    """Yield what hostile mail makes the adapter raise."""
    case = max(mail_cases(subject), key=lambda case: len(case.content))
    if not case.content and not case.fetched:
        raise NotApplicable("In no sample stands the mail itself as JSON or in a form.")
    reader = Reader(subject)
    for what, source in MAILS.items():
        fate = reader.mails(*case.rewritten(subject, source))
        faults = [fate.error] if fate.error else [fault for mail in fate.items for fault in _unreadable(mail)]
        yield from (f"Of a mail with {what}: {fault}" for fault in faults)


def _unreadable(mail: InboundMessage) -> Iterator[str]:
    """Yield the properties that cannot be read, of the mail and of its files."""
    for owner in (mail, *mail.attachments, *mail.inlines):
        cls = type(owner)
        for name in dir(cls):
            if name.startswith("_") or callable(getattr(cls, name)):
                continue
            try:
                getattr(owner, name)
            except Exception as error:  # noqa: BLE001  # reason: that nothing is raised is what is looked at
                yield f"Its `{name}` raises {type(error).__name__}."


def no_way_back(subject: Subject) -> Iterator[str]:
    """Yield the samples whose mail does not survive a queue."""
    for case in mail_cases(subject):
        for fault in (*mail_faults(case.mail), *round_trip_faults(case.mail)):
            yield f"The mail of the sample {case.name}: {fault}"


def drifting_mails(subject: Subject) -> Iterator[str]:
    """Yield the fields that are of another type than promised where the provider's are."""
    for one in drifted_mails(subject):
        for mail in one.fate.items:
            yield from (f"{one.told}, {fault}" for fault in mail_faults(mail))


def misrouted(subject: Subject) -> Iterator[str]:
    """Yield the samples of mail that the endpoint of events hands over."""
    for delivery in subject.inbound():
        request = attrs.evolve(delivery.request, url="https://app.example.com/webhooks/tracking")
        received = dispatched(subject, request, EndpointKind.TRACKING)
        if received.events or received.mails or len(received.quarantined) != 1:
            yield f"At the endpoint of events, the sample {delivery.name} is not kept for a person."


def misrouted_events(subject: Subject) -> Iterator[str]:
    """Yield the samples of events that the endpoint of mail hands over."""
    for delivery in subject.tracking()[:3]:
        request = attrs.evolve(delivery.request, url="https://app.example.com/webhooks/inbound")
        received = dispatched(subject, request, EndpointKind.INBOUND)
        if received.events or received.mails or len(received.quarantined) != 1:
            yield f"At the endpoint of mail, the sample {delivery.name} is not kept for a person."


def committing_steps(subject: Subject) -> Iterator[str]:
    """Yield the samples for whose mail the adapter makes a request that may send."""
    reader = Reader(subject)
    for delivery in subject.inbound():
        steps: list[Request] = []

        def answer(request: Request, steps: list[Request] = steps) -> Response:
            steps.append(request)
            return fetch(subject.kit.answer, request)

        reader.mails(delivery.request, answer)
        if any(step.commits for step in steps):
            yield f"To read the sample {delivery.name}, the adapter makes a request with commits=True."


def lost_inner_mails(subject: Subject) -> Iterator[str]:
    """Yield a sentence where a mail attached to a mail cannot be read."""
    case = with_source(subject)
    if case is not None:
        items = Reader(subject).mails(*case.rewritten(subject, OUTER)).items
    else:
        case, changes = _file_as_mail(subject)
        items = Reader(subject).mails(case.request(changes)).items
    inner = [file.message for mail in items for file in mail.attachments if file.message is not None]
    if [mail.subject for mail in inner] != ["Inner canary"]:
        yield f"A mail attached to the one of the sample {case.name} is not among its attachments."


def _file_as_mail(subject: Subject) -> tuple[MailCase, dict[Place, Any]]:
    """Return a sample without a source, and the changes that make a file of it a mail."""
    for case in mail_cases(subject):
        for file in case.mail.attachments:
            found = [] if case.document is None else case.document.places(b64encode(file.content).decode())
            labels = [label for place in found for label in _labels(case, place, file.content_type)]
            if labels:
                inner = dict.fromkeys(found, b64encode(INNER).decode())
                return case, {**inner, **dict.fromkeys(labels, "message/rfc822")}
    raise NotApplicable("In no sample stands the mail's source, or a file in base64 with its type beside.")


def _labels(case: MailCase, place: Place, content_type: str) -> list[Place]:
    """Return the places beside another at which that content type stands."""
    return [
        other
        for other, value in case.changeable.leaves()
        if other[:-1] == place[:-1] and isinstance(value, str) and value.lower().startswith(content_type)
    ]
