"""The body of an event webhook.

MailPace docs: `{"event": "email.X", "payload": {...}}`, one per mail and not per recipient, with the
full bodies of the mail; times are ISO 8601 with milliseconds and a `Z`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from mailcore_mailpace.emulator._mail import SentMail

__all__ = ["event_body"]

#: Fields that are in the event exactly as they were in the send; null where they were absent.
COPIED = ("from", "to", "htmlbody", "textbody", "cc", "bcc", "subject", "replyto", "list_unsubscribe")


def event_body(mail: SentMail, domain_id: int) -> bytes:
    """Return the event that tells the mail's present status."""
    payload = {
        "status": mail.status,
        "id": mail.id,
        "domain_id": domain_id,
        "created_at": _timestamp(mail.created_at),
        "updated_at": _timestamp(mail.updated_at),
        **_copied(mail.payload),
        "message_id": mail.message_id,
        "tags": list(mail.tags) or None,
    }
    document = {"event": f"email.{mail.status}", "payload": payload}
    return json.dumps(document, ensure_ascii=False).encode()


def _copied(payload: Mapping[str, object]) -> dict[str, object]:
    return {name: payload.get(name) or None for name in COPIED}


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
