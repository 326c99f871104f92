"""The `event-data` of an event webhook: one recipient each, with the fields that kind of event has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mailcore_mailgun.emulator._mail import Mailbox, SentMail

__all__ = ["WORDS", "event_data"]

_CLIENT = {
    "ip": "192.0.2.7",
    "geolocation": {"country": "US", "region": "TX", "city": "Austin"},
    "client-info": {
        "client-type": "browser",
        "client-os": "Linux",
        "device-type": "desktop",
        "client-name": "Firefox",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0",
    },
}


def _status(
    code: int, message: str, description: str = "", more: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    status = {"attempt-no": 1, "code": code, "message": message, "description": description, **(more or {})}
    return {"delivery-status": status}


def _failed(severity: str, reason: str, level: str, status: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"event": "failed", "severity": severity, "reason": reason, "log-level": level, **status}


_BOUNCE = _failed(
    "permanent",
    "bounce",
    "error",
    _status(
        550, "5.1.1 The email account that you tried to reach does not exist", more={"enhanced-code": "5.1.1"}
    ),
)
#: What can happen to a mail, by Mailgun's word for the event or for its webhook → the fields of that kind.
WORDS: Mapping[str, Mapping[str, Any]] = {
    "accepted": {"event": "accepted", "method": "HTTP"},
    "delivered": {"event": "delivered", **_status(250, "OK")},
    "failed": _BOUNCE,
    "permanent_fail": _BOUNCE,
    "temporary_fail": _failed(
        "temporary", "generic", "warn", _status(450, "4.7.1 Try again later", more={"retry-seconds": 600})
    ),
    "rejected": {
        "event": "rejected",
        "log-level": "warn",
        "reject": {"reason": "Rejected", "description": ""},
    },
    "opened": {"event": "opened", **_CLIENT},
    "clicked": {"event": "clicked", "url": "https://example.com/", **_CLIENT},
    "unsubscribed": {"event": "unsubscribed", **_CLIENT},
    "complained": {"event": "complained", "log-level": "warn"},
    # No word of Mailgun's: how a receiver takes one that is new can be tried with it.
    "teleported": {"event": "teleported"},
    # Not words of a webhook: what Mailgun does by itself.
    "test mode": {"event": "delivered", **_status(650, "", "Test mode")},
    "bounced before": _failed(
        "permanent",
        "suppress-bounce",
        "error",
        _status(605, "", "Not delivering to previously bounced address"),
    ),
    "unsubscribed before": _failed(
        "permanent",
        "suppress-unsubscribe",
        "error",
        _status(606, "", "Not delivering to unsubscribed address"),
    ),
    "complained before": _failed(
        "permanent",
        "suppress-complaint",
        "error",
        _status(607, "", "Not delivering to a user who marked your messages as spam"),
    ),
}


def event_data(mail: SentMail, recipient: Mailbox, word: str, number: int, now: datetime) -> dict[str, Any]:
    """Return what the webhook says of one event."""
    engaged = WORDS[word]["event"] in ("opened", "clicked", "unsubscribed")
    shown = {} if engaged else {"to": recipient.address, "from": mail.sender.address, "subject": mail.subject}
    return {
        "account": {"id": "1234567890303a4bd1f33898"},
        "domain": {"name": mail.domain},
        "id": f"emulated-{number:012}",
        "timestamp": now.timestamp(),
        "log-level": "info",
        "recipient": recipient.address,
        "recipient-domain": recipient.address.rpartition("@")[2],
        "tags": list(mail.tags),
        "user-variables": _personal(mail, recipient),
        "campaigns": [],
        "flags": {"is-authenticated": True, "is-test-mode": mail.test_mode},
        # The id has no brackets here.
        "message": {"headers": {"message-id": mail.id.strip("<>"), **shown}},
        **WORDS[word],
    }


def _personal(mail: SentMail, recipient: Mailbox) -> dict[str, Any]:
    return {
        name: mail.personal(value, recipient.address) if isinstance(value, str) else value
        for name, value in mail.variables.items()
    }
