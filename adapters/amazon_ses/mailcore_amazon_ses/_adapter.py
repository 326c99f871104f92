"""Amazon SES (https://docs.aws.amazon.com/ses/): the contract's methods, each a call of who knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
    InvalidDocument,
    Message,
    SendResult,
    TrackingEvent,
    Verification,
    VerifiedWebhook,
    WebhookRequest,
    WebhookResponse,
    strict_json,
)
from mailcore_amazon_ses import _advice, _events, _inbound, _responses, _send
from mailcore_amazon_ses._fields import table, text
from mailcore_amazon_ses._options import AmazonSesOptions
from mailcore_amazon_ses._signature import Verifier, fetched, signed

__all__ = ["AmazonSesAdapter"]


class AmazonSesAdapter(Adapter):
    """
    Translate between Amazon SES, with SNS and S3, and the common values.

    Raises:
        MissingDependency: `topic_arns` is set and cryptography is not installed.
    """

    options: AmazonSesOptions

    def __init__(self, options: AmazonSesOptions) -> None:
        super().__init__(options)
        self._verifier = Verifier() if options.topic_arns else None

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        """Return the signed request for SES's API, version 2."""
        return _send.request(message, ctx, self.options)

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        """Return what SES's answer means."""
        return _responses.result(message, response, now=ctx.now)

    def advise(self, message: Message) -> Sequence[Advice]:
        """Return SES's documented policies this message may break."""
        return _advice.advice(message)

    @property
    def webhook_covers(self) -> Covers:
        """SNS signs fields; without topics, basic auth must vouch."""
        return Covers.FIELDS if self._verifier else Covers.NOTHING

    def verify_flow(self, request: WebhookRequest, ctx: Context) -> Flow[Verification | WebhookResponse]:
        """Fetch SNS's certificate and verify; confirm a subscription to a topic of `topic_arns`."""
        if self._verifier is None:
            return self.verify_webhook(request, ctx)
        message = signed(request, self.options, now=ctx.now)
        self._verifier.verify(message, (yield message.certificate_request()), now=ctx.now)
        if message.confirm:
            fetched((yield message.confirm_request()), "The confirmation")
        if message.ends_here:
            return WebhookResponse(status=200)
        return Verification(
            scheme="sns-rsa",
            covers=Covers.FIELDS,
            key=f"topic {message.topic}",
            signed_at=message.signed_at,
            delivery_id=message.fields.get("MessageId"),
        )

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        """Tell events and received mail apart by the record that SNS passes on."""
        record = _record(webhook)
        if _inbound.is_inbound(record):
            return EndpointKind.INBOUND
        return EndpointKind.TRACKING if _events.is_record(record) else None

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        """Return the one event of a record."""
        envelope = table(webhook.request.json())
        return (_events.event(envelope, _record(webhook), tag_name=self.options.tag_name),)

    def inbound_flow(self, webhook: VerifiedWebhook, ctx: Context) -> Flow[Sequence[InboundMessage]]:
        """Return the received mail, fetched from S3 where it is there."""
        record = _record(webhook)
        request = _inbound.object_request(record, self.options, now=ctx.now)
        raw = None if request is None else _inbound.stored((yield request), now=ctx.now)
        return (_inbound.message(record, raw),)


def _record(webhook: VerifiedWebhook) -> Mapping[str, Any]:
    """Return what SES says: JSON within the JSON of SNS; empty where that is something else."""
    try:
        return table(strict_json(text(table(webhook.request.json()).get("Message"))))
    except InvalidDocument:
        return {}
