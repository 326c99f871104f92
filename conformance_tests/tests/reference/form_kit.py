"""What the form reference declares, its settings and words, and what the suite needs to know of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import attrs

from mailcore import (
    AccountProblem,
    AdapterSpec,
    BounceClass,
    Capability,
    ConfigurationError,
    EventType,
    RecipientRejected,
    RejectReason,
    Secret,
    SenderRejected,
    SendError,
    Support,
    WebhookRequest,
    about,
    check_service_url,
)
from mailcore_conformance import Kit
from reference.json_values import hmac_hex

__all__ = ["BLAMED", "FORMS", "KIT", "KINDS", "NAME", "SPEC", "FormOptions"]

NAME = "reference-form"
DOCS = "https://docs.form-api.example"
API_URL = "https://api.form-api.example/v3"

#: The provider's kinds of events → ours, with the reason and the kind of bounce each stands for.
KINDS: Mapping[str, tuple[EventType, RejectReason | None, BounceClass | None]] = {
    "queued": (EventType.QUEUED, None, None),
    "delivered": (EventType.DELIVERED, None, None),
    "bounce": (EventType.BOUNCED, RejectReason.BOUNCED, BounceClass.HARD),
    "delay": (EventType.DEFERRED, None, BounceClass.SOFT),
    "refused": (EventType.REJECTED, RejectReason.BLOCKED, None),
    "open": (EventType.OPENED, None, None),
    "click": (EventType.CLICKED, None, None),
    "complaint": (EventType.COMPLAINED, None, None),
    "unsubscribe": (EventType.UNSUBSCRIBED, None, None),
}
#: The field the provider finds fault with → whose fault it is.
BLAMED: Mapping[str, type[SendError]] = {
    "to": RecipientRejected,
    "cc": RecipientRejected,
    "bcc": RecipientRejected,
    "from": SenderRejected,
    "account": AccountProblem,
}
#: Field of a delivery → the one form it has; fixed lengths, so that their concatenation has one meaning.
FORMS: Mapping[str, re.Pattern[str]] = {
    "timestamp": re.compile(r"[0-9]{10}"),
    "token": re.compile(r"[0-9a-f]{32}"),
    "signature": re.compile(r"[0-9a-f]{64}"),
}


def _keys(value: Any) -> tuple[Secret, ...] | None:
    """Take one key or several: a list, or one text with commas or spaces between them."""
    if value is None:
        return None
    given = value.replace(",", " ").split() if isinstance(value, str) else value
    keys = (given,) if isinstance(given, Secret) else tuple(Secret(key) for key in given)
    if not keys:
        raise ConfigurationError("webhook_key is empty. Leave it out, or give the key.")
    return keys


def _service(value: Any) -> str:
    return check_service_url(str(value)).rstrip("/")


@attrs.frozen(kw_only=True)
class FormOptions:
    """Settings of the adapter."""

    api_key: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about("Key of the account.", needed_to="send"),
    )
    webhook_key: tuple[Secret, ...] | None = attrs.field(
        default=None,
        converter=_keys,
        metadata=about("Key (or keys) that sign webhooks.", needed_to="receive"),
    )
    api_url: str = attrs.field(
        default=API_URL, converter=_service, metadata=about("Where to send; change it for a sandbox only.")
    )


SPEC = AdapterSpec(
    name=NAME,
    title="Reference (form)",
    factory="reference.form_api:FormAdapter",
    options="reference.form_api:FormOptions",
    capabilities={
        capability: Support(url=f"{DOCS}/{capability.value.partition('.')[0]}")
        for capability in (
            Capability.HTML,
            Capability.CC,
            Capability.BCC,
            Capability.REPLY_TO,
            Capability.MULTIPLE_REPLY_TO,
            Capability.HEADERS,
            Capability.IN_REPLY_TO,
            Capability.REFERENCES,
            Capability.LIST_UNSUBSCRIBE,
            Capability.TAGS,
            Capability.METADATA,
            Capability.SCHEDULE,
            Capability.TRACK_OPENS,
            Capability.TRACK_CLICKS,
            Capability.MESSAGE_ID,
            Capability.WEBHOOK_TRACKING,
            Capability.WEBHOOK_INBOUND,
            Capability.WEBHOOK_SIGNATURE,
            Capability.WEBHOOK_RECIPIENT,
            Capability.INBOUND_ENVELOPE,
        )
    },
    event_types=frozenset({EventType.UNKNOWN, *(row[0] for row in KINDS.values())}),
    conformance_kit="reference.form_api:KIT",
    docs_url=DOCS,
)


def _sign(request: WebhookRequest, *, key: int, at: datetime) -> WebhookRequest:
    """Sign as the provider would: a new token each time, after the fields that are there."""
    body = request.body
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        kept = body  # no form: what is added cannot make it one
    else:
        kept = urlencode([pair for pair in pairs if pair[0] not in FORMS]).encode()
    moment = f"{int(at.timestamp()):010}"
    token = hashlib.sha256(kept + moment.encode()).hexdigest()[:32]
    signature = hmac_hex(f"form-key-{key}", f"{moment}{token}".encode())
    added = urlencode({"timestamp": moment, "token": token, "signature": signature}).encode()
    return attrs.evolve(request, body=kept + b"&" + added if kept else added)


KIT = Kit(
    provider=NAME,
    folder=Path(__file__).parent / "kits" / "form",
    options=lambda secret: {"api_key": secret},
    webhook_options=lambda keys: {"webhook_key": [f"form-key-{key}" for key in keys]},
    sign=_sign,
    signed_fields=("timestamp", "token"),
)
