"""What an adapter makes of a delivery: by itself, and behind core.

Rule: core keeps whatever an adapter raises away from the application, so a check that wants to see it asks
the adapter itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs

from mailcore import (
    Context,
    EndpointKind,
    InboundMessage,
    InvalidDocument,
    Request,
    Response,
    TrackingEvent,
    Verification,
    VerifiedWebhook,
    WebhookRequest,
)
from mailcore_conformance._blame import told
from mailcore_conformance._check import Failed
from mailcore_conformance._sample import Delivery
from mailcore_conformance._subject import NOW, UNIQUE, Received, Subject, drive, fetch

__all__ = ["Answer", "Fate", "Reader", "dispatched", "proved"]

#: Answers what a flow fetches.
Answer = Callable[[Request], Response]

_HELD: dict[EndpointKind, type] = {
    EndpointKind.TRACKING: TrackingEvent,
    EndpointKind.INBOUND: InboundMessage,
}


@attrs.frozen
class Fate:
    """
    What became of a delivery in an adapter.

    Attributes:
        items: The events or mails.
        refused: Whether its shape is not known, or `InvalidDocument` was raised.
        error: What else was raised, with the place; empty where nothing was.
    """

    items: tuple[Any, ...] = ()
    refused: bool = False
    error: str = ""


class Reader:
    """Read deliveries with an adapter made for it, past core."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._adapter = subject.webhook_adapter()
        self._package = subject.spec.factory.partition(".")[0]

    def read(
        self, delivery: WebhookRequest | VerifiedWebhook, kind: EndpointKind, answer: Answer | None = None
    ) -> Fate:
        """
        Return what the adapter makes of a delivery to an endpoint of that kind.

        Args:
            answer: Answers what the flow fetches; None: the kit does.
        """
        webhook = self._subject.verified(delivery) if isinstance(delivery, WebhookRequest) else delivery
        try:
            if self._adapter.webhook_kind(webhook) is not kind:
                return Fate(refused=True)
            items = tuple(self._items(webhook, kind, answer))
        except InvalidDocument:
            return Fate(refused=True)
        except Failed:  # the kit's doing
            raise
        except Exception as error:  # noqa: BLE001  # reason: what a stranger's code raises is the finding
            return Fate(error=told(error, package=self._package))
        odd = [type(item).__name__ for item in items if not isinstance(item, _HELD[kind])]
        return Fate(error=f"The adapter returns a {odd[0]} among what it read.") if odd else Fate(items)

    def events(self, delivery: WebhookRequest | VerifiedWebhook) -> Fate:
        """Return what it makes of a delivery to the endpoint of events."""
        return self.read(delivery, EndpointKind.TRACKING)

    def mails(self, delivery: WebhookRequest | VerifiedWebhook, answer: Answer | None = None) -> Fate:
        """Return what it makes of a delivery to the endpoint of mail."""
        return self.read(delivery, EndpointKind.INBOUND, answer)

    def _items(self, webhook: VerifiedWebhook, kind: EndpointKind, answer: Answer | None) -> Any:
        if kind is EndpointKind.TRACKING:
            return self._adapter.parse_events(webhook)
        context = Context(now=NOW, created=NOW, unique=UNIQUE)
        flow = self._adapter.inbound_flow(webhook, context)
        return drive(flow, lambda step: fetch(answer or self._subject.kit.answer, step))


def dispatched(subject: Subject, request: WebhookRequest, kind: EndpointKind) -> Received:
    """Hand a delivery that counts as proved to an endpoint the way a queue's worker does."""
    events: list[TrackingEvent] = []
    mails: list[InboundMessage] = []
    kept: list[Any] = []
    receiver = subject.receiver(on_event=events.append, on_inbound=mails.append, on_quarantine=kept.append)
    disposition = receiver.dispatch(subject.verified(request), kind=kind)
    return Received(
        response=receiver.answer(disposition, kind),
        events=tuple(events),
        mails=tuple(mails),
        quarantined=tuple(kept),
    )


def proved(subject: Subject, delivery: Delivery, body: bytes, at: datetime) -> VerifiedWebhook:
    """Return a delivery of that body, signed and verified at that time, its headers in another order."""
    request = subject.signed(body, like=delivery, at=at)
    request = attrs.evolve(request, headers=request.headers.pairs[::-1])
    if subject.kit.sign is None:
        return subject.verified(request)
    found = subject.verify(request, at=at)
    if not isinstance(found, Verification):
        raise Failed(f"The sample {delivery.name} is answered instead of verified.")
    return VerifiedWebhook(request=request, verification=found)
