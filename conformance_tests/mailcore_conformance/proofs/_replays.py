"""Deliveries that come again, and deliveries that want an answer."""

from __future__ import annotations

import attrs

from mailcore import Covers, EndpointKind, MemoryReplayStore, WebhookRequest
from mailcore_conformance._check import Failed, not_applicable_unless, require, require_none
from mailcore_conformance._sample import Delivery
from mailcore_conformance._subject import Received, Subject
from mailcore_conformance.proofs._body_fields import fields, with_extra
from mailcore_conformance.proofs._place import Place, forged
from mailcore_conformance.proofs._proof import (
    Verifier,
    genuine,
    presented,
    proof,
    shortest,
    unless_covers,
)

__all__ = ["answered", "distinct", "forged_handshake", "once", "reused", "signed_id"]


# Again ----------------------------------------------------------------------------------------------


def _both(subject: Subject, first: WebhookRequest, second: WebhookRequest, **how: object) -> tuple[int, int]:
    """Return how much is handled of the first of two deliveries, and how much of the second."""
    kind = shortest(subject).kind or EndpointKind.TRACKING
    handled: list[object] = []
    receiver = subject.receiver(on_event=handled.append, on_inbound=handled.append, **how)  # type: ignore[arg-type]  # reason: a replay store or nothing
    receiver.receive(first, kind=kind)
    before = len(handled)
    receiver.receive(second, kind=kind)
    return before, len(handled) - before


def once(subject: Subject) -> None:
    """Deliver the same bytes twice to a receiver that remembers."""
    request = genuine(subject)
    first, second = _both(subject, request, request, replay_store=MemoryReplayStore())
    require(first, "A genuine delivery is not handled.")
    require(not second, "The same delivery is handled again, though a replay store is there.")


def reused(subject: Subject) -> None:
    """Deliver another body with the same token."""
    unless_covers(subject, Covers.TOKEN)
    request = genuine(subject)
    other = with_extra(request, "another body")
    if other == request:
        other = attrs.evolve(request, body=request.body + b" ")
    first, second = _both(subject, request, other)
    require(first, "A genuine delivery is not handled.")
    require(not second, "Another body with the same token is handled as well.")


def distinct(subject: Subject) -> None:
    """Compare the ids of all samples."""
    verifier = Verifier(subject)
    found: dict[str, Delivery] = {}
    for delivery in subject.kit.deliveries:
        if not delivery.readable:
            continue
        request = presented(subject, delivery.request)
        delivery_id = verifier.takes(request, at=request.received_at).delivery_id
        other = found.setdefault(delivery_id, delivery) if delivery_id is not None else delivery
        require(
            other.request.body == delivery.request.body,
            f"{other.name} and {delivery.name} have one delivery_id: the second would never be handled.",
        )


def signed_id(subject: Subject) -> None:
    """Give a recorded delivery another id."""
    request = genuine(subject)
    delivery_id = Verifier(subject).takes(request).delivery_id
    not_applicable_unless(delivery_id, "The scheme has no id of a delivery.")
    places = [Place(header=name) for name in request.headers] + [
        Place(field=path) for path in fields(request)
    ]
    require_none(
        f"With another {place.shown}, a recorded delivery gets another delivery_id, and is handled again."
        for place in places
        if str(delivery_id) in place.value(request)
        and _renamed(Verifier(subject), request, place, str(delivery_id))
    )


def _renamed(verifier: Verifier, request: WebhookRequest, place: Place, delivery_id: str) -> bool:
    changed = place.with_value(request, place.value(request).replace(delivery_id, forged(delivery_id)))
    try:
        return verifier.takes(changed).delivery_id != delivery_id
    except Failed:
        return False


# Handshakes -----------------------------------------------------------------------------------------


def _handshakes(subject: Subject) -> list[Delivery]:
    found = [one for one in subject.kit.deliveries if "response" in one.expected]
    not_applicable_unless(found, "No sample of the kit wants an answer.")
    return found


def answered(subject: Subject) -> None:
    """Deliver each handshake."""
    for delivery in _handshakes(subject):
        found, wanted = subject.delivered(delivery), delivery.expected["response"]
        status = found.response.status
        require(status == wanted.get("status", 200), f"{delivery.name} is answered with {status}.")
        require(200 <= status < 300, f"{delivery.name} is answered with {status}, which is no success.")
        text = wanted.get("body", "").encode()
        require(
            text in found.response.body, f"{delivery.name}: the answer lacks what the provider wants to hear."
        )
        kept = found.events or found.mails or found.quarantined
        require(not kept, f"{delivery.name} is handled or kept as if it were a delivery.")


def forged_handshake(subject: Subject) -> None:
    """Deliver each handshake with a forged signature, and without any."""
    tried = 0
    for delivery in _handshakes(subject):
        request = delivery.request
        for place in proof(subject).signatures:
            if not place.value(request):
                continue
            tried += 1
            for changed in (
                place.with_text(request, forged(place.text(request))),
                place.with_value(request, None),
            ):
                found = subject.receive(changed, delivery.kind, at=request.received_at)
                _require_silent(delivery, found)
    not_applicable_unless(tried, "The provider does not sign its handshakes.")


def _require_silent(delivery: Delivery, found: Received) -> None:
    require(
        found.refused, f"{delivery.name} with a forged signature is answered with {found.response.status}."
    )
    text = delivery.expected["response"].get("body", "")
    said = [found.response.body.decode("utf-8", "replace"), *(value for _, value in found.response.headers)]
    echoed = text and any(text in one for one in said)
    require(not echoed, f"{delivery.name} with a forged signature is refused, and its challenge is echoed.")
