"""The bodies of event webhooks, one of each kind (https://postmarkapp.com/developer/webhooks/).

Rule: names and order are those of the examples on Postmark's pages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mailcore_postmark.emulator._answers import timestamp
from mailcore_postmark.emulator._mail import SentMail

__all__ = ["BOUNCES", "RECORDS", "SUPPRESSING", "bounce", "list_change", "plain"]

SERVER_ID = 23
#: Type → code and name (https://postmarkapp.com/developer/api/bounce-api#bounce-types).
BOUNCES: Mapping[str, tuple[int, str]] = {
    "HardBounce": (1, "Hard bounce"),
    "Transient": (2, "Message delayed"),
    "Unsubscribe": (16, "Unsubscribe request"),
    "Subscribe": (32, "Subscribe request"),
    "AutoResponder": (64, "Auto responder"),
    "AddressChange": (128, "Address change"),
    "DnsError": (256, "DNS error"),
    "SpamNotification": (512, "Spam notification"),
    "OpenRelayTest": (1024, "Open relay test"),
    "Unknown": (2048, "Unknown"),
    "SoftBounce": (4096, "Soft bounce"),
    "VirusNotification": (8192, "Virus notification"),
    "ChallengeVerification": (16384, "Spam challenge verification"),
    "BadEmailAddress": (100000, "Invalid email address"),
    "SpamComplaint": (100001, "Spam complaint"),
    "ManuallyDeactivated": (100002, "Manually deactivated"),
    "Unconfirmed": (100003, "Registration not confirmed"),
    "Blocked": (100006, "ISP block"),
    "SMTPApiError": (100007, "SMTP API error"),
    "InboundError": (100008, "Processing failed"),
    "DMARCPolicy": (100009, "DMARC Policy"),
    "TemplateRenderingFailed": (100010, "Template rendering failed"),
}
#: The last is no record of Postmark's: how a receiver takes one that is new can be tried with it.
RECORDS = ("Delivery", "Open", "Click", "Teleportation")
#: What puts an address on the suppression list.
SUPPRESSING = ("HardBounce", "SpamComplaint")

_DEVICE: Mapping[str, Any] = {
    "Client": {"Name": "Chrome 35.0.1916.153", "Company": "Google", "Family": "Chrome"},
    "OS": {"Name": "OS X 10.7 Lion", "Company": "Apple Computer, Inc.", "Family": "OS X 10"},
    "Platform": "WebMail",
    "UserAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_7_5)",
    "Geo": {},
}
#: Kind of event → the name of its time, and what else is in it.
_MORE: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "Delivery": ("DeliveredAt", {"Details": "250 2.0.0 OK"}),
    "Open": ("ReceivedAt", {"FirstOpen": True, **_DEVICE}),
    "Click": ("ReceivedAt", {"ClickLocation": "HTML", "OriginalLink": "https://example.com", **_DEVICE}),
    "Teleportation": ("TeleportedAt", {}),
}


def plain(record: str, mail: SentMail, recipient: str, now: datetime) -> bytes:
    """Return a record that is about one recipient and has no type."""
    time, more = _MORE[record]
    return _body({"RecordType": record, **_about(mail), "Recipient": recipient, time: timestamp(now), **more})


def bounce(kind: str, mail: SentMail, recipient: str, number: int, now: datetime) -> bytes:
    """Return a bounce, or a complaint, which has a form of its own."""
    code, name = BOUNCES[kind]
    complaint = kind == "SpamComplaint"
    return _body(
        {
            "RecordType": "SpamComplaint" if complaint else "Bounce",
            "ID": number,
            "Type": kind,
            "TypeCode": 512 if complaint else code,  # as the page of complaints has it
            "Name": name,
            **_about(mail),
            "Description": "",
            "Details": f"smtp;550 {name}",
            "Email": recipient,
            "From": mail.from_.address,
            "BouncedAt": timestamp(now),
            "DumpAvailable": True,
            "Inactive": kind in SUPPRESSING,
            "CanActivate": not complaint,
            "Subject": mail.payload.get("Subject") or "",
        }
    )


def list_change(mail: SentMail | None, address: str, reason: str | None, stream: str, now: datetime) -> bytes:
    """Return a change of the suppression list: by a recipient of that mail, or without one by the account."""
    about: dict[str, Any] = {
        "MessageID": None,
        "ServerID": SERVER_ID,
        "MessageStream": stream,
        "Tag": None,
        "Metadata": {},
    }
    return _body(
        {
            "RecordType": "SubscriptionChange",
            **(about if mail is None else _about(mail)),
            "ChangedAt": timestamp(now),
            "Recipient": address,
            "Origin": "Customer" if mail is None else "Recipient",
            "SuppressSending": reason is not None,
            "SuppressionReason": reason,
        }
    )


def _about(mail: SentMail) -> dict[str, Any]:
    metadata = mail.payload.get("Metadata") or {}
    return {
        "ServerID": SERVER_ID,
        "MessageStream": mail.stream,
        "MessageID": mail.message_id,
        "Tag": mail.payload.get("Tag") or "",
        "Metadata": {
            name: value if isinstance(value, str) else str(value) for name, value in metadata.items()
        },
    }


def _body(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
