"""What the multipart reference declares, its settings and words, and what the suite needs to know of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs

from mailcore import (
    AccountProblem,
    AdapterSpec,
    BounceClass,
    Capability,
    ConfigurationError,
    EventType,
    HttpRequest,
    HttpResponse,
    InvalidDocument,
    Level,
    RecipientRejected,
    RejectReason,
    Request,
    Secret,
    SenderRejected,
    SendError,
    Support,
    WebhookRequest,
    about,
    check_service_url,
    strict_json,
)
from mailcore_conformance import Kit
from reference.json_values import hmac_hex, table

__all__ = [
    "CODES",
    "KINDS",
    "KIT",
    "NAME",
    "SALT_URL",
    "SIGNATURE",
    "SIGNED",
    "SPEC",
    "MultipartOptions",
    "signature",
]

NAME = "reference-multipart"
DOCS = "https://docs.multipart-api.example"
API_URL = "https://api.multipart-api.example/mail"
#: Where the provider publishes what today's signatures are made with, beside the key.
SALT_URL = "https://keys.multipart-api.example/current"
SIGNATURE = "X-Multipart-Signature"
#: The fields under the signature, in their order there.
SIGNED = ("id", "type", "message", "at")

#: The provider's kinds of events → ours, with the reason and the kind of bounce each stands for.
KINDS: Mapping[str, tuple[EventType, RejectReason | None, BounceClass | None]] = {
    "mail.sent": (EventType.SENT, None, None),
    "mail.delivered": (EventType.DELIVERED, None, None),
    "mail.returned": (EventType.BOUNCED, RejectReason.INVALID, BounceClass.HARD),
    "mail.waiting": (EventType.DEFERRED, None, BounceClass.SOFT),
    "mail.failed": (EventType.FAILED, RejectReason.TIMED_OUT, None),
    "mail.opened": (EventType.OPENED, None, None),
    "mail.complained": (EventType.COMPLAINED, None, None),
}
#: The provider's codes that say more than the HTTP status.
CODES: Mapping[str, type[SendError]] = {
    "bad_recipient": RecipientRejected,
    "bad_sender": SenderRejected,
    "no_credit": AccountProblem,
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
class MultipartOptions:
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


def signature(key: str, salt: str, fields: Iterable[str]) -> str:
    """Return the signature of some fields; no field holds the separator."""
    return hmac_hex(key, "|".join([salt, *fields]).encode())


_LIMITED = {
    Capability.REPLY_TO: Support(level=Level.LIMITED, note="One address.", url=f"{DOCS}/send"),
    Capability.TAGS: Support(level=Level.LIMITED, limit=1, url=f"{DOCS}/send"),
}

SPEC = AdapterSpec(
    name=NAME,
    title="Reference (multipart)",
    factory="reference.multipart_api:MultipartAdapter",
    options="reference.multipart_api:MultipartOptions",
    capabilities={
        capability: _LIMITED.get(capability, Support(url=f"{DOCS}/{capability.value.partition('.')[0]}"))
        for capability in (
            Capability.HTML,
            Capability.CC,
            Capability.BCC,
            Capability.REPLY_TO,
            Capability.ATTACHMENTS,
            Capability.INLINE_IMAGES,
            Capability.TAGS,
            Capability.TEMPLATE,
            Capability.MERGE_DATA,
            Capability.MERGE_GLOBAL_DATA,
            Capability.MESSAGE_ID,
            Capability.WEBHOOK_TRACKING,
            Capability.WEBHOOK_SIGNATURE,
            Capability.WEBHOOK_RECIPIENT,
        )
    },
    event_types=frozenset({EventType.UNKNOWN, *(row[0] for row in KINDS.values())}),
    conformance_kit="reference.multipart_api:KIT",
    docs_url=DOCS,
)

_SALT = "2030-01-02:7c1f9a54"


def _sign(request: WebhookRequest, *, key: int, at: datetime) -> WebhookRequest:
    """Sign as the provider would; its signature holds no time."""
    try:
        document = table(strict_json(request.body))
    except InvalidDocument:
        document = {}
    fields = [str(document.get(name, "")) for name in SIGNED]
    kept = [(name, value) for name, value in request.headers.pairs if name.lower() != SIGNATURE.lower()]
    made = signature(f"multipart-key-{key}", _SALT, fields)
    return attrs.evolve(request, headers=[*kept, (SIGNATURE, made)])


def _answer(request: Request) -> HttpResponse:
    """Answer as the provider's key server would."""
    if isinstance(request, HttpRequest) and request.url == SALT_URL:
        return HttpResponse(status=200, body=json.dumps({"salt": _SALT}).encode())
    return HttpResponse(status=404)


KIT = Kit(
    provider=NAME,
    folder=Path(__file__).parent / "kits" / "multipart",
    options=lambda secret: {"api_key": secret},
    webhook_options=lambda keys: {"webhook_key": [f"multipart-key-{key}" for key in keys]},
    sign=_sign,
    signed_fields=SIGNED,
    answer=_answer,
)
