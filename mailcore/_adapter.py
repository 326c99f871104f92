"""The contract between core and an adapter.

Rule 1: an adapter turns values into values. It opens no socket, reads no clock, draws no randomness and
        writes no log; all it needs comes in as an argument.
Rule 2: every operation is a flow, a generator that yields requests and is sent their responses. Where
        one request is enough, override the plain method and leave the flow alone.
Rule 3: a flow commits at most once: one request with `commits=True` can make mail leave.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import attrs

from mailcore._delivery import (
    Covers,
    Disposition,
    EndpointKind,
    Verification,
    VerifiedWebhook,
    WebhookRequest,
    WebhookResponse,
)
from mailcore._event import TrackingEvent
from mailcore._http import Request, Response
from mailcore._message import Message
from mailcore._result import Advice, SendResult
from mailcore.exceptions import SendError, UnsupportedFeature, WebhookRejected

if TYPE_CHECKING:
    from mailcore._inbound.message import InboundMessage

__all__ = ["Adapter", "Context", "Flow"]

T = TypeVar("T")
#: A generator that yields requests, is sent their responses, and returns a value.
Flow: TypeAlias = Generator[Request, Any, T]


@attrs.frozen(kw_only=True)
class Context:
    """
    What an adapter may know of the world; made by core.

    Attributes:
        now: Time of this attempt (aware UTC); for request signatures.
        created: Time of the first attempt, or of enqueueing; for Date and Message-ID.
        unique: Random text, the same for every attempt at one logical message.
        idempotency_key: The key to send, or None where the provider has no use for one.
        attempt: From 1.
    """

    now: datetime
    created: datetime
    unique: str
    idempotency_key: str | None = None
    attempt: int = 1


_STATUS: Mapping[Disposition, int] = {
    Disposition.ACCEPTED: 200,
    Disposition.DUPLICATE: 200,
    Disposition.STALE: 200,
    Disposition.QUARANTINED: 200,
    Disposition.MISROUTED: 200,
    Disposition.HANDSHAKE: 200,
    Disposition.PROBE: 200,
    Disposition.UNAUTHENTICATED: 401,
    Disposition.BAD_METHOD: 405,
    Disposition.TOO_LARGE: 413,
    Disposition.BAD_ENCODING: 415,
    Disposition.UNAVAILABLE: 503,
}


class Adapter:
    """Translate between one provider and the common values; holds nothing but its options."""

    def __init__(self, options: Any) -> None:
        self.options = options

    # Sending ------------------------------------------------------------------------------------

    def build_send(self, message: Message, ctx: Context) -> Request:
        """
        Return the one request that sends a resolved message.

        Raises:
            UnsupportedFeature: Something the capability table cannot say.
        """
        raise UnsupportedFeature(f"{type(self).__name__} does not send.", field="to")

    def parse_send(self, message: Message, ctx: Context, response: Response) -> SendResult:
        """
        Return what the response means.

        Raises:
            SendError: The provider did not take the mail, or did not say so readably (`MaybeSent`).
        """
        raise UnsupportedFeature(f"{type(self).__name__} does not send.", field="to")

    def send_flow(self, message: Message, ctx: Context) -> Flow[SendResult]:
        """Send in as many steps as it takes."""
        response = yield self.build_send(message, ctx)
        return self.parse_send(message, ctx, response)

    def batch_group(self, message: Message) -> Hashable:
        """
        Return what the messages of one batch request have in common; None: it is sent by itself.

        For a provider whose batches cannot hold any message beside any other.
        """
        return ""

    def build_batch(self, messages: Sequence[Message], ctx: Context) -> Request:
        """Return the one request that sends several messages of one group (needs `send.batch`)."""
        raise UnsupportedFeature(f"{type(self).__name__} does not send batches.", field="to")

    def parse_batch(
        self, messages: Sequence[Message], ctx: Context, response: Response
    ) -> Sequence[SendResult | SendError]:
        """Return one verdict for each message, in their order."""
        raise UnsupportedFeature(f"{type(self).__name__} does not send batches.", field="to")

    def batch_flow(self, messages: Sequence[Message], ctx: Context) -> Flow[Sequence[SendResult | SendError]]:
        """Send a batch in as many steps as it takes."""
        response = yield self.build_batch(messages, ctx)
        return self.parse_batch(messages, ctx, response)

    def advise(self, message: Message) -> Sequence[Advice]:
        """Return the provider's policies this message may break; advice never blocks by itself."""
        return ()

    # Receiving ----------------------------------------------------------------------------------

    @property
    def webhook_covers(self) -> Covers:
        """What verification will prove under these options; `NOTHING` leaves it to basic auth."""
        return Covers.NOTHING

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Verification | WebhookResponse:
        """
        Return what is proved about a delivery; a `WebhookResponse` ends the exchange at once.

        Unless overridden, a delivery is genuine exactly when core matched its basic auth.

        Raises:
            WebhookRejected: It is not shown to come from the provider.
        """
        if request.basic_auth is None:
            raise WebhookRejected("The delivery is not authenticated.")
        return Verification(scheme="basic-auth", covers=Covers.NOTHING, key=request.basic_auth)

    def verify_flow(self, request: WebhookRequest, ctx: Context) -> Flow[Verification | WebhookResponse]:
        """Verify in as many steps as it takes; each is a request that commits nothing."""
        yield from ()
        return self.verify_webhook(request, ctx)

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        """Return what a delivery holds, by its shape; None for a shape nobody documented."""
        return None

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        """Return the events; an element that makes no sense becomes one of type `UNKNOWN`."""
        return ()

    def parse_inbound(self, webhook: VerifiedWebhook) -> Sequence[InboundMessage]:
        """Return the incoming mails."""
        return ()

    def inbound_flow(self, webhook: VerifiedWebhook, ctx: Context) -> Flow[Sequence[InboundMessage]]:
        """
        Return the incoming mails where they must be fetched first.

        Raises:
            SendError: What was fetched is not to be had; where it says `retriable`, the provider is asked
                to deliver again.
        """
        yield from ()
        return self.parse_inbound(webhook)

    def webhook_response(self, disposition: Disposition, kind: EndpointKind) -> WebhookResponse:
        """Return the answer that makes this provider do the right thing next."""
        headers = (("Allow", "POST, HEAD"),) if disposition is Disposition.BAD_METHOD else ()
        return WebhookResponse(status=_STATUS[disposition], headers=headers)
