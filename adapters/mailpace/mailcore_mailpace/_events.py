"""Event webhook → event (https://docs.mailpace.com/guide/webhooks).

Rule: `event` and `payload` with an `id` are needed; all else may be missing, null or of another type,
and is then absent from the event as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from mailcore import (
    Address,
    BounceClass,
    EventType,
    InvalidAddress,
    InvalidDocument,
    RejectReason,
    TrackingEvent,
    parse_timestamp,
)
from mailcore_mailpace._identifier import identifier

__all__ = ["event", "is_event"]

#: MailPace's kind → ours, with the reason and the kind of bounce it stands for.
_KINDS: Mapping[str, tuple[EventType, RejectReason | None, BounceClass | None]] = {
    "email.queued": (EventType.QUEUED, None, None),
    "email.delivered": (EventType.DELIVERED, None, None),
    "email.deferred": (EventType.DEFERRED, None, BounceClass.SOFT),  # tried again for up to 48 hours
    "email.bounced": (EventType.BOUNCED, RejectReason.BOUNCED, BounceClass.HARD),
    # MailPace's own outbound filter refused the mail; no recipient complained.
    "email.spam": (EventType.REJECTED, RejectReason.SPAM, None),
}
_UNKNOWN = (EventType.UNKNOWN, None, None)
_SORTED = json.JSONEncoder(sort_keys=True)


def is_event(document: Any) -> bool:
    """Return whether a parsed body has the shape of an event."""
    return (
        isinstance(document, dict)
        and isinstance(document.get("event"), str)
        and isinstance(document.get("payload"), dict)
    )


def event(document: Mapping[str, Any], *, domain_id: int | None) -> TrackingEvent:
    """
    Return the event.

    Args:
        domain_id: The domain whose key signed it, where the key is bound to one.

    Raises:
        InvalidDocument: No usable id, or the event of another domain than the key's.
    """
    kind, payload = document["event"], document["payload"]
    message_id = identifier(payload.get("id"))
    if message_id is None:
        raise InvalidDocument("The event's payload has no id.")
    if domain_id is not None and identifier(payload.get("domain_id")) != str(domain_id):
        raise InvalidDocument(f"The key belongs to domain {domain_id}, the event to another.")
    event_type, reason, bounce = _KINDS.get(kind, _UNKNOWN)
    return TrackingEvent(
        event_type=event_type,
        event_id=_event_id(kind, payload),
        # created_at is the same for all of a mail's events.
        timestamp=parse_timestamp(payload.get("updated_at")),
        message_id=message_id,
        rfc_message_id=_text(payload.get("message_id")),
        recipients=_recipients(payload.get("to")),
        scope="message",  # one event a mail: what became of a single recipient is not known
        tags=_tags(payload.get("tags")),
        reject_reason=reason,
        bounce_class=bounce,
        provider_event=kind,
        raw=document,
    )


def _event_id(kind: str, payload: Mapping[str, Any]) -> str:
    """
    Return an id that redeliveries share and other events of the same mail do not.

    MailPace sends none. Its `updated_at` tells one event of a mail from the next; the text as it
    came is used, and the whole payload where it is missing.
    """
    when = payload.get("updated_at") or payload
    parts = ["mailpace", payload.get("domain_id"), payload.get("id"), kind, when]
    return hashlib.sha256(_SORTED.encode(parts).encode()).hexdigest()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _recipients(value: Any) -> tuple[str, ...]:
    if not isinstance(value, str) or not value.strip():
        return ()
    try:
        return tuple(address.addr_spec for address in Address.parse_list(value))
    except InvalidAddress:
        return ()  # the text stays readable in `raw`


def _tags(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str) and item)
