"""HMAC-SHA256 over a time and a token (https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks).

Rule 1: the body is not signed. A signature vouches for one token, so a token is good for one delivery.
Rule 2: time and token are signed without anything between them. A time has ten digits, here always, so that
        none of them can be taken for the token's.
Rule 3: whatever is wrong, the caller hears `WebhookRejected` and the sender hears nothing more.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from mailcore import Covers, InvalidDocument, Secret, Verification, WebhookRejected, WebhookRequest

__all__ = ["SIGNED", "is_json", "verify"]

#: Field → its form.
SIGNED: Mapping[str, re.Pattern[str]] = {
    "timestamp": re.compile(r"[0-9]{10}"),
    "token": re.compile(r"[0-9A-Za-z_-]{16,128}"),  # fifty, as documented
    "signature": re.compile(r"[0-9a-f]{64}"),
}
#: By the account above a subaccount, in the form of `signature`.
PARENT = "parent-signature"
#: How far Mailgun's clock may be ahead of ours.
MAX_AHEAD = timedelta(minutes=5)


def verify(request: WebhookRequest, keys: Sequence[Secret], *, now: datetime) -> Verification:
    """
    Return the proof that one of the keys made the signature.

    Raises:
        WebhookRejected: None did, or it is of the future.
    """
    given = _signed(request)
    label = _label(given, keys)
    if label is None:
        raise WebhookRejected("No configured key verifies the signature.")
    signed_at = datetime.fromtimestamp(int(given["timestamp"]), UTC)
    if signed_at - now > MAX_AHEAD:
        raise WebhookRejected("The signature is of the future.")
    return Verification(
        scheme="hmac-sha256-token",
        covers=Covers.TOKEN,
        key=label,
        signed_at=signed_at,
        delivery_id=given["token"],
    )


def is_json(request: WebhookRequest) -> bool:
    """Return whether a body is JSON rather than a form: an event, rather than a mail."""
    return request.body.lstrip()[:1] == b"{"


def _label(given: Mapping[str, str], keys: Sequence[Secret]) -> str | None:
    signed = (given["timestamp"] + given["token"]).encode("ascii")
    for number, key in enumerate(keys, 1):
        made = hmac.new(key.reveal().encode("ascii"), signed, "sha256").hexdigest()
        if any(hmac.compare_digest(made, given[name]) for name in ("signature", PARENT) if name in given):
            return f"key {number}"
    return None


def _signed(request: WebhookRequest) -> dict[str, str]:
    try:
        fields = _block(request) if is_json(request) else _fields(request)
    except InvalidDocument:
        raise WebhookRejected("It is neither JSON nor a form.") from None
    found = {name: fields.get(name, "") for name in SIGNED}
    if PARENT in fields:
        found[PARENT] = fields[PARENT]
    for name, text in found.items():
        if not SIGNED.get(name, SIGNED["signature"]).fullmatch(text):
            raise WebhookRejected(f"{name} is not there exactly once and in its form.")
    return found


def _block(request: WebhookRequest) -> dict[str, str]:
    block: Any = request.json().get("signature")
    if not isinstance(block, dict):
        raise WebhookRejected("There is no signature.")
    # The time is documented as a number and shown as text.
    return {name: value if isinstance(value, str) else repr(value) for name, value in block.items()}


def _fields(request: WebhookRequest) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for part in request.form_parts():
        if part.name in SIGNED or part.name == PARENT:
            found.setdefault(part.name, []).append(part.text)
    return {name: texts[0] if len(texts) == 1 else "" for name, texts in found.items()}
