"""Resend for mailcore: this file registers the adapter and imports nothing of it."""

from __future__ import annotations

from collections.abc import Iterable

from mailcore import AdapterSpec, Capability, EventType, Idempotency, Level, Support, hookimpl

_SEND = "https://resend.com/docs/api-reference/emails/send-email"
_KEYS = "https://resend.com/docs/dashboard/emails/idempotency-keys"
_BATCH = "https://resend.com/docs/api-reference/emails/send-batch-emails"
_EVENTS = "https://resend.com/docs/webhooks/event-types"
_VERIFY = "https://resend.com/docs/webhooks/verify-webhooks-requests"
_INBOUND = "https://resend.com/docs/dashboard/receiving/get-email-content"
_RECEIVED = "https://resend.com/docs/api-reference/emails/retrieve-received-email"

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
    Capability.BATCH: Support(limit=100, note="Mail with files goes by itself.", url=_BATCH),
    Capability.MESSAGE_ID: Support(url=_SEND),
    Capability.WEBHOOK_TRACKING: Support(note="One event a delivery.", url=_EVENTS),
    Capability.WEBHOOK_INBOUND: Support(note="The mail is fetched, with a key of full access.", url=_INBOUND),
    Capability.WEBHOOK_SIGNATURE: Support(note="Standard Webhooks.", url=_VERIFY),
    Capability.WEBHOOK_REPLAY_WINDOW: Support(url=_VERIFY),
    Capability.WEBHOOK_RECIPIENT: Support(
        level=Level.LIMITED, note="All of `to`, whichever of them it is about.", url=_EVENTS
    ),
    Capability.INBOUND_RAW: Support(level=Level.LIMITED, note="Where Resend offers it.", url=_RECEIVED),
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
            event_types=frozenset(
                {
                    EventType.QUEUED,
                    EventType.DELIVERED,
                    EventType.DEFERRED,
                    EventType.BOUNCED,
                    EventType.FAILED,
                    EventType.REJECTED,
                    EventType.COMPLAINED,
                    EventType.OPENED,
                    EventType.CLICKED,
                    EventType.UNKNOWN,
                }
            ),
            idempotency=Idempotency(
                ttl=24 * 3600,
                max_length=256,
                compares_payload=True,
                conflict_status=409,
                per_batch=True,
            ),
            emulator="mailcore_resend.emulator:ResendEmulator",
            conformance_kit="mailcore_resend.conformance:KIT",
            docs_url="https://resend.com/docs",
            webhook_headers=("svix-id", "webhook-id"),
        ),
    )
