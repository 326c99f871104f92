"""Amazon SES for mailcore: this file registers the adapter and imports nothing of it."""

from __future__ import annotations

from collections.abc import Iterable

from mailcore import AdapterSpec, Capability, EventType, Level, Support, hookimpl

_API = "https://docs.aws.amazon.com/ses/latest/APIReference-V2"
_GUIDE = "https://docs.aws.amazon.com/ses/latest/dg"
_SNS = "https://docs.aws.amazon.com/sns/latest/dg"
_SEND = f"{_API}/API_SendEmail.html"
_BULK = f"{_API}/API_SendBulkEmail.html"
_RAW = f"{_API}/API_RawMessage.html"
_TEMPLATE = f"{_API}/API_Template.html"
_TAG = f"{_API}/API_MessageTag.html"
_TRACKING = f"{_API}/API_TrackingConfigurationOverrides.html"
_EVENTS = f"{_GUIDE}/event-publishing-retrieving-sns-contents.html"
_INBOUND = f"{_GUIDE}/receiving-email-notifications-contents.html"
_SIGNATURE = f"{_SNS}/sns-verify-signature-of-message.html"

_LETTERS = "Letters, digits, _ and -, at most 256."
_ONE_TO_ONE = "One mail for each address in `to`, in one request."

_CAPABILITIES = {
    Capability.HTML: Support(url=_RAW),
    Capability.AMP_HTML: Support(level=Level.LIMITED, note="Not with a template.", url=_RAW),
    Capability.CC: Support(url=_SEND),
    Capability.BCC: Support(url=_SEND),
    Capability.REPLY_TO: Support(url=_SEND),
    Capability.MULTIPLE_REPLY_TO: Support(url=_SEND),
    Capability.HEADERS: Support(note="With a template ASCII alone.", url=_TEMPLATE),
    Capability.IN_REPLY_TO: Support(url=_RAW),
    Capability.REFERENCES: Support(url=_RAW),
    Capability.LIST_UNSUBSCRIBE: Support(url=_RAW),
    Capability.ATTACHMENTS: Support(url=_RAW),
    Capability.INLINE_IMAGES: Support(url=_RAW),
    Capability.TAGS: Support(
        level=Level.LIMITED,
        limit=1,
        note=f"The value of the message tag `tag_name` names. {_LETTERS}",
        url=_TAG,
    ),
    Capability.METADATA: Support(level=Level.LIMITED, note=f"Message tags. {_LETTERS}", url=_TAG),
    Capability.TEMPLATE: Support(note="A stored template by its name.", url=_TEMPLATE),
    Capability.MERGE_DATA: Support(note=_ONE_TO_ONE, url=_BULK),
    Capability.MERGE_METADATA: Support(note=_ONE_TO_ONE, url=_BULK),
    Capability.MERGE_HEADERS: Support(note=_ONE_TO_ONE, url=_BULK),
    Capability.MERGE_GLOBAL_DATA: Support(note="Template data.", url=_TEMPLATE),
    Capability.ENVELOPE_SENDER: Support(
        level=Level.LIMITED,
        note="Where bounces and complaints are reported; the Return-Path stays SES's own.",
        url=_SEND,
    ),
    Capability.TRACK_OPENS: Support(url=_TRACKING),
    Capability.TRACK_CLICKS: Support(url=_TRACKING),
    Capability.BATCH: Support(
        level=Level.UNSUPPORTED, note="One request sends one message, or one template.", url=_BULK
    ),
    Capability.MESSAGE_ID: Support(url=_SEND),
    Capability.RECIPIENT_STATUS: Support(
        level=Level.LIMITED, note="Where each address in `to` gets a mail of its own.", url=_BULK
    ),
    Capability.WEBHOOK_TRACKING: Support(note="By Amazon SNS.", url=_EVENTS),
    Capability.WEBHOOK_INBOUND: Support(note="By Amazon SNS, with the mail in it or in S3.", url=_INBOUND),
    Capability.WEBHOOK_SIGNATURE: Support(note="RSA with SHA-1 or SHA-256, by SNS.", url=_SIGNATURE),
    Capability.WEBHOOK_REPLAY_WINDOW: Support(url=_SIGNATURE),
    Capability.WEBHOOK_RECIPIENT: Support(
        level=Level.LIMITED, note="Not who opened or clicked, of several.", url=_EVENTS
    ),
    Capability.INBOUND_RAW: Support(url=_INBOUND),
    Capability.INBOUND_ENVELOPE: Support(url=_INBOUND),
}


@hookimpl
def mailcore_register_adapters() -> Iterable[AdapterSpec]:
    """Offer `amazon-ses`."""
    return (
        AdapterSpec(
            name="amazon-ses",
            title="Amazon SES",
            factory="mailcore_amazon_ses._adapter:AmazonSesAdapter",
            options="mailcore_amazon_ses._options:AmazonSesOptions",
            capabilities=_CAPABILITIES,
            event_types=frozenset(
                {
                    EventType.QUEUED,
                    EventType.DELIVERED,
                    EventType.DEFERRED,
                    EventType.BOUNCED,
                    EventType.COMPLAINED,
                    EventType.REJECTED,
                    EventType.FAILED,
                    EventType.OPENED,
                    EventType.CLICKED,
                    EventType.SUBSCRIBED,
                    EventType.UNSUBSCRIBED,
                    EventType.UNKNOWN,
                }
            ),
            emulator="mailcore_amazon_ses.emulator:AmazonSesEmulator",
            conformance_kit="mailcore_amazon_ses.conformance:KIT",
            docs_url=f"{_GUIDE}/Welcome.html",
            webhook_headers=("x-amz-sns-message-type",),
        ),
    )
