"""What SES tells of a mail.

SES docs (Contents and Examples of event data that Amazon SES publishes to Amazon SNS).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from mailcore_amazon_ses.emulator._account import SentMail

__all__ = ["record", "stamp"]

ACCOUNT = "123456789012"


def stamp(moment: datetime) -> str:
    """Return a time as AWS writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def record(mail: SentMail, event: str, now: datetime, *, suppressed: bool = False) -> dict[str, Any]:
    """Return the record of an event; of one that no page has, the mail alone."""
    found: dict[str, Any] = {"eventType": event, "mail": _mail(mail)}
    if event in _DETAILS:
        name, make = _DETAILS[event]
        found[name] = make(mail, stamp(now))
        if suppressed:
            found[name]["bounceSubType"] = "OnAccountSuppressionList"
    return found


def _mail(mail: SentMail) -> dict[str, Any]:
    return {
        "timestamp": stamp(mail.sent_at),
        "source": mail.sender,
        "sourceArn": f"arn:aws:ses:us-east-1:{ACCOUNT}:identity/{mail.sender}",
        "sendingAccountId": ACCOUNT,
        "messageId": mail.message_id,
        "destination": list(mail.recipients),
        "headersTruncated": False,
        "headers": [{"name": "From", "value": mail.sender}, {"name": "Subject", "value": mail.subject}],
        "commonHeaders": {"from": [mail.sender], "messageId": mail.message_id, "subject": mail.subject},
        "tags": {
            "ses:source-ip": ["192.0.2.0"],
            "ses:from-domain": [mail.sender.rpartition("@")[2]],
            **{name: list(values) for name, values in mail.tags.items()},
        },
    }


def _listed(mail: SentMail, **more: str) -> list[dict[str, str]]:
    return [{"emailAddress": address, **more} for address in mail.recipients]


def _send(_: SentMail, __: str) -> dict[str, Any]:
    return {}


def _delivery(mail: SentMail, now: str) -> dict[str, Any]:
    return {
        "timestamp": now,
        "processingTimeMillis": 1000,
        "recipients": list(mail.recipients),
        "smtpResponse": "250 2.6.0 Message received",
        "reportingMTA": "mta.example.com",
    }


def _bounce(mail: SentMail, now: str) -> dict[str, Any]:
    said = "smtp; 550 5.1.1 user unknown"
    return {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": _listed(mail, action="failed", status="5.1.1", diagnosticCode=said),
        "timestamp": now,
        "feedbackId": f"{mail.message_id}-bounce",
        "reportingMTA": "dsn; mta.example.com",
    }


def _complaint(mail: SentMail, now: str) -> dict[str, Any]:
    return {
        "complainedRecipients": _listed(mail),
        "timestamp": now,
        "feedbackId": f"{mail.message_id}-complaint",
        "complaintSubType": None,
        "complaintFeedbackType": "abuse",
    }


def _delay(mail: SentMail, now: str) -> dict[str, Any]:
    said = "smtp; 421 4.4.1 Unable to connect to remote host"
    return {
        "timestamp": now,
        "delayType": "TransientCommunicationFailure",
        "expirationTime": now,
        "delayedRecipients": _listed(mail, status="4.4.1", diagnosticCode=said),
    }


def _reject(_: SentMail, __: str) -> dict[str, Any]:
    return {"reason": "Bad content"}


def _open(_: SentMail, now: str) -> dict[str, Any]:
    return {"ipAddress": "192.0.2.1", "timestamp": now, "userAgent": "Mozilla/5.0"}


def _click(mail: SentMail, now: str) -> dict[str, Any]:
    return {**_open(mail, now), "link": "https://example.com/", "linkTags": None}


def _failure(_: SentMail, __: str) -> dict[str, Any]:
    return {
        "errorMessage": "Attribute 'name' is not present in the rendering data.",
        "templateName": "Receipt",
    }


def _subscription(_: SentMail, now: str) -> dict[str, Any]:
    def preferences(status: str) -> dict[str, Any]:
        topics = [{"topicName": "News", "subscriptionStatus": status}]
        return {"unsubscribeAll": False, "topicSubscriptionStatus": topics}

    return {
        "contactList": "Readers",
        "timestamp": now,
        "source": "SubscriptionPage",
        "newTopicPreferences": preferences("OptIn"),
        "oldTopicPreferences": preferences("OptOut"),
    }


_DETAILS: Mapping[str, tuple[str, Callable[[SentMail, str], dict[str, Any]]]] = {
    "Send": ("send", _send),
    "Delivery": ("delivery", _delivery),
    "Bounce": ("bounce", _bounce),
    "Complaint": ("complaint", _complaint),
    "DeliveryDelay": ("deliveryDelay", _delay),
    "Reject": ("reject", _reject),
    "Open": ("open", _open),
    "Click": ("click", _click),
    "Rendering Failure": ("failure", _failure),
    "Subscription": ("subscription", _subscription),
}
