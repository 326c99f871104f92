"""A correct adapter of an invented provider that takes forms, sends forms, and signs a token alone.

Rule: a value that may be there once and is there twice counts as absent: parsers disagree about which
counts.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from mailcore import (
    Adapter,
    BounceClass,
    Context,
    Covers,
    Defect,
    DefectCode,
    EndpointKind,
    EventType,
    FormBody,
    HttpRequest,
    HttpResponse,
    InboundAttachment,
    InboundMessage,
    InvalidDocument,
    MaybeSent,
    Message,
    RejectReason,
    Secret,
    SendError,
    SendResult,
    SendStatus,
    TrackingEvent,
    Verification,
    VerifiedWebhook,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
    error_for_status,
    parse_timestamp,
    strict_json,
)
from reference.form_kit import BLAMED, FORMS, KINDS, KIT, NAME, SPEC, FormOptions
from reference.form_payload import Basic, payload
from reference.json_values import bare_address, digest, hmac_hex, identifier, table, text, words

__all__ = ["KIT", "SPEC", "FormAdapter", "FormOptions"]

Fields = Mapping[str, Sequence[str]]


class FormAdapter(Adapter):
    """Translate between the invented provider and the common values."""

    options: FormOptions

    # Sending ------------------------------------------------------------------------------------

    def url(self, message: Message, ctx: Context) -> str:
        """Return where a message goes."""
        return f"{self.options.api_url}/mails"

    def headers(self, message: Message, ctx: Context) -> list[tuple[str, str | Secret]]:
        """Return the headers of a request."""
        headers: list[tuple[str, str | Secret]] = [
            ("Content-Type", FormBody.content_type),
            ("Accept", "application/json"),
        ]
        if self.options.api_key is not None:
            headers.append(("Authorization", Basic(self.options.api_key)))
        return headers

    def fields(self, message: Message, ctx: Context) -> list[tuple[str, str]]:
        """Return the fields of the form; options of the provider's own replace the others."""
        own: Mapping[str, Any] = message.provider_options.get(NAME, {})
        return [pair for pair in payload(message) if pair[0] not in own] + list(own.items())

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        """Return the request that sends one message."""
        return HttpRequest(
            method="POST",
            url=self.url(message, ctx),
            headers=self.headers(message, ctx),
            body=FormBody(self.fields(message, ctx)),
        )

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        """Return the result of an accepted message; 200 with an id is the only acceptance."""
        response = self.masked(response)
        if response.status != 200:
            raise self.error(response, ctx)
        return self.result(message, response)

    def masked(self, response: HttpResponse) -> HttpResponse:
        """Return an answer that does not repeat the key: core sees basic auth, and not the key in it."""
        key = b"" if self.options.api_key is None else self.options.api_key.reveal().encode()
        if not key or key not in response.body:
            return response
        return attrs.evolve(response, body=response.body.replace(key, b"****"))

    def read(self, response: HttpResponse) -> dict[str, Any]:
        """Return the JSON object of an answer; an empty one where it is none."""
        try:
            return table(strict_json(response.body))
        except InvalidDocument:
            return {}

    def result(self, message: Message, response: HttpResponse) -> SendResult:
        """Return the result that an answer stands for."""
        message_id = identifier(self.read(response).get("id"))
        if message_id is None:
            raise MaybeSent("The provider took the mail without a readable id.", response=response)
        return SendResult.for_all(message, SendStatus.QUEUED, message_id, raw=response)

    def error(self, response: HttpResponse, ctx: Context) -> SendError:
        """Return the error for an answer that is no acceptance."""
        document = self.read(response)
        said, field = words(document.get("message")), words(document.get("field"))
        fields = {field: (said,)} if field else {}
        cls = BLAMED.get(field) if response.status in (400, 403) else None
        return error_for_status(response, said, now=ctx.now, fields=fields, cls=cls)

    # Receiving ----------------------------------------------------------------------------------

    def keys(self) -> Sequence[Secret]:
        """Return the keys that are trusted."""
        return self.options.webhook_key or ()

    @property
    def webhook_covers(self) -> Covers:
        """A token alone where a key is set; otherwise basic auth must vouch."""
        return Covers.TOKEN if self.keys() else Covers.NOTHING

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Verification | WebhookResponse:
        """Verify the token that is in the body, where a key is set."""
        if not self.keys():
            return super().verify_webhook(request, ctx)
        label = self.signature_ok(request)
        if label is None:
            raise WebhookRejected("No configured key verifies the signature.")
        return Verification(
            scheme="hmac-sha256-token",
            covers=Covers.TOKEN,
            key=label,
            signed_at=datetime.fromtimestamp(int(self.signed(request, "timestamp")), UTC),
            delivery_id=self.signed(request, "token"),
        )

    def signed(self, request: WebhookRequest, name: str) -> str:
        """Return one of the three fields of the signature; each is there exactly once, in its form."""
        try:
            given = request.form().get(name, ())
        except InvalidDocument:
            given = ()
        if len(given) != 1 or not FORMS[name].fullmatch(given[0]):
            raise WebhookRejected(f"{name} is not there exactly once and in its form.")
        return given[0]

    def signature_ok(self, request: WebhookRequest) -> str | None:
        """Return the label of the key that signed a delivery; None if none did."""
        signed = self.signed(request, "timestamp") + self.signed(request, "token")
        given = self.signed(request, "signature")
        for number, key in enumerate(self.keys(), 1):
            if hmac.compare_digest(hmac_hex(key.reveal(), signed.encode()), given):
                return f"key {number}"
        return None

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        """Tell events and mail apart by shape."""
        shape = {"event", "mail"} & webhook.request.form().keys()
        if shape == {"event"}:
            return EndpointKind.TRACKING
        return EndpointKind.INBOUND if shape == {"mail"} else None

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        """Return the one event of a delivery."""
        return [self.event(unsigned(webhook.request))]

    def event(self, fields: Fields) -> TrackingEvent:
        """Return an event; a value in another form than documented is absent."""
        kind, recipient = one(fields, "event"), bare_address(one(fields, "recipient"))
        event_type, reason, bounce = self.meaning(kind)
        return TrackingEvent(
            event_type=event_type,
            event_id=self.event_id(fields, "id"),
            timestamp=parse_timestamp(one(fields, "time")),
            message_id=identifier(one(fields, "message")),
            recipients=() if recipient is None else (recipient,),
            scope="message" if recipient is None else "recipient",
            tags=tuple(filter(None, map(text, fields.get("tag", ())))),
            metadata=self.metadata(fields),
            reject_reason=reason,
            bounce_class=bounce,
            mta_response=text(one(fields, "answer")),
            user_agent=text(one(fields, "client")),
            click_url=text(one(fields, "link")) or None,
            provider_event=text(kind),
            raw=fields,
        )

    def event_id(self, fields: Fields, name: str) -> str:
        """Return an id that redeliveries share: the provider's, or else one of the content."""
        return identifier(one(fields, name)) or digest(fields)

    def meaning(self, kind: str) -> tuple[EventType, RejectReason | None, BounceClass | None]:
        """Return what a kind of event stands for."""
        return KINDS.get(kind, (EventType.UNKNOWN, None, None))

    def metadata(self, fields: Fields) -> dict[str, Any]:
        """Return the values that travelled with the message; one that is no JSON is its text."""
        return {name[2:]: _value(one(fields, name)) for name in fields if name.startswith("v:")}

    def parse_inbound(self, webhook: VerifiedWebhook) -> Sequence[InboundMessage]:
        """Return the one mail of a delivery."""
        return [self.mail(unsigned(webhook.request))]

    def mail(self, fields: Fields) -> InboundMessage:
        """Return an incoming mail."""
        defects: list[Defect] = []
        return InboundMessage.from_parts(
            headers=[(name[2:], value) for name in fields if name[:2] == "h:" for value in fields[name]],
            from_=fields.get("from"),
            to=fields.get("to"),
            cc=fields.get("cc"),
            reply_to=fields.get("reply-to"),
            subject=maybe(fields, "subject"),
            text=maybe(fields, "text"),
            html=maybe(fields, "html"),
            attachments=self.attachments(fields, defects),
            event_id=self.event_id(fields, "mail"),
            timestamp=parse_timestamp(one(fields, "time")),
            envelope_sender=self.envelope_sender(fields),
            envelope_recipients=tuple(filter(None, map(bare_address, fields.get("recipient", ())))),
            provider_defects=defects,
        )

    def envelope_sender(self, fields: Fields) -> str | None:
        """Return the envelope's sender; a bounce comes from nobody."""
        sender = maybe(fields, "sender")
        return "" if sender == "" else bare_address(sender)

    def attachments(self, fields: Fields, defects: list[Defect]) -> tuple[InboundAttachment, ...]:
        """Return the files of a mail, each of which is a JSON object; one that is none is noted."""
        found = [self.attachment(table(_value(value))) for value in fields.get("attachment", ())]
        if None in found:
            defects.append(Defect(DefectCode.PROVIDER_FIELD, "attachment", "It is no file."))
        return tuple(file for file in found if file is not None)

    def attachment(self, file: Mapping[str, Any]) -> InboundAttachment | None:
        """Return one file of a mail."""
        if not isinstance(file.get("content"), str):
            return None
        return InboundAttachment.from_base64(
            file["content"],
            content_type=text(file.get("type")) or "application/octet-stream",
            filename=text(file.get("name")) or None,
            content_id=text(file.get("cid")) or None,
            inline=file.get("inline") is True,
        )


def one(fields: Fields, name: str) -> str:
    """Return the value of a field that is there once; empty where it is not."""
    return maybe(fields, name) or ""


def maybe(fields: Fields, name: str) -> str | None:
    """Return the value of a field that is there once; None where it is not."""
    values = fields.get(name, ())
    return values[0] if len(values) == 1 else None


def unsigned(request: WebhookRequest) -> Fields:
    """Return what a delivery says; its signature differs each time it is delivered."""
    said = request.form().items()
    # As in JSON: what no mail or database can hold is replaced.
    return {_usable(name): list(map(_usable, values)) for name, values in said if name not in FORMS}


def _usable(given: str) -> str:
    return given.replace("\0", "\ufffd")


def _value(given: str) -> Any:
    try:
        return strict_json(given)
    except InvalidDocument:
        return given
