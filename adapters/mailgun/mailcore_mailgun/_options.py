"""What can be set for Mailgun."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from mailcore import Address, ConfigurationError, InvalidAddress, Secret, about, check_service_url

__all__ = ["MailgunOptions"]

REGIONS = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}

#: Each key costs a forged delivery one verification.
MAX_KEYS = 8


def _region(value: Any) -> str:
    if value not in REGIONS:
        raise ConfigurationError(f"region is 'us' or 'eu', not {value!r}.")
    return str(value)


def _domain(value: Any) -> str:
    try:
        return Address(f"postmaster@{value}").ascii_spec.rpartition("@")[2]
    except InvalidAddress:
        raise ConfigurationError(
            f"domain is the name of a domain at Mailgun, such as 'mg.example.com', not {value!r}."
        ) from None


def _api_url(value: Any) -> str:
    return check_service_url(str(value)).rstrip("/")


def _webhook_keys(value: str | Iterable[str | Secret] | None) -> tuple[Secret, ...]:
    """Take one key, or several in one text or list: a new one beside the old while it is changed."""
    if value is None:
        return ()
    if not isinstance(value, Iterable):
        raise ConfigurationError("webhook_key is a text, or a list of texts.")
    items = value.replace(",", " ").split() if isinstance(value, str) else list(value)
    if not 0 < len(items) <= MAX_KEYS:
        raise ConfigurationError(f"webhook_key holds {len(items)} keys; it takes 1 to {MAX_KEYS}.")
    return tuple(Secret(item) for item in items)


@attrs.frozen(kw_only=True)
class MailgunOptions:
    """Settings of the Mailgun adapter."""

    api_key: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about("API key, or a domain's sending key (Mailgun: API Keys).", needed_to="send"),
    )
    webhook_key: tuple[Secret, ...] = attrs.field(
        default=None,
        converter=_webhook_keys,
        metadata=about(
            "HTTP webhook signing key (or keys, while it is changed) of the account.", needed_to="receive"
        ),
    )
    region: str = attrs.field(
        default="us", converter=_region, metadata=about("Where the domain lives: us or eu.")
    )
    domain: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_domain),
        metadata=about("Domain at Mailgun to send from; unless given, that of the message's sender."),
    )
    api_url: str = attrs.field(
        default=attrs.Factory(lambda self: REGIONS[self.region], takes_self=True),
        converter=_api_url,
        metadata=about("Where the API is; unless given, that of the region. Change it for the sandbox only."),
    )
