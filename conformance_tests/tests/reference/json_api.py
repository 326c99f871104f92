"""A correct adapter of an invented provider with a JSON API that can do everything there is a capability for.

Rule: every method is one small decision, so that a broken adapter can override it in a few lines.
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mailcore import (
    Adapter,
    Advice,
    Context,
    Covers,
    EndpointKind,
    EventType,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    InvalidDocument,
    JsonBody,
    MaybeSent,
    Message,
    RecipientResult,
    Rejected,
    RejectReason,
    Secret,
    SendError,
    SendResult,
    SendStatus,
    TrackingEvent,
    UnsupportedFeature,
    Verification,
    VerifiedWebhook,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
    error_for_status,
    parse_timestamp,
    strict_json,
)
from reference.json_kit import KIT, SPEC, JsonOptions
from reference.json_payload import payload
from reference.json_values import (
    BOUNCES,
    CODES,
    DELIVERY,
    DOCS,
    FORMS,
    KINDS,
    MAX_SUBJECT,
    NAME,
    REASONS,
    REFUSALS,
    SIGNATURE,
    STATUSES,
    TIMESTAMP,
    TOLERANCE,
    bare_address,
    digest,
    hmac_hex,
    identifier,
    table,
    text,
    texts,
    words,
)

__all__ = [
    "BOUNCES",
    "CODES",
    "DELIVERY",
    "FORMS",
    "JsonAdapter",
    "JsonOptions",
    "KINDS",
    "KIT",
    "NAME",
    "REASONS",
    "REFUSALS",
    "SIGNATURE",
    "SPEC",
    "STATUSES",
    "TIMESTAMP",
    "TOLERANCE",
    "bare_address",
    "digest",
    "hmac_hex",
    "identifier",
    "table",
    "text",
    "texts",
    "words",
]


class JsonAdapter(Adapter):
    """Translate between the invented provider and the common values."""

    options: JsonOptions

    # Sending ------------------------------------------------------------------------------------

    def url(self, message: Message, ctx: Context) -> str:
        """Return where a message goes."""
        return f"{self.options.api_url}/messages"

    def headers(self, message: Message, ctx: Context) -> list[tuple[str, str | Secret]]:
        """Return the headers of a request."""
        headers: list[tuple[str, str | Secret]] = [
            ("Content-Type", "application/json"),
            ("Accept", "application/json"),
        ]
        if self.options.api_key is not None:
            headers.append(("X-Api-Key", self.options.api_key))
        if ctx.idempotency_key:
            headers.append(("Idempotency-Key", ctx.idempotency_key))
        return headers

    def document(self, message: Message, ctx: Context) -> dict[str, Any]:
        """Return the payload; a field that is absent is an absent key."""
        if not (message.text or message.html or message.amp_html or message.template_id):
            words = "The provider needs a body or a template; files alone cannot be sent."
            raise UnsupportedFeature(words, field="text", provider=NAME)
        return {**payload(message), **message.provider_options.get(NAME, {})}

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        """Return the request that sends one message."""
        return HttpRequest(
            method="POST",
            url=self.url(message, ctx),
            headers=self.headers(message, ctx),
            body=JsonBody(self.document(message, ctx)),
        )

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        """Return the result of an accepted message; 202 with an id is the only acceptance."""
        if response.status != 202:
            raise self.error(response, ctx)
        return self.result(message, self.read(response), response)

    def read(self, response: HttpResponse) -> Any:
        """Return the JSON of an answer; None where it is none."""
        try:
            return strict_json(response.body)
        except InvalidDocument:
            return None

    def result(self, message: Message, document: Any, response: HttpResponse) -> SendResult:
        """Return the result that an answer (or an element of a batch's answer) stands for."""
        message_id = identifier(table(document).get("id"))
        if message_id is None:
            raise MaybeSent("The provider took the mail without a readable id.", response=response)
        said = document.get("recipients")
        if not isinstance(said, dict):
            return SendResult.for_all(message, self.status(document), message_id, raw=response)
        rows = {
            address.addr_spec: self.recipient(table(said.get(address.ascii_spec)), message_id)
            for address in message.recipients
        }
        return SendResult(
            message_id=message_id,
            message_ids=tuple(dict.fromkeys([message_id, *(row.message_id or "" for row in rows.values())])),
            recipients=rows,
            scope="recipient",
            raw=response,
        )

    def status(self, document: Mapping[str, Any]) -> SendStatus:
        """Return the status of a message or of one recipient."""
        said = document.get("status")
        return STATUSES.get(said, SendStatus.UNKNOWN) if isinstance(said, str) else SendStatus.UNKNOWN

    def recipient(self, row: Mapping[str, Any], message_id: str) -> RecipientResult:
        """Return what the provider said of one recipient."""
        return RecipientResult(
            status=self.status(row),
            message_id=identifier(row.get("id")) or message_id,
            reason=words(row.get("reason")),
            code=words(row.get("code")) or None,
        )

    def error(self, response: HttpResponse, ctx: Context) -> SendError:
        """Return the error for an answer that is no acceptance."""
        said, code, fields = self.words(self.read(response))
        cls = CODES.get(code or "") if 400 <= response.status < 500 else None
        return error_for_status(response, said, now=ctx.now, fields=fields, code=code, cls=cls)

    def words(self, document: Any) -> tuple[str, str | None, dict[str, tuple[str, ...]]]:
        """Return the provider's words, its code, and its words about each field."""
        said = table(table(document).get("error"))
        fields = {
            words(name): tuple(map(words, texts(lines))) for name, lines in table(said.get("fields")).items()
        }
        return words(said.get("message")), words(said.get("code")) or None, fields

    def advise(self, message: Message) -> Sequence[Advice]:
        """Return the documented policies that a message may break."""
        length = len(message.subject or "")
        words = f"the subject has {length} characters; the provider documents at most {MAX_SUBJECT}."
        said = Advice(code=f"{NAME}.subject", field="subject", text=words, url=f"{DOCS}/limits")
        return [said] if length > MAX_SUBJECT else []

    # Batches ------------------------------------------------------------------------------------

    def build_batch(self, messages: Sequence[Message], ctx: Context) -> HttpRequest:
        """Return the request that sends several messages."""
        return HttpRequest(
            method="POST",
            url=f"{self.url(messages[0], ctx)}/batch",
            headers=self.headers(messages[0], ctx),
            body=JsonBody({"messages": [self.document(message, ctx) for message in messages]}),
        )

    def parse_batch(
        self, messages: Sequence[Message], ctx: Context, response: HttpResponse
    ) -> Sequence[SendResult | SendError]:
        """Return one verdict for each message; an answer for other messages than these tells nothing."""
        if response.status != 202:
            raise self.error(response, ctx)
        elements = table(self.read(response)).get("results")
        if not isinstance(elements, list) or len(elements) != len(messages):
            raise MaybeSent("The provider took the batch without readable results.", response=response)
        return [self.verdict(*pair, response) for pair in zip(messages, elements, strict=True)]

    def verdict(self, message: Message, element: Any, response: HttpResponse) -> SendResult | SendError:
        """Return what became of one message of a batch."""
        if "error" not in table(element):
            try:
                return self.result(message, element, response)
            except SendError as error:
                return error
        said, code, fields = self.words(element)
        return CODES.get(code or "", Rejected)(said, fields=fields, code=code, response=response)

    # Receiving ----------------------------------------------------------------------------------

    def keys(self) -> Sequence[Secret]:
        """Return the keys that are trusted."""
        return self.options.webhook_key or ()

    @property
    def webhook_covers(self) -> Covers:
        """The whole body where a key is set; otherwise basic auth must vouch."""
        return Covers.BODY if self.keys() else Covers.NOTHING

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Verification | WebhookResponse:
        """Verify signature and time where a key is set; a handshake is answered once it is proved."""
        if not self.keys():
            return super().verify_webhook(request, ctx)
        label = self.signature_ok(request)
        if label is None:
            raise WebhookRejected("No configured key verifies the signature.")
        signed_at = self.check_time(request, ctx)
        challenge = self.challenge(request)
        if challenge is not None:
            return WebhookResponse(status=200, body=challenge)
        delivery_id = self.header(request, DELIVERY)
        return Verification(
            scheme="hmac-sha256", covers=Covers.BODY, key=label, signed_at=signed_at, delivery_id=delivery_id
        )

    def header(self, request: WebhookRequest, name: str) -> str:
        """Return a header that must be there exactly once, in its one form."""
        given = request.headers.get_all(name)
        if len(given) != 1 or not FORMS[name].fullmatch(given[0]):
            raise WebhookRejected(f"{name} is not there exactly once and in its form.")
        return given[0]

    def signed_text(self, request: WebhookRequest) -> bytes:
        """Return the bytes under the signature."""
        head = f"{self.header(request, TIMESTAMP)}.{self.header(request, DELIVERY)}."
        return head.encode() + request.body

    def signature_ok(self, request: WebhookRequest) -> str | None:
        """Return the label of the key that signed a delivery; None if none did."""
        given, signed = self.header(request, SIGNATURE), self.signed_text(request)
        for number, key in enumerate(self.keys(), 1):
            if hmac.compare_digest(hmac_hex(key.reveal(), signed), given):
                return f"key {number}"
        return None

    def check_time(self, request: WebhookRequest, ctx: Context) -> datetime:
        """Return when a delivery was signed; raise `WebhookRejected` if that is not now."""
        signed_at = datetime.fromtimestamp(int(self.header(request, TIMESTAMP)), UTC)
        if abs(ctx.now - signed_at) > TOLERANCE:
            raise WebhookRejected("It was signed at another time.")
        return signed_at

    def challenge(self, request: WebhookRequest) -> bytes | None:
        """Return what the provider wants to hear back when an endpoint is set up; None for any other."""
        try:
            document = table(request.json())
        except InvalidDocument:
            return None
        wanted = document.get("challenge") if document.get("type") == "confirm" else None
        return wanted.encode() if isinstance(wanted, str) else None

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        """Tell events and mail apart by shape."""
        document = table(webhook.request.json())
        if "events" in document and "mail" in document:
            return None
        if isinstance(document.get("events"), list):
            return EndpointKind.TRACKING
        return EndpointKind.INBOUND if isinstance(document.get("mail"), dict) else None

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        """Return the events of a delivery."""
        return [self.event(element) for element in webhook.request.json()["events"]]

    def event(self, element: Any) -> TrackingEvent:
        """Return one event; a value of another type than documented is absent."""
        fields = table(element)
        event_type = self.event_type(fields)
        recipient = bare_address(fields.get("recipient"))
        return TrackingEvent(
            event_type=event_type,
            event_id=self.event_id(element),
            timestamp=parse_timestamp(fields.get("at")),
            message_id=identifier(fields.get("message")),
            rfc_message_id=text(fields.get("rfc_message_id")) or None,
            recipients=() if recipient is None else (recipient,),
            scope="message" if recipient is None else "recipient",
            tags=texts(fields.get("tags")),
            metadata=table(fields.get("metadata")),
            reject_reason=self.reason(fields) if event_type in REFUSALS else None,
            bounce_class=BOUNCES.get(text(fields.get("bounce"))),
            description=text(fields.get("description")),
            mta_response=text(fields.get("mta")),
            user_agent=text(fields.get("user_agent")),
            click_url=text(fields.get("url")) or None,
            provider_event=text(fields.get("type")),
            raw=element,
        )

    def event_type(self, fields: Mapping[str, Any]) -> EventType:
        """Return our kind of an event."""
        return KINDS.get(text(fields.get("type")), EventType.UNKNOWN)

    def event_id(self, element: Any) -> str:
        """Return an id that redeliveries share: the provider's, or else one of the content."""
        return identifier(table(element).get("id")) or digest(element)

    def reason(self, fields: Mapping[str, Any]) -> RejectReason | None:
        """Return why a mail was refused, where the provider says so."""
        said = text(fields.get("reason"))
        return REASONS.get(said, RejectReason.OTHER) if said else None

    def parse_inbound(self, webhook: VerifiedWebhook) -> Sequence[InboundMessage]:
        """Return the mail of a delivery."""
        return [self.mail(webhook.request.json()["mail"])]

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        """Return one incoming mail; without its source, it is none."""
        envelope = table(element.get("envelope"))
        sender, recipients = envelope.get("from"), envelope.get("to")
        listed = recipients if isinstance(recipients, list) else []
        return InboundMessage(
            raw=self.source(element),
            event_id=self.event_id(element),
            timestamp=parse_timestamp(element.get("received_at")),
            envelope_sender="" if sender == "" else bare_address(sender),  # a bounce comes from nobody
            envelope_recipients=[address for address in map(bare_address, listed) if address],
            provider_fields={name: value for name, value in element.items() if not name.startswith("raw")},
        )

    def source(self, element: Mapping[str, Any]) -> bytes:
        """Return the source of a mail: text, or base64 where it is no text."""
        given = element.get("raw")
        if isinstance(given, str):
            return given.encode()
        try:
            return b64decode(element["raw_base64"], validate=True)
        except (KeyError, TypeError, ValueError):
            raise InvalidDocument("The mail has no readable source.") from None
