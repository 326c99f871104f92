"""What the capability table may not say: contradictions, and promises that fit nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mailcore import Capability, EventType
from mailcore_conformance._subject import Subject

__all__ = ["events_amiss", "keys_amiss", "parts_alone"]

#: Capability → those it is a part of; one of them is declared too.
_PART_OF: Mapping[Capability, tuple[Capability, ...]] = {
    Capability.MULTIPLE_REPLY_TO: (Capability.REPLY_TO,),
    Capability.INLINE_IMAGES: (Capability.ATTACHMENTS,),
    Capability.WEBHOOK_SIGNATURE: (Capability.WEBHOOK_TRACKING, Capability.WEBHOOK_INBOUND),
    Capability.WEBHOOK_REPLAY_WINDOW: (Capability.WEBHOOK_SIGNATURE,),
    Capability.WEBHOOK_RECIPIENT: (Capability.WEBHOOK_TRACKING,),
    Capability.INBOUND_RAW: (Capability.WEBHOOK_INBOUND,),
    Capability.INBOUND_ENVELOPE: (Capability.WEBHOOK_INBOUND,),
}


def parts_alone(subject: Subject, family: str) -> Iterator[str]:
    """Yield each declared capability of a family that is a part of one that is not declared."""
    for capability, wholes in _PART_OF.items():
        ours = capability.value.startswith(f"{family}.") and subject.can(capability)
        if ours and not any(map(subject.can, wholes)):
            yield f"{capability} is declared without {' or '.join(wholes)}."


def events_amiss(subject: Subject) -> Iterator[str]:
    """Yield where event_types does not go with webhook.tracking."""
    found = subject.spec.event_types
    if not subject.can(Capability.WEBHOOK_TRACKING):
        if found:
            yield "There are event_types, and webhook.tracking is not declared."
        return
    if not found - {EventType.UNKNOWN}:
        yield "event_types names no kind of event."


def keys_amiss(subject: Subject) -> Iterator[str]:
    """Yield where the promise of idempotency does not go with the table."""
    found = subject.spec.idempotency
    if subject.can(Capability.IDEMPOTENCY_KEY) != (found is not None):
        yield "send.idempotency_key and idempotency are not both there."
    if found is None:
        return
    if found.ttl <= 0:
        yield "idempotency: a key is remembered for no time at all (ttl)."
    if subject.limit(Capability.IDEMPOTENCY_KEY) not in (None, found.max_length):
        yield "idempotency: max_length is not the limit of send.idempotency_key."
    if found.per_batch and not subject.can(Capability.BATCH):
        yield "idempotency: per_batch is promised, and send.batch is not declared."
