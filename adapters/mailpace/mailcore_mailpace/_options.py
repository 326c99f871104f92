"""What can be set for MailPace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from mailcore import ConfigurationError, Secret, about, check_service_url
from mailcore_mailpace._base64 import decoded

__all__ = ["MailPaceOptions", "WebhookKey"]

API_URL = "https://app.mailpace.com/api/v1/send"

#: Each key costs a forged delivery one verification; a receiver for more domains is two receivers.
MAX_KEYS = 32

_BOUND_KEY = re.compile(r"(?:(?P<domain>[0-9]{1,20}):)?(?P<key>\S+)")


@attrs.frozen(kw_only=True)
class WebhookKey:
    """
    The public key of one domain.

    Attributes:
        key: 32 raw bytes.
        domain_id: The only domain whose events it may sign; None: any.
        label: What verified events name it by.
    """

    key: bytes = attrs.field(repr=False)
    domain_id: int | None
    label: str


def _webhook_keys(value: str | Iterable[str] | Mapping[str, str] | None) -> tuple[WebhookKey, ...]:
    """Take one key, several in one text or list, or `{domain id: key}`; `ID:KEY` binds a key."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        items = [f"{domain}:{key}" for domain, key in value.items()]
    else:
        items = value.replace(",", " ").split() if isinstance(value, str) else _list(value)
    if len(items) > MAX_KEYS:
        raise ConfigurationError(f"webhook_key holds {len(items)} keys; at most {MAX_KEYS} are tried.")
    if not items:
        raise ConfigurationError("webhook_key is empty. Leave it out, or give the domain's public key.")
    return tuple(_webhook_key(item, number) for number, item in enumerate(items, 1))


def _list(value: Any) -> list[Any]:
    if not isinstance(value, Iterable):
        raise ConfigurationError("webhook_key is a text, a list of texts, or a table of domain id and key.")
    return list(value)


def _webhook_key(item: object, number: int) -> WebhookKey:
    match = _BOUND_KEY.fullmatch(item.strip()) if isinstance(item, str) else None
    if match is None:
        raise ConfigurationError(f"webhook_key number {number} is not of the form KEY or DOMAIN_ID:KEY.")
    domain = int(match["domain"]) if match["domain"] else None
    label = f"domain {domain}" if domain is not None else f"key {number}"
    return WebhookKey(key=_decode(match["key"], number), domain_id=domain, label=label)


def _decode(text: str, number: int) -> bytes:
    key = decoded(text, length=32)
    if key is None:
        raise ConfigurationError(
            f"webhook_key number {number} is not a public key: 44 characters of base64. Copy it from "
            "MailPace: your domain, Webhooks, Public Key Verification."
        )
    return key


def _api_url(value: Any) -> str:
    return check_service_url(str(value))


@attrs.frozen(kw_only=True)
class MailPaceOptions:
    """Settings of the MailPace adapter."""

    api_key: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about(
            "API token of the sending domain (MailPace: your domain, API Tokens).", needed_to="send"
        ),
    )
    webhook_key: tuple[WebhookKey, ...] = attrs.field(
        default=None,
        converter=_webhook_keys,
        metadata=about(
            "Public key (or keys) that sign webhooks; DOMAIN_ID:KEY binds one to a domain.",
            needed_to="receive",
        ),
    )
    api_url: str = attrs.field(
        default=API_URL, converter=_api_url, metadata=about("Where to send; change it for the sandbox only.")
    )
