"""Postmark for mailcore: this file registers the adapter and imports nothing of it."""

from __future__ import annotations

from collections.abc import Iterable

from mailcore import AdapterSpec, Capability, EventType, Level, Support, hookimpl

_SEND = "https://postmarkapp.com/developer/api/email-api"
_GUIDE = "https://postmarkapp.com/developer/user-guide/send-email-with-api"
_BATCH = "https://postmarkapp.com/developer/user-guide/send-email-with-api/batch-emails"
_TEMPLATES = "https://postmarkapp.com/developer/api/templates-api"
_METADATA = "https://postmarkapp.com/support/article/1125-custom-metadata-faq"
_INACTIVE = "https://github.com/ActiveCampaign/postmark.js/issues/87"
_REPLY_TO = "https://github.com/anymail/django-anymail/blob/main/tests/test_postmark_integration.py"
_WEBHOOKS = "https://postmarkapp.com/developer/webhooks/webhooks-overview"
_INBOUND = "https://postmarkapp.com/developer/webhooks/inbound-webhook"
_PARSE = "https://postmarkapp.com/developer/user-guide/inbound/parse-an-email"

_HEADER = Support(note="As a header of that name.", url=_SEND)
_OF_TEMPLATES = Support(
    level=Level.LIMITED, note="In a template; Postmark fills in no other mail.", url=_TEMPLATES
)

_CAPABILITIES = {
    Capability.HTML: Support(url=_SEND),
    Capability.CC: Support(url=_SEND),
    Capability.BCC: Support(url=_SEND),
    Capability.REPLY_TO: Support(url=_SEND),
    Capability.MULTIPLE_REPLY_TO: Support(
        note="Seen to be taken; Postmark's page speaks of one.", url=_REPLY_TO
    ),
    Capability.HEADERS: Support(url=_SEND),
    Capability.IN_REPLY_TO: _HEADER,
    Capability.REFERENCES: _HEADER,
    Capability.LIST_UNSUBSCRIBE: _HEADER,
    Capability.ATTACHMENTS: Support(url=_GUIDE),
    Capability.INLINE_IMAGES: Support(url=_GUIDE),
    Capability.TAGS: Support(limit=1, note="One tag.", url=_METADATA),
    Capability.METADATA: Support(level=Level.LIMITED, note="Values come back as text.", url=_METADATA),
    Capability.TEMPLATE: Support(note="Its id, or its alias.", url=_TEMPLATES),
    Capability.MERGE_DATA: _OF_TEMPLATES,
    Capability.MERGE_METADATA: Support(note="One mail for each recipient.", url=_BATCH),
    Capability.MERGE_HEADERS: Support(note="One mail for each recipient.", url=_BATCH),
    Capability.MERGE_GLOBAL_DATA: _OF_TEMPLATES,
    Capability.TRACK_OPENS: Support(url=_SEND),
    Capability.TRACK_CLICKS: Support(note="On: links in HTML and in text.", url=_SEND),
    Capability.BATCH: Support(limit=500, url=_BATCH),
    Capability.MESSAGE_ID: Support(url=_SEND),
    Capability.RECIPIENT_STATUS: Support(
        level=Level.LIMITED,
        note="Inactive addresses are named, and nothing is said of the rest.",
        url=_INACTIVE,
    ),
    Capability.WEBHOOK_TRACKING: Support(note="One event a delivery, of one recipient.", url=_WEBHOOKS),
    Capability.WEBHOOK_INBOUND: Support(url=_INBOUND),
    Capability.WEBHOOK_SIGNATURE: Support(
        level=Level.UNSUPPORTED, note="Postmark signs nothing: use basic auth.", url=_WEBHOOKS
    ),
    Capability.WEBHOOK_RECIPIENT: Support(url=_WEBHOOKS),
    Capability.INBOUND_RAW: Support(
        level=Level.LIMITED, note="Where raw email is turned on in Postmark's settings.", url=_PARSE
    ),
    Capability.INBOUND_ENVELOPE: Support(url=_INBOUND),
}


@hookimpl
def mailcore_register_adapters() -> Iterable[AdapterSpec]:
    """Offer `postmark`."""
    return (
        AdapterSpec(
            name="postmark",
            title="Postmark",
            factory="mailcore_postmark._adapter:PostmarkAdapter",
            options="mailcore_postmark._options:PostmarkOptions",
            capabilities=_CAPABILITIES,
            event_types=frozenset(EventType) - {EventType.QUEUED, EventType.SENT, EventType.INBOUND},
            emulator="mailcore_postmark.emulator:PostmarkEmulator",
            conformance_kit="mailcore_postmark.conformance:KIT",
            docs_url="https://postmarkapp.com/developer",
            webhook_headers=("X-PM-Webhook-Trace-Id",),
        ),
    )
