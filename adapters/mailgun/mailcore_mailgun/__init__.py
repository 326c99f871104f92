"""Mailgun for mailcore: this file registers the adapter and imports nothing of it."""

from __future__ import annotations

from collections.abc import Iterable

from mailcore import AdapterSpec, Capability, EventType, Level, Support, hookimpl

_DOCS = "https://documentation.mailgun.com/docs/mailgun"
_MESSAGES = f"{_DOCS}/api-reference/send/mailgun/messages"
_MANUAL = f"{_DOCS}/user-manual"
_BATCH = f"{_MANUAL}/sending-messages/batch-sending"
_FILES = f"{_MANUAL}/sending-messages/send-attachments"
_TEMPLATES = f"{_MANUAL}/sending-messages/send-templates"
_OPTIONS = f"{_MANUAL}/sending-messages/pass-sending-options"
_TAGS = f"{_MANUAL}/tracking-messages/track-tagging"
_PAYLOADS = f"{_MANUAL}/webhooks/webhook-payloads"
_SECURING = f"{_MANUAL}/webhooks/securing-webhooks"
_RECEIVE = f"{_MANUAL}/receive-forward-store/receive-http"

_CAPABILITIES = {
    **dict.fromkeys(
        (
            *(Capability.HTML, Capability.AMP_HTML, Capability.CC, Capability.BCC),
            *(Capability.REPLY_TO, Capability.MULTIPLE_REPLY_TO, Capability.HEADERS),
            *(Capability.IN_REPLY_TO, Capability.REFERENCES, Capability.LIST_UNSUBSCRIBE),
            Capability.MESSAGE_ID,
        ),
        Support(url=_MESSAGES),
    ),
    Capability.ATTACHMENTS: Support(url=_FILES),
    Capability.INLINE_IMAGES: Support(url=_FILES),
    Capability.TAGS: Support(note="Mailgun documents at most three.", url=_TAGS),
    Capability.METADATA: Support(note="Comes back as text; recipients can see it.", url=_FILES),
    Capability.TEMPLATE: Support(url=_TEMPLATES),
    Capability.MERGE_DATA: Support(note="At most 1,000 recipients.", url=_BATCH),
    Capability.MERGE_METADATA: Support(url=_BATCH),
    Capability.MERGE_HEADERS: Support(url=_BATCH),
    Capability.MERGE_GLOBAL_DATA: Support(
        level=Level.LIMITED, note="With a template, a batch or one recipient.", url=_BATCH
    ),
    Capability.SCHEDULE: Support(note="3 or 7 days ahead, by plan.", url=_MESSAGES),
    Capability.TRACK_OPENS: Support(url=_OPTIONS),
    Capability.TRACK_CLICKS: Support(url=_OPTIONS),
    Capability.WEBHOOK_TRACKING: Support(url=_PAYLOADS),
    Capability.WEBHOOK_RECIPIENT: Support(url=_PAYLOADS),
    Capability.WEBHOOK_SIGNATURE: Support(note="Of a time and a token, not of the body.", url=_SECURING),
    Capability.WEBHOOK_REPLAY_WINDOW: Support(url=_SECURING),
    Capability.WEBHOOK_INBOUND: Support(url=_RECEIVE),
    Capability.INBOUND_RAW: Support(
        level=Level.LIMITED, note="Where the route's URL ends in `mime`.", url=_RECEIVE
    ),
    Capability.INBOUND_ENVELOPE: Support(url=_RECEIVE),
}


@hookimpl
def mailcore_register_adapters() -> Iterable[AdapterSpec]:
    """Offer `mailgun`."""
    return (
        AdapterSpec(
            name="mailgun",
            title="Mailgun",
            factory="mailcore_mailgun._adapter:MailgunAdapter",
            options="mailcore_mailgun._options:MailgunOptions",
            capabilities=_CAPABILITIES,
            event_types=frozenset(
                {
                    EventType.QUEUED,
                    EventType.REJECTED,
                    EventType.DELIVERED,
                    EventType.DEFERRED,
                    EventType.BOUNCED,
                    EventType.FAILED,
                    EventType.OPENED,
                    EventType.CLICKED,
                    EventType.UNSUBSCRIBED,
                    EventType.COMPLAINED,
                    EventType.INBOUND,
                    EventType.UNKNOWN,
                }
            ),
            emulator="mailcore_mailgun.emulator:MailgunEmulator",
            conformance_kit="mailcore_mailgun.conformance:KIT",
            docs_url=_DOCS,
        ),
    )
