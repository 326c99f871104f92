"""What the JSON reference declares, its settings, and what the suite needs to know of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import attrs

from mailcore import (
    AdapterSpec,
    Capability,
    ConfigurationError,
    EventType,
    Idempotency,
    Level,
    Secret,
    Support,
    WebhookRequest,
    about,
    check_service_url,
)
from mailcore_conformance import Kit
from reference.json_values import DELIVERY, DOCS, FORMS, KINDS, NAME, SIGNATURE, TIMESTAMP, hmac_hex

__all__ = ["KIT", "SPEC", "JsonOptions"]

API_URL = "https://api.json-api.example/v1"


def _keys(value: Any) -> tuple[Secret, ...] | None:
    """Take one key or several: a list, or one text with commas or spaces between them."""
    if value is None:
        return None
    given = value.replace(",", " ").split() if isinstance(value, str) else value
    listed = given if isinstance(given, list | tuple) else [given]
    keys = tuple(Secret(key) for key in listed)
    if not keys:
        raise ConfigurationError("webhook_key is empty. Leave it out, or give the key.")
    return keys


def _service(value: Any) -> str:
    return check_service_url(str(value)).rstrip("/")


@attrs.frozen(kw_only=True)
class JsonOptions:
    """Settings of the adapter."""

    api_key: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about("Token of the account.", needed_to="send"),
    )
    webhook_key: tuple[Secret, ...] | None = attrs.field(
        default=None,
        converter=_keys,
        metadata=about("Key (or keys) that sign webhooks.", needed_to="receive"),
    )
    api_url: str = attrs.field(
        default=API_URL, converter=_service, metadata=about("Where to send; change it for a sandbox only.")
    )


_LIMITS = {
    Capability.TAGS: 10,
    Capability.IDEMPOTENCY_KEY: 64,
    Capability.BATCH: 3,
    Capability.METADATA: 20,
}

SPEC = AdapterSpec(
    name=NAME,
    title="Reference (JSON)",
    factory="reference.json_api:JsonAdapter",
    options="reference.json_api:JsonOptions",
    capabilities={
        capability: Support(
            level=Level.LIMITED if capability in _LIMITS else Level.FULL,
            limit=_LIMITS.get(capability),
            url=f"{DOCS}/{capability.value.partition('.')[0]}",
        )
        for capability in Capability
    },
    event_types=frozenset({*KINDS.values(), EventType.UNKNOWN}),
    idempotency=Idempotency(ttl=3600, max_length=64, conflict_status=409, per_batch=True),
    emulator="reference.json_emulator:JsonEmulator",
    conformance_kit="reference.json_api:KIT",
    docs_url=DOCS,
)


def _sign(request: WebhookRequest, *, key: int, at: datetime) -> WebhookRequest:
    """Sign as the provider would; a delivery that has an id keeps it."""
    delivery = request.headers.get(DELIVERY, "delivery-0")
    moment = str(int(at.timestamp()))
    signature = hmac_hex(f"reference-key-{key}", f"{moment}.{delivery}.".encode() + request.body)
    ours = {name.lower() for name in FORMS}
    kept = [(name, value) for name, value in request.headers.pairs if name.lower() not in ours]
    signed = [(TIMESTAMP, moment), (DELIVERY, delivery), (SIGNATURE, signature)]
    return attrs.evolve(request, headers=[*kept, *signed])


KIT = Kit(
    provider=NAME,
    folder=Path(__file__).parent / "kits" / "json",
    options=lambda secret: {"api_key": secret},
    webhook_options=lambda keys: {"webhook_key": [f"reference-key-{key}" for key in keys]},
    sign=_sign,
)
