"""What the shop does with what comes in. Whoever raises here has the delivery again."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from mailcore import InboundMessage, SendResult, TrackingEvent
from mailcore.frameworks.django import inbound, post_send, tracking
from mailcore.frameworks.django.models import OutboxMessage
from shop.models import Order, Question


@receiver(post_send, sender=OutboxMessage)
def remember(outbox_message: OutboxMessage, result: SendResult | None, **_: Any) -> None:
    """Keep the provider's id: events will carry it."""
    if result is not None:
        number = outbox_message.key.removeprefix("order-")
        Order.objects.filter(pk=number).update(message_id=result.message_id, confirmation="sent")


@receiver(tracking)
def follow(event: TrackingEvent, **_: Any) -> None:
    """Note what became of a confirmation."""
    Order.objects.filter(message_id=event.message_id).update(confirmation=event.event_type.value)


@receiver(inbound)
def keep(message: InboundMessage, **_: Any) -> None:
    """Keep what a customer asks."""
    sender = message.from_[0].addr_spec if message.from_ else ""
    Question.objects.create(sender=sender, subject=message.subject or "")
