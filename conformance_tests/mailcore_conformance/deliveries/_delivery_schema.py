"""Whether the fields of what an adapter makes are of the types that applications rely on.

Rule: core checks ids, times, tags and reasons where a value is made; the rest is the adapter's word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from mailcore import (
    Address,
    BounceClass,
    InboundMessage,
    InvalidAddress,
    MailcoreError,
    TrackingEvent,
    from_json,
    to_json,
)

__all__ = ["event_faults", "is_bare", "mail_faults", "round_trip_faults"]

_TEXTS = ("description", "mta_response", "user_agent", "provider_event")
_OPTIONAL_TEXTS = ("rfc_message_id", "click_url")


def is_bare(address: Any) -> bool:
    """Return whether a value is an address and nothing beside."""
    try:
        return isinstance(address, str) and Address.parse(address).addr_spec == address
    except InvalidAddress:
        return False


def event_faults(event: TrackingEvent) -> Iterator[str]:
    """Yield the fields of an event that are of another type than promised."""
    for name in _TEXTS:
        if not isinstance(getattr(event, name), str):
            yield f"`{name}` is {getattr(event, name)!r}, which is no text."
    for name in _OPTIONAL_TEXTS:
        if not isinstance(getattr(event, name), str | None):
            yield f"`{name}` is {getattr(event, name)!r}, which is no text."
    if not isinstance(event.bounce_class, BounceClass | None):
        yield f"`bounce_class` is {event.bounce_class!r}."
    odd = [one for one in event.recipients if not is_bare(one)]
    if odd:
        yield f"`recipients` holds {odd[0]!r}, which is no bare address."


def mail_faults(mail: InboundMessage) -> Iterator[str]:
    """Yield the fields of a mail that are of another type than promised, or cannot be read."""
    if not isinstance(mail.event_id, str):
        yield f"`event_id` is {mail.event_id!r}, which is no text."
    sender = mail.envelope_sender
    if sender not in (None, "") and not is_bare(sender):
        yield f"`envelope_sender` is {sender!r}, which is no bare address."
    odd = [one for one in mail.envelope_recipients if not is_bare(one)]
    if odd:
        yield f"`envelope_recipients` holds {odd[0]!r}, which is no bare address."


def round_trip_faults(value: TrackingEvent | InboundMessage) -> Iterator[str]:
    """Yield what goes wrong on the way through a queue."""
    promised = TrackingEvent if isinstance(value, TrackingEvent) else InboundMessage
    try:
        again = from_json(promised, to_json(value))
    except (MailcoreError, TypeError, ValueError) as error:
        yield f"it has no way through JSON and back ({type(error).__name__})."
    else:
        if again != value:
            fields = [field.name for field in attrs.fields(promised) if field.eq]
            names = [name for name in fields if getattr(again, name) != getattr(value, name)]
            yield f"it comes back from JSON with another `{names[0] if names else 'value'}`."
