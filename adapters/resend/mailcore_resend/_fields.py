"""Values of Resend's JSON, whatever type they came in: what is not as documented is absent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from mailcore import Address, InvalidAddress, VerifiedWebhook

__all__ = ["ID", "addresses", "event_id", "table", "text"]

#: The header with Svix's id of a delivery.
ID = "svix-id"


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
    """Return an id that redeliveries share: Svix's for the delivery, or else one of the content."""
    given = webhook.request.headers.get_all(ID)
    if len(given) == 1 and given[0].strip():
        return given[0]
    return hashlib.sha256(webhook.request.body).hexdigest()
