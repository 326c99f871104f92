"""Mailgun (https://documentation.mailgun.com): the contract's methods, each a call into another file."""

from __future__ import annotations

from collections.abc import Sequence

from mailcore import (
    Adapter,
    Advice,
    Context,
    Covers,
    EndpointKind,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    Message,
    SendResult,
    TrackingEvent,
    Verification,
    VerifiedWebhook,
    WebhookRequest,
    WebhookResponse,
)
from mailcore_mailgun import _advice, _events, _inbound, _responses, _send, _signature
from mailcore_mailgun._options import MailgunOptions

__all__ = ["MailgunAdapter"]


class MailgunAdapter(Adapter):
    """Translate between Mailgun and the common values."""

    options: MailgunOptions

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        """Return the request for one of Mailgun's two sending endpoints."""
        return _send.request(message, ctx, self.options)

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        """Return what Mailgun's answer means."""
        return _responses.result(message, response, now=ctx.now)

    def advise(self, message: Message) -> Sequence[Advice]:
        """Return Mailgun's documented policies this message may break."""
        return _advice.advice(message)

    @property
    def webhook_covers(self) -> Covers:
        """A token alone where a key is set; otherwise basic auth must vouch."""
        return Covers.TOKEN if self.options.webhook_key else Covers.NOTHING

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Verification | WebhookResponse:
        """Verify the signature where a key is set; otherwise leave it to basic auth."""
        if not self.options.webhook_key:
            return super().verify_webhook(request, ctx)
        return _signature.verify(request, self.options.webhook_key, now=ctx.now)

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        """Tell events, which are JSON, from incoming mail, which is a form."""
        if _signature.is_json(webhook.request):
            return EndpointKind.TRACKING if _events.is_event(webhook.request.json()) else None
        return EndpointKind.INBOUND if _inbound.is_inbound(webhook.request) else None

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        """Return the one event of a delivery."""
        return (_events.event(webhook.request.json()["event-data"]),)

    def parse_inbound(self, webhook: VerifiedWebhook) -> Sequence[InboundMessage]:
        """Return the one incoming mail of a delivery."""
        return (_inbound.message(webhook.request),)
