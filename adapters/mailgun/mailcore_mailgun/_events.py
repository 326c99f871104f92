"""Event webhook → event (https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads).

Rule: `event-data` with an `event` is needed; all else may be missing, null or of another type, and is then
absent from the event as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from mailcore import Address, BounceClass, EventType, InvalidAddress, RejectReason, TrackingEvent
from mailcore_mailgun._responses import bracketed

__all__ = ["event", "is_event", "moment"]

Meaning: TypeAlias = tuple[EventType, RejectReason | None, BounceClass | None]

#: Mailgun's kind → ours, with the reason and the kind of bounce it stands for.
_KINDS: Mapping[str, Meaning] = {
    "accepted": (EventType.QUEUED, None, None),
    "rejected": (EventType.REJECTED, RejectReason.OTHER, None),
    "delivered": (EventType.DELIVERED, None, None),
    "opened": (EventType.OPENED, None, None),
    "clicked": (EventType.CLICKED, None, None),
    "unsubscribed": (EventType.UNSUBSCRIBED, None, None),
    "complained": (EventType.COMPLAINED, None, None),
    "stored": (EventType.INBOUND, None, None),  # mail that came in and waits at Mailgun
}
_UNKNOWN: Meaning = (EventType.UNKNOWN, None, None)
#: `failed` by its severity: tried again, or given up.
_SEVERITIES: Mapping[str, Meaning] = {
    "temporary": (EventType.DEFERRED, None, BounceClass.SOFT),
    "permanent": (EventType.BOUNCED, RejectReason.OTHER, BounceClass.HARD),
}
_FAILED: Meaning = (EventType.FAILED, RejectReason.OTHER, None)
#: What is permanent, by its reason, where that says more.
_REASONS: Mapping[str, Meaning] = {
    "bounce": (EventType.BOUNCED, RejectReason.BOUNCED, BounceClass.HARD),
    "delayed-bounce": (EventType.BOUNCED, RejectReason.BOUNCED, BounceClass.HARD),
    # Tried for hours; the address may be good.
    "old": (EventType.BOUNCED, RejectReason.TIMED_OUT, BounceClass.SOFT),
    # On one of Mailgun's lists: not even tried.
    "suppress-bounce": (EventType.REJECTED, RejectReason.BOUNCED, None),
    "suppress-complaint": (EventType.REJECTED, RejectReason.SPAM, None),
    "suppress-unsubscribe": (EventType.REJECTED, RejectReason.UNSUBSCRIBED, None),
}


def is_event(document: Any) -> bool:
    """Return whether a parsed body has the shape of an event."""
    data = _table(document).get("event-data")
    return isinstance(data, dict) and isinstance(data.get("event"), str)


def event(data: Mapping[str, Any]) -> TrackingEvent:
    """Return the event that `event-data` tells."""
    kind = data["event"]
    event_type, reason, bounce = _meaning(data)
    status, refusal = _table(data.get("delivery-status")), _table(data.get("reject"))
    headers = _table(_table(data.get("message")).get("headers"))
    message_id = bracketed(headers.get("message-id"))
    recipient = _address(data.get("recipient")) or _address(headers.get("to"))
    return TrackingEvent(
        event_type=event_type,
        event_id=_event_id(data, message_id, recipient),
        timestamp=moment(data.get("timestamp")),
        message_id=message_id,
        rfc_message_id=message_id,
        recipients=(recipient,) if recipient else (),
        scope="recipient" if recipient else "message",
        tags=_tags(data.get("tags")),
        metadata=_table(data.get("user-variables")),
        reject_reason=reason,
        bounce_class=bounce,
        description=_text(status.get("description")) or _text(refusal.get("reason")),
        mta_response=_text(status.get("message")),
        user_agent=_text(_table(data.get("client-info")).get("user-agent")),
        click_url=_text(data.get("url")) or None,
        provider_event=kind,
        raw=data,
    )


def _meaning(data: Mapping[str, Any]) -> Meaning:
    if data["event"] != "failed":
        return _KINDS.get(data["event"], _UNKNOWN)
    severity = _text(data.get("severity"))
    usual = _SEVERITIES.get(severity, _FAILED)
    return _REASONS.get(_text(data.get("reason")), usual) if severity == "permanent" else usual


def _event_id(data: Mapping[str, Any], *more: str | None) -> str:
    """
    Return an id that redeliveries share and other events do not.

    Mailgun's own is unique within a day; its token may differ where an event is signed anew.
    """
    parts = [data.get("id"), data.get("timestamp"), data["event"], *more]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def moment(value: Any) -> datetime | None:
    """Return seconds since 1970 as a time; None where it is none."""
    try:
        return datetime.fromtimestamp(float(value), UTC) if not isinstance(value, bool) else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}  # an empty one may come as a list


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _tags(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str) and item)


def _address(value: Any) -> str | None:
    try:
        return Address.parse(value).addr_spec if isinstance(value, str) else None
    except InvalidAddress:
        return None  # the text stays readable in `raw`
