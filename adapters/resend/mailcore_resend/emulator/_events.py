"""Events, as https://resend.com/docs/webhooks/event-types shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mailcore_resend.emulator._mail import SentMail

__all__ = ["WORDS", "event_body", "timestamp"]

#: Resend's kind → what it says beside the mail.
WORDS: Mapping[str, Mapping[str, Any]] = {
    "email.scheduled": {},
    "email.sent": {},
    "email.delivered": {},
    "email.delivery_delayed": {},
    "email.bounced": {
        "bounce": {
            "message": "The recipient's email provider sent a hard bounce message.",
            "subType": "General",
            "type": "Permanent",
        }
    },
    "email.complained": {},
    "email.opened": {},
    "email.clicked": {
        "click": {"link": "https://example.com", "userAgent": "Mozilla/5.0", "ipAddress": "192.0.2.1"}
    },
    "email.failed": {"failed": {"reason": "reached_daily_quota"}},
    "email.suppressed": {
        "suppressed": {
            "message": "Resend has suppressed sending to this address.",
            "type": "OnAccountSuppressionList",
        }
    },
    # No kind of Resend's: how a receiver takes one that is new can be tried with it.
    "email.teleported": {},
}


def timestamp(moment: datetime) -> str:
    """Return a time as Resend writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event_body(mail: SentMail, word: str, now: datetime) -> bytes:
    """Return the JSON of an event of a mail."""
    data = {
        "created_at": timestamp(mail.created_at),
        "email_id": mail.id,
        "from": mail.fields["from"],
        "to": list(mail.to),
        "subject": mail.fields["subject"],
        **WORDS[word],
        **({"tags": mail.tags} if mail.tags else {}),
    }
    return json.dumps({"type": word, "created_at": timestamp(now), "data": data}).encode()
