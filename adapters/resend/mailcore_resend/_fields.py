"""Values of Resend's JSON, whatever type they came in: what is not as documented is absent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from mailcore import Address, InvalidAddress, VerifiedWebhook

__all__ = ["addresses", "event_id", "table", "text"]

#: Headers with the id of a delivery.
_IDS = ("svix-id", "webhook-id")


def table(value: Any) -> Mapping[str, Any]:
    """Return an object, empty where it is none."""
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str:
    """Return a text, empty where it is none."""
    return value if isinstance(value, str) else ""


def addresses(value: Any) -> tuple[str, ...]:
    """Return the bare addresses in a list of texts; what is no address is left out."""
    return tuple(found for one in (value if isinstance(value, list) else ()) if (found := _address(one)))


def _address(value: Any) -> str | None:
    try:
        return Address.parse(text(value)).addr_spec
    except InvalidAddress:
        return None  # the text stays readable in `raw`


def event_id(webhook: VerifiedWebhook) -> str:
    """Return an id that redeliveries share: the signed one, one that is not, or one of the content."""
    given = [one for name in _IDS for one in webhook.request.headers.get_all(name) if one.strip()]
    told = webhook.verification.delivery_id or (given[0] if len(given) == 1 else None)
    return told or hashlib.sha256(webhook.request.body).hexdigest()
