"""Adapters that misread mail from the outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs
from reference.json_api import KIT, SPEC, TIMESTAMP, JsonAdapter, identifier, table, text

from gallery import broken
from gallery.events import kit_without
from mailcore import (
    Capability,
    Context,
    EndpointKind,
    Flow,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    InvalidDocument,
    Level,
    Support,
    TrackingEvent,
    VerifiedWebhook,
)

__all__ = ["Scored"]

_SOMETIMES = Support(
    level=Level.LIMITED, note="Some mail.", url=SPEC.capabilities[Capability.INBOUND_RAW].url
)

# Samples --------------------------------------------------------------------------------------------


@broken("W20", "`timestamp` is None instead of")
class LosesTheTimeOfReceipt(JsonAdapter):
    """Does not say when the mail came in."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        return attrs.evolve(super().mail(element), timestamp=None)


@broken("W20", "`envelope_recipients` is ['desk@in.example.com'] instead of")
class KeepsOneRecipient(JsonAdapter):
    """Keeps the first recipient of the envelope: a hidden one is lost."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        found = super().mail(element)
        return attrs.evolve(found, envelope_recipients=found.envelope_recipients[:1])


@broken("W20", "which nobody can read, is not kept for a person")
class TakesMailWithoutItsSource(JsonAdapter):
    """Makes an empty mail of a delivery that lacks the mail."""

    def source(self, element: Mapping[str, Any]) -> bytes:
        return super().source(element) if {"raw", "raw_base64"} & element.keys() else b""


@broken("W20", "Whatever subject and text are in a sample")
class KnowsTwoMailsByHeart(JsonAdapter):
    """Knows the sources of two mails that it has seen, and reads only those of others."""

    def source(self, element: Mapping[str, Any]) -> bytes:
        mails = [one.request.json().get("mail") for one in KIT.deliveries if one.kind is EndpointKind.INBOUND]
        known = {mail["id"]: mail["raw"].encode() for mail in mails if "raw" in mail}
        return known.get(text(element.get("id"))) or super().source(element)


@broken("W21", "No sample is of a mail with an attachment", kit=kit_without("inbound-full"))
class ShowsPlainMailAlone(JsonAdapter):
    """Comes with samples of the plainest mails."""


# The source and the files ---------------------------------------------------------------------------


@broken("W21.attachment", "A file of all byte values in the source of the sample")
class CutsTheSource(JsonAdapter):
    """Keeps as much of a mail as a column of its database holds."""

    def source(self, element: Mapping[str, Any]) -> bytes:
        return super().source(element)[:4_000]


@broken("W22", "comes without `raw`")
class ThrowsTheSourceAway(JsonAdapter):
    """Hands over what it read of the source instead of the source."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        found = super().mail(element)
        parts = InboundMessage.from_parts(
            headers=found.headers.pairs,
            text=found.text,
            html=found.html,
            attachments=(*found.attachments, *found.inlines),
        ).parts
        return attrs.evolve(found, raw=None, parts=parts)


@broken(
    "W22",
    "comes without `raw`",
    spec={"capabilities": {**SPEC.capabilities, Capability.INBOUND_RAW: _SOMETIMES}},
)
class ThrowsEachLimitedSourceAway(ThrowsTheSourceAway):
    """Says that some mail comes with its source, and hands over none."""


@broken("W22.source", "`raw` is not byte for byte what the provider passed on")
class LeavesItsMarkInTheSource(JsonAdapter):
    """Puts a header of its own on top."""

    def source(self, element: Mapping[str, Any]) -> bytes:
        return b"X-Received-By: reference\r\n" + super().source(element)


# The envelope ---------------------------------------------------------------------------------------


@broken("W23", "in the envelope of the sample")
class LowersTheEnvelopesRecipients(JsonAdapter):
    """Writes addresses in lower case, as if the part before the @ were ours to change."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        found = super().mail(element)
        return attrs.evolve(found, envelope_recipients=[one.lower() for one in found.envelope_recipients])


@broken("W23", "the mail has ('desk@in.example.com',)")
class TakesALoneRecipientFromTo(JsonAdapter):
    """Believes the header `To` where the envelope has one recipient."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        found = super().mail(element)
        if len(found.envelope_recipients) != 1 or len(found.to) != 1:
            return found
        return attrs.evolve(found, envelope_recipients=[found.to[0].addr_spec])


@broken("W23.sender", "the mail has 'fresh.person+tag@sub.example.net'")
class LowersTheEnvelopesSender(JsonAdapter):
    """Writes the sender's address in lower case."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        found = super().mail(element)
        return attrs.evolve(found, envelope_sender=found.envelope_sender and found.envelope_sender.lower())


@broken("W23.bare", "in the envelope, `envelope_sender` has")
class TakesAnySenderWithAnAt(JsonAdapter):
    """Takes any text with an @ for an address."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        found, given = super().mail(element), table(element.get("envelope")).get("from")
        return attrs.evolve(found, envelope_sender=given) if "@" in text(given) else found


# Identity -------------------------------------------------------------------------------------------


@broken("W24", "has no `event_id`")
class HasNoIdOfItsOwn(JsonAdapter):
    """Leaves a mail without an id where the provider sends none."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        return attrs.evolve(super().mail(element), event_id=identifier(element.get("id")) or "")


@broken("W24.again", "has another id when it comes again")
class MakesIdsOfMailOfTheSignature(JsonAdapter):
    """Lets the time of the signature be part of an id that the provider does not send."""

    def parse_inbound(self, webhook: VerifiedWebhook) -> Sequence[InboundMessage]:
        (mail,) = super().parse_inbound(webhook)
        if identifier(webhook.request.json()["mail"].get("id")):
            return [mail]
        return [attrs.evolve(mail, event_id=mail.event_id + webhook.request.headers.get(TIMESTAMP, ""))]


@broken("W24.other", "Two mails of the same Message-ID and different content")
class TrustsTheMessageId(JsonAdapter):
    """Takes the Message-ID for an id where the provider sends none."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        found = super().mail(element)
        own = identifier(element.get("id"))
        return attrs.evolve(found, event_id=own or found.message_id or found.event_id)


