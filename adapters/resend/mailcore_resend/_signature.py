"""HMAC-SHA256 by Standard Webhooks (https://resend.com/docs/webhooks/verify-webhooks-requests).

Rule 1: strict. Each header once, in its form: an id has no dot, so what is signed, `id.timestamp.body`, can
        be read one way only. The names are Svix's; where none of them is there, those of the standard
        (https://docs.svix.com/receiving/verifying-payloads/how-manual).
Rule 2: of several signatures, one must match. What is compared is the text that we make, in constant time.
Rule 3: whatever is wrong, the caller hears `WebhookRejected` and the sender hears nothing more.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from mailcore import Covers, Secret, Verification, WebhookRejected, WebhookRequest
from mailcore_resend._options import PREFIX

__all__ = ["verify"]

#: How far Resend's clock may be ahead of ours.
MAX_AHEAD = timedelta(minutes=5)
#: A signature; others than `v1` are of schemes to come.
_ONE = r"v[0-9a-z]{1,8},[A-Za-z0-9+/=]{1,128}"
#: How a header's name ends → its form.
_FORMS: Mapping[str, re.Pattern[str]] = {
    "id": re.compile(r"[A-Za-z0-9_-]{1,256}"),
    "timestamp": re.compile(r"[0-9]{10}"),
    "signature": re.compile(rf"{_ONE}(?: {_ONE}){{0,15}}"),
}


def verify(request: WebhookRequest, keys: Sequence[Secret], *, now: datetime) -> Verification:
    """
    Return the proof that one of the keys made one of the signatures.

    Raises:
        WebhookRejected: None did, or it is of the future.
    """
    ours = any(f"svix-{end}" in request.headers for end in _FORMS)
    delivery_id, timestamp, signatures = (
        _header(request, f"{'svix' if ours else 'webhook'}-{end}", form) for end, form in _FORMS.items()
    )
    signed = f"{delivery_id}.{timestamp}.".encode("ascii") + request.body
    for number, key in enumerate(keys, 1):
        made = hmac.new(b64decode(key.reveal().removeprefix(PREFIX)), signed, "sha256").digest()
        text = "v1," + b64encode(made).decode("ascii")
        if any(hmac.compare_digest(text, given) for given in signatures.split(" ")):
            signed_at = datetime.fromtimestamp(int(timestamp), UTC)
            if signed_at - now > MAX_AHEAD:
                raise WebhookRejected("The signature is of the future.")
            return Verification(
                scheme="standard-webhooks",
                covers=Covers.BODY,
                key=f"key {number}",
                signed_at=signed_at,
                delivery_id=delivery_id,
            )
    raise WebhookRejected("No configured key verifies the signature.")


def _header(request: WebhookRequest, name: str, form: re.Pattern[str]) -> str:
    given = request.headers.get_all(name)
    if len(given) != 1 or not form.fullmatch(given[0]):
        raise WebhookRejected(f"{name} is not there exactly once and in its form.")
    return given[0]
