"""A correct adapter of an invented provider that takes MIME, and keeps incoming mail to be fetched.

Rule: what the mail itself says is the mail's business; who gets it is in the URL, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from mailcore import (
    Adapter,
    BounceClass,
    Context,
    EndpointKind,
    EventType,
    Flow,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    InvalidDocument,
    MaybeSent,
    Message,
    MimeBody,
    RejectReason,
    Secret,
    SendError,
    SendResult,
    SendStatus,
    TrackingEvent,
    VerifiedWebhook,
    error_for_status,
    parse_timestamp,
)
from reference.json_values import bare_address, digest, identifier, table, text, words
from reference.mime_kit import (
    CODE,
    CODES,
    KINDS,
    KIT,
    MAX_MAIL,
    MESSAGE_ID,
    NAME,
    SPEC,
    MimeOptions,
)

__all__ = ["KIT", "SPEC", "MimeAdapter", "MimeOptions"]


class MimeAdapter(Adapter):
    """Translate between the invented provider and the common values."""

    options: MimeOptions

    # Sending ------------------------------------------------------------------------------------

    def url(self, message: Message, ctx: Context) -> str:
        """Return where a message goes: the envelope is in the query."""
        return f"{self.options.api_url}/mails?{urlencode(self.fields(message, ctx))}"

    def fields(self, message: Message, ctx: Context) -> list[tuple[str, str]]:
        """Return the envelope: each recipient once, and the address for bounces where there is one."""
        pairs = [("rcpt", spec) for spec in dict.fromkeys(one.ascii_spec for one in message.recipients)]
        if message.envelope_sender is not None:
            pairs.append(("sender", message.envelope_sender.ascii_spec))
        own: Mapping[str, Any] = message.provider_options.get(NAME, {})
        return [pair for pair in pairs if pair[0] not in own] + list(own.items())

    def headers(self, message: Message, ctx: Context) -> list[tuple[str, str | Secret]]:
        """Return the headers of a request; those of the mail are in its body."""
        return [("Content-Type", "message/rfc822"), *self.credentials()]

    def credentials(self) -> list[tuple[str, str | Secret]]:
        """Return the header that says who asks."""
        return [] if self.options.api_key is None else [("X-Token", self.options.api_key)]

    def body(self, message: Message, ctx: Context) -> MimeBody:
        """Return the mail; the hidden recipients are not in it."""
        return MimeBody(message, created=ctx.created, unique=ctx.unique)

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        """Return the request that sends one message."""
        return HttpRequest(
            method="POST",
            url=self.url(message, ctx),
            headers=self.headers(message, ctx),
            body=self.body(message, ctx),
        )

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        """Return the result of an accepted message; 201 with an id is the only acceptance."""
        if response.status != 201:
            raise self.error(response, ctx)
        return self.result(message, response)

    def result(self, message: Message, response: HttpResponse) -> SendResult:
        """Return the result that an answer stands for; it has no content."""
        given = response.headers.get_all(MESSAGE_ID)
        message_id = identifier(given[0]) if len(given) == 1 and not response.body else None
        if message_id is None:
            raise MaybeSent(f"The provider took the mail without a readable {MESSAGE_ID}.", response=response)
        return SendResult.for_all(message, SendStatus.QUEUED, message_id, raw=response)

    def error(self, response: HttpResponse, ctx: Context) -> SendError:
        """Return the error for an answer that is no acceptance; its words are plain text."""
        plain = response.headers.get("Content-Type", "").lower().startswith("text/plain")
        said = words(response.body.decode("utf-8", "replace").strip()) if plain else ""
        code = words(response.headers.get(CODE)) or None
        cls = CODES.get(code or "") if 400 <= response.status < 500 else None
        return error_for_status(response, said, now=ctx.now, code=code, cls=cls)

    # Receiving: there is no signature, so basic auth vouches ------------------------------------

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        """Tell events and mail apart by shape: a list, and an object that says where the mail is kept."""
        document = webhook.request.json()
        if isinstance(document, list):
            return EndpointKind.TRACKING
        return EndpointKind.INBOUND if "stored" in table(document) else None

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        """Return the events of a delivery."""
        return [self.event(element) for element in webhook.request.json()]

    def event(self, element: Any) -> TrackingEvent:
        """Return one event; a value of another type than documented is absent."""
        fields = table(element)
        kind, recipient = text(fields.get("kind")), bare_address(fields.get("rcpt"))
        event_type, reason, bounce = self.meaning(kind)
        return TrackingEvent(
            event_type=event_type,
            event_id=self.event_id(element),
            timestamp=parse_timestamp(fields.get("when")),
            message_id=identifier(fields.get("message")),
            rfc_message_id=text(fields.get("header_id")) or None,
            recipients=() if recipient is None else (recipient,),
            scope="message" if recipient is None else "recipient",
            reject_reason=reason,
            bounce_class=bounce,
            description=text(fields.get("remark")),
            mta_response=text(fields.get("reply")),
            provider_event=kind,
            raw=element,
        )

    def event_id(self, element: Any) -> str:
        """Return an id that redeliveries share: the provider's, or else one of the content."""
        return identifier(table(element).get("id")) or digest(element)

    def meaning(self, kind: str) -> tuple[EventType, RejectReason | None, BounceClass | None]:
        """Return what a kind of event stands for."""
        return KINDS.get(kind, (EventType.UNKNOWN, None, None))

    def inbound_flow(self, webhook: VerifiedWebhook, ctx: Context) -> Flow[Sequence[InboundMessage]]:
        """Fetch the one mail that a delivery points to."""
        pointer = table(webhook.request.json())
        response = yield self.stored_request(self.stored_id(pointer))
        if response.status != 200:
            raise InvalidDocument(f"The mail could not be fetched (HTTP {response.status}).")
        return [self.mail(pointer, response.body)]

    def stored_id(self, pointer: Mapping[str, Any]) -> str:
        """Return the id of a mail; it becomes part of a URL, so it has one form."""
        stored = pointer.get("stored")
        if not isinstance(stored, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", stored):
            raise InvalidDocument("The delivery points to no mail.")
        return stored

    def stored_request(self, stored: str) -> HttpRequest:
        """Return the request for a mail."""
        return HttpRequest(
            method="GET",
            url=f"{self.options.api_url}/stored/{stored}",
            headers=[("Accept", "message/rfc822"), *self.credentials()],
            commits=False,
            max_response=MAX_MAIL,
        )

    def mail(self, pointer: Mapping[str, Any], raw: bytes) -> InboundMessage:
        """Return the incoming mail; the id under which it is kept is the same in each delivery."""
        sender, recipients = pointer.get("sender"), pointer.get("rcpt")
        listed = recipients if isinstance(recipients, list) else []
        return InboundMessage(
            raw=raw,
            event_id=self.stored_id(pointer),
            timestamp=parse_timestamp(pointer.get("when")),
            envelope_sender="" if sender == "" else bare_address(sender),  # a bounce comes from nobody
            envelope_recipients=tuple(filter(None, map(bare_address, listed))),
            provider_fields=pointer,
        )
