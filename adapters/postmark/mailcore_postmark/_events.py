"""Event webhook → event (https://postmarkapp.com/developer/webhooks/webhooks-overview and its pages).

Rule: any value may be missing, null or of another type, and is then absent from the event as well. What has
neither a `RecordType` nor the time of an event is none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from mailcore import BounceClass, EventType, RejectReason, TrackingEvent, parse_timestamp
from mailcore_postmark._fields import address, text

__all__ = ["event", "is_event"]

#: What it is, why a mail was refused, and whether trying again could help.
Meaning: TypeAlias = tuple[EventType, RejectReason | None, BounceClass | None]

_UNKNOWN: Meaning = (EventType.UNKNOWN, None, None)
_HARD: Meaning = (EventType.BOUNCED, RejectReason.BOUNCED, BounceClass.HARD)
_COMPLAINT: Meaning = (EventType.COMPLAINED, None, None)
_LATER: Meaning = (EventType.DEFERRED, None, BounceClass.SOFT)

#: `RecordType` → meaning, where nothing else decides.
_RECORDS: Mapping[str, Meaning] = {
    "Delivery": (EventType.DELIVERED, None, None),
    "Open": (EventType.OPENED, None, None),
    "Click": (EventType.CLICKED, None, None),
    "SpamComplaint": _COMPLAINT,
}
#: `Type` of a bounce → meaning (https://postmarkapp.com/developer/api/bounce-api#bounce-types).
_BOUNCES: Mapping[str, Meaning] = {
    "HardBounce": _HARD,
    "SoftBounce": (EventType.BOUNCED, RejectReason.BOUNCED, BounceClass.SOFT),  # Postmark gave up
    "Transient": _LATER,
    "DnsError": _LATER,
    "SpamNotification": (EventType.BOUNCED, RejectReason.SPAM, None),  # the server said so, no reader
    "Blocked": (EventType.BOUNCED, RejectReason.BLOCKED, None),
    "DMARCPolicy": (EventType.BOUNCED, RejectReason.BLOCKED, None),
    "VirusNotification": (EventType.BOUNCED, RejectReason.OTHER, None),
    "BadEmailAddress": (EventType.REJECTED, RejectReason.INVALID, BounceClass.HARD),
    "ManuallyDeactivated": (EventType.REJECTED, RejectReason.BLOCKED, None),
    "Unconfirmed": (EventType.REJECTED, RejectReason.OTHER, None),
    "SMTPApiError": (EventType.FAILED, RejectReason.OTHER, None),
    "TemplateRenderingFailed": (EventType.FAILED, RejectReason.OTHER, None),
    "InboundError": (EventType.INBOUND_FAILED, None, None),
    "SpamComplaint": _COMPLAINT,
    "Unsubscribe": (EventType.UNSUBSCRIBED, None, None),
    "Subscribe": (EventType.SUBSCRIBED, None, None),
    "AutoResponder": (EventType.AUTORESPONDED, None, None),
    "AddressChange": (EventType.AUTORESPONDED, None, None),
    "ChallengeVerification": (EventType.AUTORESPONDED, None, None),
    "OpenRelayTest": _UNKNOWN,  # says nothing of the mail
    "Unknown": _UNKNOWN,  # Postmark could not tell either
}
#: `SuppressionReason` → meaning of an address that gets no more mail.
_SUPPRESSIONS: Mapping[str, Meaning] = {
    "HardBounce": _HARD,
    "SpamComplaint": _COMPLAINT,
    "ManualSuppression": (EventType.UNSUBSCRIBED, None, None),
}
#: The time of the event, by whichever name.
_TIMES = ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt")
#: What tells one event from another where Postmark gives it no id.
_IDENTITY = ("RecordType", "Type", "ServerID", "MessageID", "Recipient", "Email", *_TIMES, "OriginalLink")


def is_event(document: Any) -> bool:
    """Return whether a parsed body has the shape of an event."""
    if not isinstance(document, dict) or document.get("RecordType") == "Inbound":
        return False
    return bool(text(document.get("RecordType"))) or any(name in document for name in _TIMES)


def event(document: Mapping[str, Any]) -> TrackingEvent:
    """Return the event."""
    record, bounce = text(document.get("RecordType")), text(document.get("Type"))
    event_type, reason, bounce_class = _meaning(document, record, bounce)
    recipient = address(document.get("Recipient") or document.get("Email"))
    metadata = document.get("Metadata")
    return TrackingEvent(
        event_type=event_type,
        event_id=_event_id(document, record),
        timestamp=next(filter(None, (parse_timestamp(document.get(name)) for name in _TIMES)), None),
        message_id=text(document.get("MessageID")) or None,
        recipients=(recipient,) if recipient else (),
        scope="recipient" if recipient else "message",
        tags=(text(document.get("Tag")),) if text(document.get("Tag")) else (),
        metadata=metadata if isinstance(metadata, dict) else {},
        reject_reason=reason,
        bounce_class=bounce_class,
        description=text(document.get("Description")),
        mta_response=text(document.get("Details")),
        user_agent=text(document.get("UserAgent")),
        click_url=text(document.get("OriginalLink")) or None,
        provider_event=bounce or record,
        raw=document,
    )


def _meaning(document: Mapping[str, Any], record: str, bounce: str) -> Meaning:
    if bounce:  # of bounces and complaints; nothing else has a type
        return _BOUNCES.get(bounce, _UNKNOWN)
    if record != "SubscriptionChange":
        return _RECORDS.get(record, _UNKNOWN)
    if document.get("SuppressSending") is False:
        return EventType.SUBSCRIBED, None, None
    return _SUPPRESSIONS.get(text(document.get("SuppressionReason")), _UNKNOWN)


def _event_id(document: Mapping[str, Any], record: str) -> str:
    """
    Return an id that redeliveries share and other events do not.

    A bounce and a complaint have an `ID` of Postmark's. Of the rest, what happened, when, to whose mail
    tells, each as it came; where nothing does, the whole event.
    """
    own = document.get("ID")
    if isinstance(own, int | str) and own and not isinstance(own, bool):
        return f"{record}-{own}"
    said = {name: document[name] for name in _IDENTITY if document.get(name) is not None}
    parts = [said if len(said) > 1 else document, document.get("SuppressSending")]
    return hashlib.sha256(json.dumps(["postmark", *parts], sort_keys=True).encode()).hexdigest()
