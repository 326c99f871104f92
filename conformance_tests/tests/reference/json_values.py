"""The invented provider's words, and how its JSON is read: whatever is not as documented counts as absent."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from mailcore import (
    AccountProblem,
    Address,
    AuthenticationFailed,
    BounceClass,
    EventType,
    InvalidAddress,
    RateLimited,
    RecipientRejected,
    RejectReason,
    SenderRejected,
    SendError,
    SendStatus,
)

__all__ = [
    "BOUNCES",
    "CODES",
    "DELIVERY",
    "DOCS",
    "FORMS",
    "KINDS",
    "NAME",
    "REASONS",
    "REFUSALS",
    "SIGNATURE",
    "STATUSES",
    "TIMESTAMP",
    "TOLERANCE",
    "bare_address",
    "digest",
    "hmac_hex",
    "identifier",
    "table",
    "text",
    "texts",
    "words",
]

NAME = "reference-json"
DOCS = "https://docs.json-api.example"
TIMESTAMP, DELIVERY, SIGNATURE = "X-Json-Timestamp", "X-Json-Delivery", "X-Json-Signature"
#: How far the time of a signature may be from ours.
TOLERANCE = timedelta(minutes=5)
MAX_WORDS = 500
#: A policy, not a limit: longer ones are sent all the same.
MAX_SUBJECT = 200

#: The provider's status of a recipient → ours.
STATUSES: Mapping[str, SendStatus] = {
    "queued": SendStatus.QUEUED,
    "sent": SendStatus.SENT,
    "suppressed": SendStatus.REJECTED,
    "blocked": SendStatus.REJECTED,
    "invalid": SendStatus.INVALID,
    "failed": SendStatus.FAILED,
}
#: The provider's codes that say more than the HTTP status.
CODES: Mapping[str, type[SendError]] = {
    "account_suspended": AccountProblem,
    "invalid_token": AuthenticationFailed,
    "recipient_blocked": RecipientRejected,
    "sender_unverified": SenderRejected,
    "too_many_requests": RateLimited,
}
#: The provider's kinds of events → ours.
KINDS: Mapping[str, EventType] = {
    "accepted": EventType.QUEUED,
    "sent": EventType.SENT,
    "dropped": EventType.REJECTED,
    "errored": EventType.FAILED,
    "bounced": EventType.BOUNCED,
    "deferred": EventType.DEFERRED,
    "delivered": EventType.DELIVERED,
    "autoreplied": EventType.AUTORESPONDED,
    "opened": EventType.OPENED,
    "clicked": EventType.CLICKED,
    "complained": EventType.COMPLAINED,
    "unsubscribed": EventType.UNSUBSCRIBED,
    "subscribed": EventType.SUBSCRIBED,
    "received": EventType.INBOUND,
    "receive_failed": EventType.INBOUND_FAILED,
}
#: The provider's reasons of a refusal → ours; any other text is OTHER.
REASONS: Mapping[str, RejectReason] = {
    "malformed": RejectReason.INVALID,
    "bounced": RejectReason.BOUNCED,
    "expired": RejectReason.TIMED_OUT,
    "blocked": RejectReason.BLOCKED,
    "spam": RejectReason.SPAM,
    "unsubscribed": RejectReason.UNSUBSCRIBED,
}
REFUSALS = (EventType.REJECTED, EventType.BOUNCED, EventType.FAILED)
BOUNCES: Mapping[str, BounceClass] = {"hard": BounceClass.HARD, "soft": BounceClass.SOFT}
#: Header → the one form it has. No dot in an id: it ends there, and so the body begins at one place only.
FORMS: Mapping[str, re.Pattern[str]] = {
    TIMESTAMP: re.compile(r"[1-9][0-9]{0,10}"),
    DELIVERY: re.compile(r"[A-Za-z0-9_-]{1,64}"),
    SIGNATURE: re.compile(r"[0-9a-f]{64}"),
}


def identifier(value: Any) -> str | None:
    """Return an id as text, whether it came as text or as a number; None if it is no id."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    usable = isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable() and value.strip()
    return value if usable else None


def text(value: Any) -> str:
    """Return a text; empty where the value is none."""
    return value if isinstance(value, str) else ""


def texts(value: Any) -> tuple[str, ...]:
    """Return the texts of a list that are not empty."""
    return tuple(filter(None, map(text, value))) if isinstance(value, list) else ()


def words(value: Any) -> str:
    """Return a text as an error may show it: on one line, and not endless."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text(value))[:MAX_WORDS]


def table(value: Any) -> dict[str, Any]:
    """Return an object, or an empty one where the value is none."""
    return value if isinstance(value, dict) else {}


def bare_address(value: Any) -> str | None:
    """Return an address without a name; None where the value is none."""
    try:
        return Address.parse(value).addr_spec if isinstance(value, str) else None
    except InvalidAddress:
        return None


def digest(value: Any) -> str:
    """Return what tells one JSON value from another."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def hmac_hex(key: str, signed: bytes) -> str:
    """Return the signature of some bytes."""
    return hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()
