"""What can be set for Resend."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from typing import Any

import attrs

from mailcore import ConfigurationError, Secret, about, check_service_url

__all__ = ["ResendOptions"]

API_URL = "https://api.resend.com"
PREFIX = "whsec_"
#: Each key costs a forged delivery one verification.
MAX_KEYS = 8


def _api_url(value: Any) -> str:
    return check_service_url(str(value)).rstrip("/")


def _webhook_keys(value: str | Iterable[str | Secret] | None) -> tuple[Secret, ...]:
    """Take one secret, or several in one text or list: each endpoint at Resend has its own."""
    if value is None:
        return ()
    if not isinstance(value, Iterable):
        raise ConfigurationError("webhook_key is a text, or a list of texts.")
    items = value.replace(",", " ").split() if isinstance(value, str) else list(value)
    if not 0 < len(items) <= MAX_KEYS:
        raise ConfigurationError(f"webhook_key holds {len(items)} secrets; it takes 1 to {MAX_KEYS}.")
    return tuple(_webhook_key(item, number) for number, item in enumerate(items, 1))


def _webhook_key(item: str | Secret, number: int) -> Secret:
    secret = Secret(item)
    start, _, encoded = secret.reveal().partition("_")
    try:
        usable = start + "_" == PREFIX and bool(b64decode(encoded, validate=True))
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            f"webhook_key number {number} is not a signing secret: {PREFIX} and base64. Copy it from Resend: "
            "Webhooks, your endpoint, Signing Secret."
        )
    return secret


@attrs.frozen(kw_only=True)
class ResendOptions:
    """Settings of the Resend adapter."""

    api_key: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about("API key (Resend: API Keys); one of full access to receive mail.", needed_to="send"),
    )
    webhook_key: tuple[Secret, ...] = attrs.field(
        default=None,
        converter=_webhook_keys,
        metadata=about(
            "Signing secret of the webhook endpoint (Resend: Webhooks), or several.", needed_to="receive"
        ),
    )
    api_url: str = attrs.field(
        default=API_URL,
        converter=_api_url,
        metadata=about("Where the API is; change it for a stand-in only."),
    )
