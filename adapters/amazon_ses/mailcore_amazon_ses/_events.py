"""Record of Amazon SES → event (https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html).

Rule 1: records of event publishing say `eventType`, the older feedback notifications `notificationType`; what
        they say is the same.
Rule 2: a record is one event, of all the recipients that it names; what is said of each is in `raw`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from mailcore import BounceClass, EventType, RejectReason, TrackingEvent, parse_timestamp
from mailcore_amazon_ses._fields import addresses, digest, items, table, text

__all__ = ["event", "is_record", "kind_of"]


@attrs.frozen
class _Kind:
    """
    What a kind of record means.

    Attributes:
        detail: The object that tells more.
        listed: The list in it of those it is about; empty: it is about the mail.
    """

    event_type: EventType
    detail: str
    listed: str = ""
    bounce: BounceClass | None = None


_KINDS: Mapping[str, _Kind] = {
    "Send": _Kind(EventType.QUEUED, "send"),  # SES took it, and will try to deliver it
    "Delivery": _Kind(EventType.DELIVERED, "delivery", "recipients"),
    "DeliveryDelay": _Kind(EventType.DEFERRED, "deliveryDelay", "delayedRecipients", BounceClass.SOFT),
    "Bounce": _Kind(EventType.BOUNCED, "bounce", "bouncedRecipients"),
    "Complaint": _Kind(EventType.COMPLAINED, "complaint", "complainedRecipients"),
    "Reject": _Kind(EventType.REJECTED, "reject"),
    "Rendering Failure": _Kind(EventType.FAILED, "failure"),
    "Open": _Kind(EventType.OPENED, "open"),
    "Click": _Kind(EventType.CLICKED, "click"),
    "Subscription": _Kind(EventType.UNKNOWN, "subscription"),  # which way, its preferences tell
}
_UNKNOWN = _Kind(EventType.UNKNOWN, "")

#: Where a record says in words what happened.
_WORDS = ("reason", "errorMessage", "delayType", "complaintFeedbackType", "bounceSubType")

_BOUNCES = {"Permanent": BounceClass.HARD, "Transient": BounceClass.SOFT}
#: Subtypes of bounces and complaints in which SES itself did not try to deliver.
_SUPPRESSED: Mapping[str, RejectReason] = {
    "Suppressed": RejectReason.BOUNCED,  # for all of SES: it bounced lately
    "OnAccountSuppressionList": RejectReason.BLOCKED,
}


def kind_of(record: Mapping[str, Any]) -> str:
    """Return SES's word for what a record is about."""
    return text(record.get("eventType")) or text(record.get("notificationType"))


def is_record(record: Mapping[str, Any]) -> bool:
    """Return whether a parsed message has the shape of an event."""
    return bool(kind_of(record)) and isinstance(record.get("mail"), dict)


def event(envelope: Mapping[str, Any], record: Mapping[str, Any], *, tag_name: str) -> TrackingEvent:
    """Return the event; SNS's id is the same for each delivery of it."""
    name, mail = kind_of(record), table(record.get("mail"))
    kind, marks = _KINDS.get(name, _UNKNOWN), table(mail.get("tags"))
    detail = table(record.get(kind.detail))
    listed = items(detail.get(kind.listed))
    recipients = _recipients(listed) or _recipients(items(mail.get("destination")))
    event_type, reason = _meaning(kind, detail)
    return TrackingEvent(
        event_type=event_type,
        event_id=text(envelope.get("MessageId")) or digest(record),
        timestamp=parse_timestamp(_time(name, detail, mail, envelope)),
        message_id=text(mail.get("messageId")) or None,
        recipients=recipients,
        # Of a mail to several, what names nobody is about nobody in particular.
        scope="recipient" if _recipients(listed) or len(recipients) == 1 else "message",
        tags=[item for item in items(marks.get(tag_name)) if item and isinstance(item, str)],
        # SES's own tags are `ses:configuration-set` and the like.
        metadata={key: _one_of(value) for key, value in marks.items() if key != tag_name and ":" not in key},
        reject_reason=reason,
        bounce_class=_BOUNCES.get(text(detail.get("bounceType")), kind.bounce),
        description=next((said for key in _WORDS if (said := text(detail.get(key)))), ""),
        mta_response=text(detail.get("smtpResponse")) or _diagnostics(listed),
        user_agent=text(detail.get("userAgent")),
        click_url=text(detail.get("link")) or None,
        provider_event=name,
        raw=record,
    )


def _meaning(kind: _Kind, detail: Mapping[str, Any]) -> tuple[EventType, RejectReason | None]:
    if kind.detail in ("bounce", "complaint"):
        subtype = text(detail.get("bounceSubType")) or text(detail.get("complaintSubType"))
        if subtype in _SUPPRESSED:
            return EventType.REJECTED, _SUPPRESSED[subtype]
        if kind.detail == "bounce":
            invalid = subtype == "NoEmail"
            return EventType.BOUNCED, RejectReason.INVALID if invalid else RejectReason.BOUNCED
        if detail.get("complaintFeedbackType") == "not-spam":  # the opposite of a complaint
            return EventType.UNKNOWN, None
    if kind.detail == "subscription":
        return _subscribed(table(detail.get("newTopicPreferences"))), None
    return kind.event_type, RejectReason.OTHER if kind.event_type is EventType.REJECTED else None


def _subscribed(preferences: Mapping[str, Any]) -> EventType:
    topics = [
        table(topic).get("subscriptionStatus") for topic in items(preferences.get("topicSubscriptionStatus"))
    ]
    if preferences.get("unsubscribeAll") is True or "OptOut" in topics:
        return EventType.UNSUBSCRIBED
    return EventType.SUBSCRIBED if "OptIn" in topics else EventType.UNKNOWN


def _time(name: str, detail: Mapping[str, Any], mail: Mapping[str, Any], envelope: Mapping[str, Any]) -> Any:
    """Return when it happened; where the record does not say, when the mail was sent, or SNS was told."""
    otherwise = mail.get("timestamp") if name == "Send" else envelope.get("Timestamp")
    return detail.get("timestamp", otherwise)


def _recipients(listed: list[Any]) -> list[str]:
    texts = [item.get("emailAddress") if isinstance(item, dict) else item for item in listed]
    return [address for item in texts for address in addresses(item)]


def _diagnostics(listed: list[Any]) -> str:
    said = [text(table(item).get("diagnosticCode")) for item in listed]
    return "; ".join(filter(None, dict.fromkeys(said)))


def _one_of(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value
