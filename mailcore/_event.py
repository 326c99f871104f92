"""What happened to a mail after it was sent, in one vocabulary.

Rule: the provider's own kind is always kept. What has no name here is `UNKNOWN`, never an error.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

import attrs

from mailcore._delivery import Verification
from mailcore._mapping import FrozenMap
from mailcore._time import require_aware

__all__ = ["BounceClass", "EventType", "RejectReason", "TrackingEvent"]


class EventType(enum.Enum):
    """What happened."""

    #: The provider took the mail.
    QUEUED = "queued"
    #: The mail left the provider.
    SENT = "sent"
    #: The provider refused to send: suppressed, blocked, against a policy.
    REJECTED = "rejected"
    #: The provider could not send, for a reason of its own.
    FAILED = "failed"
    #: The recipient's server refused it for good.
    BOUNCED = "bounced"
    #: The recipient's server asked to try later; another event follows.
    DEFERRED = "deferred"
    #: The recipient's server took it.
    DELIVERED = "delivered"
    #: An automatic answer came back.
    AUTORESPONDED = "autoresponded"
    #: The recipient opened it.
    OPENED = "opened"
    #: The recipient followed a link.
    CLICKED = "clicked"
    #: The recipient called it spam.
    COMPLAINED = "complained"
    #: The recipient unsubscribed.
    UNSUBSCRIBED = "unsubscribed"
    #: The recipient subscribed.
    SUBSCRIBED = "subscribed"
    #: Mail came in.
    INBOUND = "inbound"
    #: Mail came in and could not be handed over.
    INBOUND_FAILED = "inbound_failed"
    #: Anything else; `provider_event` has the provider's word.
    UNKNOWN = "unknown"


class RejectReason(enum.Enum):
    """Why a mail was refused."""

    #: The address is malformed or does not exist.
    INVALID = "invalid"
    #: The address bounced, now or before.
    BOUNCED = "bounced"
    #: The provider gave up after trying for long.
    TIMED_OUT = "timed_out"
    #: A policy of the provider.
    BLOCKED = "blocked"
    #: It looks like spam.
    SPAM = "spam"
    #: The recipient unsubscribed before.
    UNSUBSCRIBED = "unsubscribed"
    #: Another reason.
    OTHER = "other"


class BounceClass(enum.Enum):
    """Whether trying again could help."""

    #: Permanent.
    HARD = "hard"
    #: Temporary.
    SOFT = "soft"


_REFUSALS = frozenset({EventType.REJECTED, EventType.BOUNCED, EventType.FAILED})


def _event_type(value: EventType | str) -> EventType:
    return value if isinstance(value, EventType) else EventType(value)


def _texts(items: Iterable[str]) -> tuple[str, ...]:
    found = (items,) if isinstance(items, str) else tuple(items)
    if not all(isinstance(item, str) for item in found):
        raise ValueError("An event's tags and recipients are text.")
    return found


@attrs.frozen(kw_only=True, slots=False)  # no slots: a dictionary is filled in half the time
class TrackingEvent:
    """
    One thing that happened to one mail.

    Attributes:
        event_id: Stable across redelivery of the same event, and never empty.
        timestamp: When it happened (aware UTC), or None where the provider does not say.
        message_id: Equal to `SendResult.message_id`; None where the event names no mail.
        rfc_message_id: The mail's Message-ID header.
        recipients: Bare addresses the event is about.
        scope: Whether it speaks of the whole mail or of the named recipients.
        reject_reason: Only on `REJECTED`, `BOUNCED` and `FAILED`.
        description: The provider's words for people.
        mta_response: What the recipient's server said.
        provider_event: The provider's own kind.
        verified_by: What was proved about the delivery. Set by core.
        raw: The provider's element, as parsed.

    Raises:
        ValueError: No event id, an id or tag that is no text, a time without a zone, or a reason where there
            is no refusal.
    """

    event_type: EventType = attrs.field(converter=_event_type)
    event_id: str = attrs.field()
    timestamp: datetime | None = attrs.field(default=None, converter=require_aware)
    message_id: str | None = attrs.field(default=None)
    rfc_message_id: str | None = None
    recipients: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    scope: Literal["message", "recipient"] = "recipient"
    tags: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    metadata: Mapping[str, Any] = attrs.field(factory=FrozenMap, converter=FrozenMap)
    reject_reason: RejectReason | None = attrs.field(default=None)
    bounce_class: BounceClass | None = None
    description: str = ""
    mta_response: str = ""
    user_agent: str = ""
    click_url: str | None = None
    provider: str = ""
    provider_event: str = ""
    verified_by: Verification | None = None
    raw: Any = attrs.field(default=None, repr=False)

    @message_id.validator
    def _check_message_id(self, _: object, value: str | None) -> None:
        if value is not None and not isinstance(value, str):
            raise ValueError("An id is text, however the provider writes it.")

    @event_id.validator
    def _check_event_id(self, _: object, value: str) -> None:
        if not isinstance(value, str) or not value:
            raise ValueError("An event needs an id that is stable across redelivery.")

    @reject_reason.validator
    def _check_reason(self, _: object, value: RejectReason | None) -> None:
        if value is not None and self.event_type not in _REFUSALS:
            raise ValueError(f"An event of type {self.event_type.value} has no reject reason.")
