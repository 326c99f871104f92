"""MailPace for mailcore: this file registers the adapter and imports nothing of it."""

from __future__ import annotations

from collections.abc import Iterable

from mailcore import AdapterSpec, Capability, EventType, Idempotency, Level, Support, hookimpl

_SEND = "https://docs.mailpace.com/reference/send"
_RESPONSES = "https://docs.mailpace.com/reference/responses"
_IDEMPOTENT = "https://docs.mailpace.com/guide/idempotency"
_EVENTS = "https://docs.mailpace.com/guide/webhooks"
_INBOUND = "https://docs.mailpace.com/guide/inbound"

_NO_TRACKING = Support(
    level=Level.UNSUPPORTED,
    note="MailPace does not track opens or clicks and says it never will.",
    url=_EVENTS,  # its list of events has neither
)

_CAPABILITIES = {
    Capability.HTML: Support(url=_SEND),
    Capability.CC: Support(url=_SEND),
    Capability.BCC: Support(url=_SEND),
    Capability.REPLY_TO: Support(level=Level.LIMITED, note="One address.", url=_SEND),
    Capability.IN_REPLY_TO: Support(url=_SEND),
    Capability.REFERENCES: Support(url=_SEND),
    Capability.LIST_UNSUBSCRIBE: Support(url=_SEND),
    Capability.ATTACHMENTS: Support(
        level=Level.LIMITED, note="MailPace accepts a list of file extensions.", url=_SEND
    ),
    Capability.INLINE_IMAGES: Support(url=_SEND),
    Capability.TAGS: Support(url=_SEND),
    Capability.TRACK_OPENS: _NO_TRACKING,
    Capability.TRACK_CLICKS: _NO_TRACKING,
    Capability.IDEMPOTENCY_KEY: Support(limit=255, note="Remembered for 24 hours.", url=_IDEMPOTENT),
    Capability.MESSAGE_ID: Support(url=_RESPONSES),
    Capability.WEBHOOK_TRACKING: Support(note="One event a mail, not one a recipient.", url=_EVENTS),
    Capability.WEBHOOK_INBOUND: Support(url=_INBOUND),
    Capability.WEBHOOK_SIGNATURE: Support(note="Ed25519, one key pair a domain.", url=_EVENTS),
    Capability.INBOUND_RAW: Support(url=_INBOUND),
}


@hookimpl
def mailcore_register_adapters() -> Iterable[AdapterSpec]:
    """Offer `mailpace`."""
    return (
        AdapterSpec(
            name="mailpace",
            title="MailPace",
            factory="mailcore_mailpace._adapter:MailPaceAdapter",
            options="mailcore_mailpace._options:MailPaceOptions",
            capabilities=_CAPABILITIES,
            event_types=frozenset(
                {
                    EventType.QUEUED,
                    EventType.DELIVERED,
                    EventType.DEFERRED,
                    EventType.BOUNCED,
                    EventType.REJECTED,
                    EventType.UNKNOWN,
                }
            ),
            idempotency=Idempotency(ttl=24 * 3600, max_length=255),
            emulator="mailcore_mailpace.emulator:MailPaceEmulator",
            conformance_kit="mailcore_mailpace.conformance:KIT",
            docs_url="https://docs.mailpace.com",
            webhook_headers=("X-MailPace-Signature",),
        ),
    )
