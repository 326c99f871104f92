"""Resend for mailcore: this file registers the adapter and imports nothing of it."""

from __future__ import annotations

from collections.abc import Iterable

from mailcore import AdapterSpec, Capability, Idempotency, Level, Support, hookimpl

_SEND = "https://resend.com/docs/api-reference/emails/send-email"
_KEYS = "https://resend.com/docs/dashboard/emails/idempotency-keys"
_BATCH = "https://resend.com/docs/api-reference/emails/send-batch-emails"

_HEADER = Support(note="As a header of that name.", url=_SEND)

_CAPABILITIES = {
    Capability.HTML: Support(url=_SEND),
    Capability.CC: Support(url=_SEND),
    Capability.BCC: Support(url=_SEND),
    Capability.REPLY_TO: Support(url=_SEND),
    Capability.MULTIPLE_REPLY_TO: Support(url=_SEND),
    Capability.HEADERS: Support(url=_SEND),
    Capability.IN_REPLY_TO: _HEADER,
    Capability.REFERENCES: _HEADER,
    Capability.LIST_UNSUBSCRIBE: _HEADER,
    Capability.ATTACHMENTS: Support(note="Of the type that the name promises.", url=_SEND),
    Capability.INLINE_IMAGES: Support(url=_SEND),
    Capability.TAGS: Support(
        level=Level.UNSUPPORTED, note="Resend's tags are pairs: give them as metadata.", url=_SEND
    ),
    Capability.METADATA: Support(
        level=Level.LIMITED,
        note="As Resend's tags: ASCII letters, digits, `_` and `-`; values come back as text.",
        url=_SEND,
    ),
    Capability.TEMPLATE: Support(level=Level.NOT_IMPLEMENTED, url=_SEND),
    Capability.MERGE_GLOBAL_DATA: Support(level=Level.NOT_IMPLEMENTED, url=_SEND),
    Capability.SCHEDULE: Support(url=_SEND),
    Capability.IDEMPOTENCY_KEY: Support(limit=256, note="For 24 hours.", url=_KEYS),
    Capability.BATCH: Support(level=Level.NOT_IMPLEMENTED, url=_BATCH),
    Capability.MESSAGE_ID: Support(url=_SEND),
}


@hookimpl
def mailcore_register_adapters() -> Iterable[AdapterSpec]:
    """Offer `resend`."""
    return (
        AdapterSpec(
            name="resend",
            title="Resend",
            factory="mailcore_resend._adapter:ResendAdapter",
            options="mailcore_resend._options:ResendOptions",
            capabilities=_CAPABILITIES,
            idempotency=Idempotency(
                ttl=24 * 3600,
                max_length=256,
                compares_payload=True,
                conflict_status=409,
            ),
            conformance_kit="mailcore_resend.conformance:KIT",
            docs_url="https://resend.com/docs",
        ),
    )
