"""Postmark (https://postmarkapp.com/developer): the contract's methods, each a call into one file."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import attrs

from mailcore import (
    Adapter,
    Advice,
    Context,
    EndpointKind,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    Message,
    SendError,
    SendResult,
    TrackingEvent,
    Verification,
    VerifiedWebhook,
    WebhookRequest,
    WebhookResponse,
)
from mailcore_postmark import _advice, _events, _inbound, _responses, _send
from mailcore_postmark._options import PostmarkOptions

__all__ = ["PostmarkAdapter"]

#: Stays the same while a delivery is repeated:
#: https://github.com/ActiveCampaign/postmark-skills/blob/main/postmark-webhooks/SKILL.md
TRACE = "X-PM-Webhook-Trace-Id"


class PostmarkAdapter(Adapter):
    """Translate between Postmark and the common values; it signs no webhook, so basic auth vouches."""

    options: PostmarkOptions

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        """Return the request for the endpoint that the message needs."""
        return _send.request(message, self.options)

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        """Return what Postmark's answer means."""
        read = _responses.merged if message.is_batch else _responses.result
        return read(message, response, now=ctx.now)

    def batch_group(self, message: Message) -> Hashable:
        """Templates have an endpoint of their own, and a merge is a batch by itself."""
        return None if message.is_batch else bool(message.template_id)

    def build_batch(self, messages: Sequence[Message], ctx: Context) -> HttpRequest:
        """Return the request for one of the batch endpoints."""
        return _send.batch_request(messages, self.options)

    def parse_batch(
        self, messages: Sequence[Message], ctx: Context, response: HttpResponse
    ) -> Sequence[SendResult | SendError]:
        """Return Postmark's verdict on each message."""
        return _responses.verdicts(messages, response, now=ctx.now)

    def advise(self, message: Message) -> Sequence[Advice]:
        """Return Postmark's documented policies this message may break."""
        return _advice.advice(message)

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Verification | WebhookResponse:
        """Leave it to basic auth; then take Postmark's word for which delivery this is."""
        proof = super().verify_webhook(request, ctx)
        traces = [trace for trace in request.headers.get_all(TRACE) if trace.strip()]
        if isinstance(proof, Verification) and len(traces) == 1:
            return attrs.evolve(proof, delivery_id=traces[0])
        return proof

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        """Tell events and incoming mail apart by shape."""
        document: Any = webhook.request.json()
        if _events.is_event(document):
            return EndpointKind.TRACKING
        return EndpointKind.INBOUND if _inbound.is_inbound(document) else None

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        """Return the one event of a delivery."""
        return (_events.event(webhook.request.json()),)

    def parse_inbound(self, webhook: VerifiedWebhook) -> Sequence[InboundMessage]:
        """Return the one incoming mail of a delivery."""
        return (_inbound.message(webhook.request.json(), webhook.request.body),)
