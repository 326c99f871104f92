"""A correct adapter of an invented provider that takes forms with files, and signs some fields of webhooks.

Rule: what the signature does not cover may be anybody's; the adapter says so (`Covers.FIELDS`), and core and
the application decide what that is worth.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mailcore import (
    Adapter,
    Address,
    Attachment,
    BounceClass,
    Context,
    Covers,
    EndpointKind,
    EventType,
    Flow,
    HttpRequest,
    HttpResponse,
    InvalidDocument,
    MaybeSent,
    Message,
    MultipartBody,
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
from reference.json_values import bare_address, digest, identifier, table, text, words
from reference.multipart_kit import (
    CODES,
    KINDS,
    KIT,
    NAME,
    SALT_URL,
    SIGNATURE,
    SIGNED,
    SPEC,
    MultipartOptions,
    signature,
)

__all__ = ["KIT", "SPEC", "MultipartAdapter", "MultipartOptions"]


def _mailbox(addresses: Sequence[Address]) -> str:
    # The provider takes one; core refuses more.
    return addresses[0].to_text()


def _mailboxes(addresses: Iterable[Address]) -> str:
    # One comma-separated text: an unquoted name with a comma would become a recipient.
    return ", ".join(address.to_text() for address in addresses)


#: Our field → the provider's field, and how it is written.
FIELDS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "from_": ("from", _mailbox),
    "to": ("to", _mailboxes),
    "cc": ("cc", _mailboxes),
    "bcc": ("bcc", _mailboxes),
    "reply_to": ("reply_to", _mailbox),
    "subject": ("subject", str),
    "text": ("text", str),
    "html": ("html", str),
    "tags": ("tag", "".join),  # there is at most one
    "template_id": ("template", str),
}


class MultipartAdapter(Adapter):
    """Translate between the invented provider and the common values."""

    options: MultipartOptions

    # Sending ------------------------------------------------------------------------------------

    def url(self, message: Message, ctx: Context) -> str:
        """Return where a message goes."""
        return self.options.api_url

    def headers(self, message: Message, ctx: Context) -> list[tuple[str, str | Secret]]:
        """Return the headers of a request, but for the type of its body."""
        key = self.options.api_key
        return [("Accept", "application/json"), *([] if key is None else [("X-Account-Key", key)])]

    def fields(self, message: Message, ctx: Context) -> list[tuple[str, str | Attachment]]:
        """Return the fields and files of the form; one that is absent is left out."""
        given = [(*row, getattr(message, ours)) for ours, row in FIELDS.items()]
        pairs: list[tuple[str, str | Attachment]] = [
            (name, write(value)) for name, write, value in given if value
        ]
        variables = self.variables(message)
        if variables:
            pairs.append(("variables", json.dumps(variables, default=dict)))
        pairs += [(self.file_field(file), file) for file in message.attachments]
        own: Mapping[str, Any] = message.provider_options.get(NAME, {})
        return [pair for pair in pairs if pair[0] not in own] + list(own.items())

    def variables(self, message: Message) -> dict[str, Any]:
        """Return the values for a template; `each`, even empty, makes one mail for each recipient."""
        found: dict[str, Any] = {}
        if message.merge_global_data:
            found["all"] = message.merge_global_data
        if message.merge_data is not None:
            # A row is found by the spelling that `to` has on the wire.
            found["each"] = {Address(spec).ascii_spec: row for spec, row in message.merge_data.items()}
        return found

    def file_field(self, file: Attachment) -> str:
        """Return the field a file goes into, which says how it is shown."""
        if not file.inline:
            return "attachment"
        return f"cid:{file.content_id}" if file.content_id else "inline"

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        """Return the request that sends one message."""
        body = MultipartBody(self.fields(message, ctx), boundary=self.boundary(ctx))
        return HttpRequest(
            method="POST",
            url=self.url(message, ctx),
            headers=[("Content-Type", body.content_type), *self.headers(message, ctx)],
            body=body,
        )

    def boundary(self, ctx: Context) -> str:
        """Return what separates the fields: the same for each attempt at one message."""
        return f"part-{ctx.unique}"

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        """Return the result of an accepted message; 200 with a number is the only acceptance."""
        if response.status != 200:
            raise self.error(response, ctx)
        return self.result(message, response)

    def read(self, response: HttpResponse) -> dict[str, Any]:
        """Return the JSON object of an answer; an empty one where it is none."""
        try:
            return table(strict_json(response.body))
        except InvalidDocument:
            return {}

    def result(self, message: Message, response: HttpResponse) -> SendResult:
        """Return the result that an answer stands for."""
        message_id = identifier(self.read(response).get("message"))
        if message_id is None:
            raise MaybeSent("The provider took the mail without a readable number.", response=response)
        return SendResult.for_all(message, SendStatus.QUEUED, message_id, raw=response)

    def error(self, response: HttpResponse, ctx: Context) -> SendError:
        """Return the error for an answer that is no acceptance."""
        document = self.read(response)
        said, code = words(document.get("text")), words(document.get("code")) or None
        cls = CODES.get(code or "") if 400 <= response.status < 500 else None
        return error_for_status(response, said, now=ctx.now, code=code, cls=cls)

    # Receiving ----------------------------------------------------------------------------------

    def keys(self) -> Sequence[Secret]:
        """Return the keys that are trusted."""
        return self.options.webhook_key or ()

    @property
    def webhook_covers(self) -> Covers:
        """Some fields where a key is set; otherwise basic auth must vouch."""
        return Covers.FIELDS if self.keys() else Covers.NOTHING

    def verify_flow(self, request: WebhookRequest, ctx: Context) -> Flow[Verification | WebhookResponse]:
        """Verify the signed fields, where a key is set."""
        if not self.keys():
            return self.verify_webhook(request, ctx)
        fields, given = self.signed_fields(request), self.given(request)
        # What no key can have signed is refused by now: a stranger cannot make us fetch at will.
        salt = self.salt((yield self.salt_request()))
        label = self.signature_ok(salt, fields, given)
        if label is None:
            raise WebhookRejected("No configured key verifies the signature.")
        return Verification(
            scheme="hmac-sha256-fields", covers=Covers.FIELDS, key=label, delivery_id=fields[0] or None
        )

    def signed_fields(self, request: WebhookRequest) -> list[str]:
        """Return the values under the signature; an absent one is empty."""
        try:
            document = table(request.json())
        except InvalidDocument:
            raise WebhookRejected("It is not JSON.") from None
        values = [document.get(name, "") for name in SIGNED]
        if not any(values) or not all(isinstance(value, str) and "|" not in value for value in values):
            raise WebhookRejected("The signed fields are not there, each in its form.")
        return values

    def given(self, request: WebhookRequest) -> str:
        """Return the signature, which is there exactly once, in its form."""
        given = request.headers.get_all(SIGNATURE)
        if len(given) != 1 or not re.fullmatch(r"[0-9a-f]{64}", given[0]):
            raise WebhookRejected(f"{SIGNATURE} is not there exactly once and in its form.")
        return given[0]

    def salt_request(self) -> HttpRequest:
        """Return the request for today's salt. It is public: without a key it makes no signature."""
        return HttpRequest(
            method="GET", url=SALT_URL, headers=[("Accept", "application/json")], commits=False
        )

    def salt(self, response: HttpResponse) -> str:
        """Return today's salt."""
        found = text(self.read(response).get("salt")) if response.status == 200 else ""
        if not found:
            raise WebhookRejected("The salt of the signatures could not be fetched.")
        return found

    def signature_ok(self, salt: str, fields: Sequence[str], given: str) -> str | None:
        """Return the label of the key that signed a delivery; None if none did."""
        for number, key in enumerate(self.keys(), 1):
            if hmac.compare_digest(signature(key.reveal(), salt, fields), given):
                return f"key {number}"
        return None

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        """Tell an event by its shape; there is nothing else."""
        kind = text(table(webhook.request.json()).get("type"))
        return EndpointKind.TRACKING if kind else None

    def parse_events(self, webhook: VerifiedWebhook) -> Sequence[TrackingEvent]:
        """Return the one event of a delivery."""
        return [self.event(table(webhook.request.json()))]

    def event(self, fields: Mapping[str, Any]) -> TrackingEvent:
        """Return an event; a value of another type than documented is absent."""
        kind, recipient = text(fields.get("type")), bare_address(fields.get("recipient"))
        event_type, reason, bounce = self.meaning(kind)
        return TrackingEvent(
            event_type=event_type,
            event_id=self.event_id(fields),
            timestamp=parse_timestamp(fields.get("at")),
            message_id=identifier(fields.get("message")),
            recipients=() if recipient is None else (recipient,),
            scope="message" if recipient is None else "recipient",
            tags=tuple(filter(None, [text(fields.get("tag"))])),
            reject_reason=reason,
            bounce_class=bounce,
            mta_response=text(fields.get("answer")),
            user_agent=text(fields.get("client")),
            provider_event=kind,
            raw=fields,
        )

    def event_id(self, fields: Mapping[str, Any]) -> str:
        """Return an id that redeliveries share: the provider's, or else one of the content."""
        return identifier(fields.get("id")) or digest(fields)

    def meaning(self, kind: str) -> tuple[EventType, RejectReason | None, BounceClass | None]:
        """Return what a kind of event stands for."""
        return KINDS.get(kind, (EventType.UNKNOWN, None, None))