# Odd payloads ---------------------------------------------------------------------------------------


@broken("W25.nulls", "With `mail.received_at` replaced by None: The adapter raised AttributeError")
class StripsATimeThatIsNull(JsonAdapter):
    """Thinks of a key that is not there, and not of one that is null."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        when = element.get("received_at", "")
        if isinstance(when, str | None):
            when.strip()
        return super().mail(element)


@broken("W25.types", "replaced by 7: The adapter raised AttributeError")
class StripsATimeOfAnyType(JsonAdapter):
    """Thinks of a value that is not there, and not of one of another type."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        (element.get("received_at") or "").strip()
        return super().mail(element)


@broken("W25.missing", "With `mail.envelope` left out: The adapter raised KeyError")
class NeedsAnEnvelope(JsonAdapter):
    """Reads an optional key as if it were always there."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        table(element and element["envelope"])
        return super().mail(element)


@broken("W25.extra", "is another mail")
class RefusesMailItDoesNotKnow(JsonAdapter):
    """Refuses mail with a key that the documentation does not have."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        if element.keys() - {"id", "received_at", "envelope", "raw", "raw_base64"}:
            raise InvalidDocument("There is a key nobody documented.")
        return super().mail(element)


@broken("W25.shapes", "Of an empty object, the adapter makes 0 inbound items")
class TakesAnEmptyObjectForMail(JsonAdapter):
    """Takes whatever is no event for mail, and finds none in it."""

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        return super().webhook_kind(webhook) or (
            EndpointKind.INBOUND if webhook.request.json() == {} else None
        )

    def parse_inbound(self, webhook: VerifiedWebhook) -> Sequence[InboundMessage]:
        return super().parse_inbound(webhook) if "mail" in webhook.request.json() else []


@broken("W26", "Of a mail with only html: The adapter raised TypeError")
class LooksIntoTheText(JsonAdapter):
    """Looks at the text of a mail before it knows that there is one."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        found = super().mail(element)
        return attrs.evolve(found, provider_fields={**found.provider_fields, "size": len(found.text)})  # type: ignore[arg-type]  # reason: the mistake


# Its own fields, endpoints, flows -------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Scored(InboundMessage):
    """A mail with a field of its own."""

    spam_score: float = 0.0


@broken("W27", "it has no way through JSON and back")
class AddsAFieldToMail(JsonAdapter):
    """Hands over mail of a class of its own, which nobody else can read back."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        found = super().mail(element)
        given = [field.name for field in attrs.fields(InboundMessage) if field.init]
        return Scored(**{name: getattr(found, name) for name in given})


@broken("W27", "it comes back from JSON with another `provider_fields`")
class AddsADateToTheFields(JsonAdapter):
    """Keeps a value among the provider's fields that JSON does not have."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        found = super().mail(element)
        fields = {**found.provider_fields, "kept_until": datetime(2031, 1, 1, tzinfo=UTC)}
        return attrs.evolve(found, provider_fields=fields)


@broken("W27.types", "`envelope_sender` is '7', which is no bare address")
class MakesTextOfTheSender(JsonAdapter):
    """Turns whatever stands for the sender into text."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        found, given = super().mail(element), table(element.get("envelope")).get("from")
        return attrs.evolve(found, envelope_sender=str(given)) if isinstance(given, int) else found


@broken("W28", "At the endpoint of events, the sample inbound-base64 is not kept for a person")
class TellsEventsByTheUrl(JsonAdapter):
    """Believes that what comes to an URL of events is one."""

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        here = webhook.request.url.endswith("/tracking")
        return EndpointKind.TRACKING if here else super().webhook_kind(webhook)

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        document = webhook.request.json()
        return super().parse_events(webhook) if "events" in document else [self.event(document)]


@broken("W28.events", "At the endpoint of mail, the sample accepted is not kept for a person")
class TellsMailByTheUrl(JsonAdapter):
    """Believes that what comes to an URL of mail is one."""

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        here = webhook.request.url.endswith("/inbound")
        return EndpointKind.INBOUND if here else super().webhook_kind(webhook)

    def parse_inbound(self, webhook: VerifiedWebhook) -> Sequence[InboundMessage]:
        known = "mail" in webhook.request.json()
        return super().parse_inbound(webhook) if known else [InboundMessage(raw=webhook.request.body)]


@broken("W29", "makes a request with commits=True", kit={"answer": lambda _: HttpResponse(status=204)})
class ConfirmsMailByAPost(JsonAdapter):
    """Tells the provider that mail arrived, by a request that looks like one that sends."""

    def inbound_flow(self, webhook: VerifiedWebhook, ctx: Context) -> Flow[Sequence[InboundMessage]]:
        if b"Return-Path: " in webhook.request.body:
            yield HttpRequest(method="POST", url="https://api.json-api.example/v1/confirmed")
        return self.parse_inbound(webhook)


@broken("W29.attached", "is not among its attachments")
class HidesMailWithoutAName(JsonAdapter):
    """Takes a mail that is attached without a file name for some bytes."""

    def source(self, element: Mapping[str, Any]) -> bytes:
        nameless = b"Content-Type: %s\r\nContent-Disposition: attachment\r\n"
        hidden = nameless % b"application/octet-stream"
        return super().source(element).replace(nameless % b"message/rfc822", hidden)
