"""By what an adapter tells one mail from another.

Rule: a Message-ID is the sender's to choose: whoever guesses it could hide another mail behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import attrs

from mailcore import WebhookRequest
from mailcore_conformance._check import NotApplicable
from mailcore_conformance._subject import NOW, Subject
from mailcore_conformance.deliveries._delivery_identity import Identify, OwnId, find_own_id
from mailcore_conformance.deliveries._delivery_reader import Reader, proved
from mailcore_conformance.deliveries._mail_cases import MailCase, mail_cases

__all__ = ["confused_mails", "nameless", "unstable_mails"]


def _identifier(subject: Subject) -> Identify:
    reader = Reader(subject)

    def identify(request: WebhookRequest) -> str | None:
        items = reader.mails(request).items
        return items[0].event_id if len(items) == 1 else None

    return identify


@attrs.frozen
class _Own:
    case: MailCase
    own: OwnId
    identify: Identify


def _own_id(subject: Subject) -> _Own | None:
    """Return a sample in which the mail stands, and where its own id does; None where there is none."""
    case = next((case for case in mail_cases(subject) if case.content), None)
    if case is None:
        return None
    identify = _identifier(subject)
    # A Message-ID and the envelope have an @; neither tells one mail from another.
    besides = [
        place
        for place, value in case.changeable.leaves()
        if place in case.content or (isinstance(value, str) and "@" in value)
    ]
    request, another = case.delivery.request, case.request(case.longer())
    own = find_own_id(identify, request, case.changeable, another=another, besides=besides, what="mail")
    return _Own(case, own, identify)


def nameless(subject: Subject) -> Iterator[str]:
    """Yield the mails that have no id of their own."""
    for case in mail_cases(subject):
        if not case.mail.event_id:
            yield f"The mail of the sample {case.name} has no `event_id`."
            return
    found = _own_id(subject)
    if found is not None and found.own.exists and found.identify(found.own.removed({})) == "":
        yield f"Without the provider's own id, the mail of the sample {found.case.name} has no `event_id`."


def unstable_mails(subject: Subject) -> Iterator[str]:
    """Yield the samples whose mail gets another id when it comes again."""
    readers = Reader(subject), Reader(subject)
    times = NOW, NOW + timedelta(days=1)
    bodies = [(one.delivery, one.delivery.request.body) for one in mail_cases(subject)]
    found = _own_id(subject)
    if found is not None and found.own.place is not None:
        bodies.append((found.case.delivery, found.own.removed({}).body))
    for delivery, body in bodies:
        first, second = (
            [mail.event_id for mail in reader.mails(proved(subject, delivery, body, at)).items]
            for reader, at in zip(readers, times, strict=True)
        )
        if first != second:
            yield f"The mail of the sample {delivery.name} has another id when it comes again."


def confused_mails(subject: Subject) -> Iterator[str]:
    """
    Yield a sentence where two mails of the same Message-ID have one id.

    Raises:
        NotApplicable: A delivery only points to the mail, and so has an id of it.
    """
    found = _own_id(subject)
    if found is None:
        raise NotApplicable("In no sample stands the mail itself, so none can be made another.")
    first, second = (found.identify(found.own.removed(change)) for change in ({}, found.case.longer()))
    if first and first == second:
        yield "Two mails of the same Message-ID and different content have the same `event_id`."
