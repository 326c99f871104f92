"""Event webhook → event (https://resend.com/docs/webhooks/event-types).

Rule: `type` and `data` are needed; all else may be missing, null or of another type, and is then absent from
the event as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from mailcore import BounceClass, EventType, RejectReason, TrackingEvent, VerifiedWebhook, parse_timestamp
from mailcore_resend._fields import addresses, event_id, table, text

__all__ = ["event", "is_event"]

Meaning: TypeAlias = tuple[EventType, RejectReason | None, BounceClass | None]

#: Resend's kind → ours, with the reason and the kind of bounce it stands for.
_KINDS: Mapping[str, Meaning] = {
    "email.scheduled": (EventType.QUEUED, None, None),
    "email.sent": (EventType.QUEUED, None, None),  # the request was fine; Resend will try to deliver
    "email.delivered": (EventType.DELIVERED, None, None),
    "email.delivery_delayed": (EventType.DEFERRED, None, None),
    "email.bounced": (EventType.BOUNCED, RejectReason.BOUNCED, None),
    "email.failed": (EventType.FAILED, RejectReason.OTHER, None),
    "email.suppressed": (EventType.REJECTED, RejectReason.BLOCKED, None),
    "email.complained": (EventType.COMPLAINED, None, None),
    "email.opened": (EventType.OPENED, None, None),
    "email.clicked": (EventType.CLICKED, None, None),
}
_UNKNOWN: Meaning = (EventType.UNKNOWN, None, None)
#: `email.bounced` by the bounce's type.
_BOUNCES = {
    "Permanent": BounceClass.HARD,
    "Transient": BounceClass.SOFT,
    "Temporary": BounceClass.SOFT,  # on the page of the event, in the place of the former
}
#: And by its subtype, where nothing was tried: the address bounced before.
_SUPPRESSED: Mapping[str, Meaning] = {
    "Suppressed": (EventType.REJECTED, RejectReason.BOUNCED, BounceClass.HARD),
}


def is_event(document: Any) -> bool:
    """Return whether a parsed body has the shape of an event."""
    fields = table(document)
    return isinstance(fields.get("type"), str) and isinstance(fields.get("data"), dict)


def event(webhook: VerifiedWebhook) -> TrackingEvent:
    """Return the one event of a delivery."""
    document = webhook.request.json()
    data = document["data"]
    event_type, reason, bounce = _meaning(document["type"], table(data.get("bounce")))
    recipients = addresses(data.get("to"))
    click = table(data.get("click"))
    return TrackingEvent(
        event_type=event_type,
        event_id=event_id(webhook),
        timestamp=parse_timestamp(document.get("created_at")),  # that in `data` is the mail's
        message_id=text(data.get("email_id")) or None,
        rfc_message_id=text(data.get("message_id")) or None,
        recipients=recipients,
        scope="recipient" if len(recipients) == 1 else "message",
        metadata=_metadata(data.get("tags")),
        reject_reason=reason,
        bounce_class=bounce,
        description=_description(data),
        mta_response=_mta_response(table(data.get("bounce")).get("diagnosticCode")),
        user_agent=text(click.get("userAgent")),
        click_url=text(click.get("link")) or None,
        provider_event=document["type"],
        raw=document,
    )


def _meaning(kind: str, bounce: Mapping[str, Any]) -> Meaning:
    event_type, reason, usual = _KINDS.get(kind, _UNKNOWN)
    if event_type is not EventType.BOUNCED:
        return event_type, reason, usual
    hard = _BOUNCES.get(text(bounce.get("type")))
    return _SUPPRESSED.get(text(bounce.get("subType")), (event_type, reason, hard))


def _description(data: Mapping[str, Any]) -> str:
    said = (("bounce", "message"), ("suppressed", "message"), ("failed", "reason"))
    return next((words for part, name in said if (words := text(table(data.get(part)).get(name)))), "")


def _mta_response(codes: Any) -> str:
    return "; ".join(code for code in codes if text(code)) if isinstance(codes, list) else ""


def _metadata(tags: Any) -> Mapping[str, Any]:
    """Return the tags: an object on Resend's page, a list of pairs in its program that stores events."""
    if isinstance(tags, list):
        pairs = [(table(tag).get("name"), table(tag).get("value")) for tag in tags]
        return {name: value for name, value in pairs if isinstance(name, str)}
    return table(tags)
