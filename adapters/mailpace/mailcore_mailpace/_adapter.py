"""MailPace (https://docs.mailpace.com): the contract's methods, each a call into the file that knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
from mailcore_mailpace import _advice, _events, _inbound, _responses, _send
from mailcore_mailpace._options import MailPaceOptions
from mailcore_mailpace._signature import KeyRing

__all__ = ["MailPaceAdapter"]


class MailPaceAdapter(Adapter):
    """
    Translate between MailPace and the common values.

    Raises:
        MissingDependency: `webhook_key` is set and PyNaCl is not installed.
        ConfigurationError: A key of `webhook_key` cannot be trusted.
    """

    options: MailPaceOptions

    def __init__(self, options: MailPaceOptions) -> None:
        super().__init__(options)
        self._keys = KeyRing(options.webhook_key) if options.webhook_key else None

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        """Return the request for MailPace's send endpoint."""
        return _send.request(message, ctx, self.options)

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        """Return what MailPace's answer means."""
        return _responses.result(message, response, now=ctx.now)

    def advise(self, message: Message) -> Sequence[Advice]:
        """Return MailPace's documented policies this message may break."""
        return _advice.advice(message)

    @property
    def webhook_covers(self) -> Covers:
        """The whole body where a key is set; otherwise basic auth must vouch."""
        return Covers.BODY if self._keys else Covers.NOTHING

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Verification | WebhookResponse:
        """Verify the signature where a key is set; otherwise leave it to basic auth."""
        if self._keys is None:
            return super().verify_webhook(request, ctx)
        key = self._keys.verify(request)
        return Verification(scheme="ed25519", covers=Covers.BODY, key=key.label)

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        """Tell events and incoming mail apart by shape: the same key signs both."""
        document: Any = webhook.request.json()
        if _events.is_event(document):
            return EndpointKind.TRACKING
        return EndpointKind.INBOUND if _inbound.is_inbound(document) else None

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        """Return the one event of a delivery."""
        bound = {key.label: key.domain_id for key in self.options.webhook_key}
        return (_events.event(webhook.request.json(), domain_id=bound.get(webhook.verification.key)),)

    def parse_inbound(self, webhook: VerifiedWebhook) -> Sequence[InboundMessage]:
        """Return the one incoming mail of a delivery."""
        return (_inbound.message(webhook.request.json()),)
