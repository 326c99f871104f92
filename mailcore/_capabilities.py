"""What a provider can carry, in one closed vocabulary.

Rule: `limit` is what cannot be communicated beyond, never a policy the provider may relax.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

__all__ = ["Capability", "Level", "Support"]


class Capability(enum.StrEnum):
    """One thing a provider may be able to do; the value is its stable name."""

    #: An HTML body.
    HTML = "send.html"
    #: An AMP body.
    AMP_HTML = "send.amp_html"
    #: Visible copies.
    CC = "send.cc"
    #: Hidden copies.
    BCC = "send.bcc"
    #: More than one author.
    MULTIPLE_FROM = "send.multiple_from"
    #: Another address for answers.
    REPLY_TO = "send.reply_to"
    #: More than one address for answers.
    MULTIPLE_REPLY_TO = "send.multiple_reply_to"
    #: Headers of the caller's choice.
    HEADERS = "send.headers"
    #: The id of the mail this one answers.
    IN_REPLY_TO = "send.in_reply_to"
    #: The ids of the thread.
    REFERENCES = "send.references"
    #: Ways to unsubscribe (RFC 2369).
    LIST_UNSUBSCRIBE = "send.list_unsubscribe"
    #: Files.
    ATTACHMENTS = "send.attachments"
    #: Images shown within the HTML body.
    INLINE_IMAGES = "send.inline_images"
    #: Labels; the limit is their number.
    TAGS = "send.tags"
    #: Values that come back with events.
    METADATA = "send.metadata"
    #: Templates kept by the provider.
    TEMPLATE = "send.template"
    #: Template values for each recipient.
    MERGE_DATA = "send.merge_data"
    #: Metadata for each recipient.
    MERGE_METADATA = "send.merge_metadata"
    #: Headers for each recipient.
    MERGE_HEADERS = "send.merge_headers"
    #: Template values for all recipients.
    MERGE_GLOBAL_DATA = "send.merge_global_data"
    #: Sending later.
    SCHEDULE = "send.schedule"
    #: Another address for bounces.
    ENVELOPE_SENDER = "send.envelope_sender"
    #: Telling when a mail was opened.
    TRACK_OPENS = "send.track_opens"
    #: Telling when a link was followed.
    TRACK_CLICKS = "send.track_clicks"
    #: A key under which a repeated request is taken once; the limit is its length.
    IDEMPOTENCY_KEY = "send.idempotency_key"
    #: Many messages in one request; the limit is their number.
    BATCH = "send.batch"
    #: The answer holds the id that events carry.
    MESSAGE_ID = "send.message_id"
    #: The answer speaks of each recipient.
    RECIPIENT_STATUS = "send.recipient_status"
    #: Delivery events by webhook.
    WEBHOOK_TRACKING = "webhook.tracking"
    #: Incoming mail by webhook.
    WEBHOOK_INBOUND = "webhook.inbound"
    #: Webhooks are signed.
    WEBHOOK_SIGNATURE = "webhook.signature"
    #: The signature holds a time, so that old deliveries can be refused.
    WEBHOOK_REPLAY_WINDOW = "webhook.replay_window"
    #: Events name the recipient they speak of.
    WEBHOOK_RECIPIENT = "webhook.recipient"
    #: Incoming mail comes with its raw source.
    INBOUND_RAW = "inbound.raw"
    #: Incoming mail comes with its envelope.
    INBOUND_ENVELOPE = "inbound.envelope"


class Level(enum.Enum):
    """How far a capability goes."""

    #: All of it.
    FULL = "full"
    #: Within what `limit` and `note` say.
    LIMITED = "limited"
    #: The provider could; the adapter does not yet.
    NOT_IMPLEMENTED = "not_implemented"
    #: The provider cannot.
    UNSUPPORTED = "unsupported"


@attrs.frozen(kw_only=True)
class Support:
    """
    How far one provider goes with one capability.

    Attributes:
        limit: Most that can be communicated (a number of tags, a length); None: no limit.
        note: What a user must know, in one sentence.
        url: Where the provider says so.
    """

    level: Level = Level.FULL
    limit: int | None = None
    note: str = ""
    url: str = ""

    @property
    def usable(self) -> bool:
        """Whether core lets a message use it."""
        return self.level in (Level.FULL, Level.LIMITED)


UNSUPPORTED = Support(level=Level.UNSUPPORTED)


def support(capabilities: Mapping[Capability, Support], capability: Capability) -> Support:
    """Return what a table says of a capability; absent means unsupported."""
    return capabilities.get(capability, UNSUPPORTED)
