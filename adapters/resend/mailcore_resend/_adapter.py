"""Resend (https://resend.com/docs): the contract's methods, each a call into one file."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from mailcore import (
    Adapter,
    Advice,
    Context,
    Covers,
    EndpointKind,
    Flow,
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
from mailcore_resend import _advice, _events, _inbound, _responses, _send, _signature
from mailcore_resend._options import ResendOptions

__all__ = ["ResendAdapter"]


class ResendAdapter(Adapter):
    """Translate between Resend and the common values."""

    options: ResendOptions

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        """Return the request that sends one mail."""
        return _send.request(message, ctx, self.options)

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        """Return what Resend's answer means."""
        return _responses.result(message, response, now=ctx.now)

    def batch_group(self, message: Message) -> Hashable:
        """Batches hold no files; a mail that cannot be sent is refused alone."""
        _send.check(message)
        return None if message.attachments else ""

    def build_batch(self, messages: Sequence[Message], ctx: Context) -> HttpRequest:
        """Return the request that sends several mails."""
        return _send.batch_request(messages, ctx, self.options)

    def parse_batch(
        self, messages: Sequence[Message], ctx: Context, response: HttpResponse
    ) -> Sequence[SendResult | SendError]:
        """Return Resend's verdict on each mail."""
        return _responses.verdicts(messages, response, now=ctx.now)

    def advise(self, message: Message) -> Sequence[Advice]:
        """Return Resend's documented policies this message may break."""
        return _advice.advice(message)

    @property
    def webhook_covers(self) -> Covers:
        """The whole body where a secret is set; otherwise basic auth must vouch."""
        return Covers.BODY if self.options.webhook_key else Covers.NOTHING

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Verification | WebhookResponse:
        """Verify the signature where a secret is set; otherwise leave it to basic auth."""
        if self.options.webhook_key:
            return _signature.verify(request, self.options.webhook_key, now=ctx.now)
        return super().verify_webhook(request, ctx)

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        """Tell events and incoming mail apart by the type."""
        document = webhook.request.json()
        if not _events.is_event(document):
            return None
        return EndpointKind.INBOUND if document["type"] == _inbound.KIND else EndpointKind.TRACKING

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        """Return the one event of a delivery."""
        return (_events.event(webhook),)

    def inbound_flow(self, webhook: VerifiedWebhook, ctx: Context) -> Flow[Sequence[InboundMessage]]:
        """Fetch the one incoming mail of a delivery."""
        return (yield from _inbound.mail_flow(webhook, self.options, now=ctx.now))
