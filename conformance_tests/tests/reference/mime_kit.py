"""What the MIME reference declares, its settings and words, and what the suite needs to know of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from mailcore import (
    AccountProblem,
    AdapterSpec,
    BounceClass,
    Capability,
    EventType,
    HttpRequest,
    HttpResponse,
    RecipientRejected,
    RejectReason,
    Request,
    Secret,
    SenderRejected,
    SendError,
    Support,
    about,
    check_service_url,
)
from mailcore_conformance import Kit

__all__ = ["CODE", "CODES", "KINDS", "KIT", "MAX_MAIL", "MESSAGE_ID", "NAME", "SPEC", "MimeOptions"]

NAME = "reference-mime"
DOCS = "https://docs.mime-api.example"
API_URL = "https://api.mime-api.example/v1"
MESSAGE_ID, CODE = "X-Message-Id", "X-Error-Code"
#: Most bytes of an incoming mail that are fetched.
MAX_MAIL = 64 * 1024 * 1024

#: The provider's kinds of events → ours, with the reason and the kind of bounce each stands for.
KINDS: Mapping[str, tuple[EventType, RejectReason | None, BounceClass | None]] = {
    "taken": (EventType.QUEUED, None, None),
    "arrived": (EventType.DELIVERED, None, None),
    "returned": (EventType.BOUNCED, RejectReason.BOUNCED, BounceClass.HARD),
    "postponed": (EventType.DEFERRED, None, BounceClass.SOFT),
    "reported": (EventType.COMPLAINED, None, None),
}
#: The provider's codes that say more than the HTTP status.
CODES: Mapping[str, type[SendError]] = {
    "rcpt": RecipientRejected,
    "sender": SenderRejected,
    "account": AccountProblem,
}


def _service(value: Any) -> str:
    return check_service_url(str(value)).rstrip("/")


@attrs.frozen(kw_only=True)
class MimeOptions:
    """Settings of the adapter."""

    api_key: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about("Token of the account; it also fetches incoming mail.", needed_to="send"),
    )
    api_url: str = attrs.field(
        default=API_URL, converter=_service, metadata=about("Where to send; change it for a sandbox only.")
    )


SPEC = AdapterSpec(
    name=NAME,
    title="Reference (MIME)",
    factory="reference.mime_api:MimeAdapter",
    options="reference.mime_api:MimeOptions",
    capabilities={
        capability: Support(url=f"{DOCS}/{capability.value.partition('.')[0]}")
        for capability in (
            Capability.HTML,
            Capability.AMP_HTML,
            Capability.CC,
            Capability.BCC,
            Capability.MULTIPLE_FROM,
            Capability.REPLY_TO,
            Capability.MULTIPLE_REPLY_TO,
            Capability.HEADERS,
            Capability.IN_REPLY_TO,
            Capability.REFERENCES,
            Capability.LIST_UNSUBSCRIBE,
            Capability.ATTACHMENTS,
            Capability.INLINE_IMAGES,
            Capability.ENVELOPE_SENDER,
            Capability.MESSAGE_ID,
            Capability.WEBHOOK_TRACKING,
            Capability.WEBHOOK_INBOUND,
            Capability.WEBHOOK_RECIPIENT,
            Capability.INBOUND_RAW,
            Capability.INBOUND_ENVELOPE,
        )
    },
    event_types=frozenset({EventType.UNKNOWN, *(row[0] for row in KINDS.values())}),
    conformance_kit="reference.mime_api:KIT",
    docs_url=DOCS,
)

_FOLDER = Path(__file__).parent / "kits" / "mime"
#: What the provider's store keeps: id → mail. It is read now: a check forbids files while it looks.
_STORED: Mapping[str, str] = json.loads((_FOLDER / "stored.json").read_text(encoding="utf-8"))


def _answer(request: Request) -> HttpResponse:
    """Answer as the provider's store would."""
    url = request.url if isinstance(request, HttpRequest) else ""
    mail = _STORED.get(url.removeprefix(f"{API_URL}/stored/"))
    if mail is None:
        return HttpResponse(status=404)
    return HttpResponse(status=200, headers=[("Content-Type", "message/rfc822")], body=mail.encode())


KIT = Kit(provider=NAME, folder=_FOLDER, options=lambda secret: {"api_key": secret}, answer=_answer)
