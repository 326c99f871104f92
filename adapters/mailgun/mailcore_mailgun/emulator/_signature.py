"""How Mailgun signs a webhook: HMAC-SHA256 of a time and a token of 50 letters, without anything between."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

__all__ = ["signed"]


def signed(key: str, number: int, now: datetime) -> dict[str, str]:
    """Return time, token and signature of the delivery of that number."""
    timestamp = str(int(now.timestamp()))
    token = hashlib.sha256(f"mailgun-emulator {number}".encode()).hexdigest()[:50]
    made = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256)
    return {"timestamp": timestamp, "token": token, "signature": made.hexdigest()}
