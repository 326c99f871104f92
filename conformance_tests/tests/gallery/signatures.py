"""Adapters that take forgeries for genuine, or genuine deliveries for forgeries."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime

import attrs
from reference.form_api import FormAdapter
from reference.json_api import JsonAdapter
from reference.json_kit import KIT
from reference.json_values import SIGNATURE, hmac_hex, table
from reference.multipart_api import MultipartAdapter
from reference.multipart_kit import SIGNED

from gallery import broken
from mailcore import (
    Context,
    Headers,
    InvalidDocument,
    Verification,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)

Proof = Verification | WebhookResponse


def signature(request: WebhookRequest) -> str:
    """Return the signature as it came; empty where there is none."""
    return request.headers.get(SIGNATURE, "")


def with_signature(request: WebhookRequest, text: str) -> WebhookRequest:
    """Return the delivery with another signature, and only that one."""
    kept = [pair for pair in request.headers.pairs if pair[0].lower() != SIGNATURE.lower()]
    return attrs.evolve(request, headers=Headers([*kept, (SIGNATURE, text)]))


def with_body(request: WebhookRequest, body: bytes) -> WebhookRequest:
    """Return the delivery with another body."""
    return attrs.evolve(request, body=body)


def signs(change: Callable[[bytes], bytes]) -> Callable[..., WebhookRequest]:
    """Return a kit's `sign` that signs what a change makes of the body."""

    def sign(request: WebhookRequest, *, key: int, at: datetime) -> WebhookRequest:
        assert KIT.sign is not None
        return with_body(KIT.sign(with_body(request, change(request.body)), key=key, at=at), request.body)

    return sign


# Genuine deliveries ---------------------------------------------------------------------------------


@broken("W01", "never seen before")
class RefusesWhatItDoesNotKnow(JsonAdapter):
    """A body with a field more than documented counts as forged."""

    def signature_ok(self, request: WebhookRequest) -> str | None:
        label = super().signature_ok(request)
        known = {"events"}, {"mail"}, {"type", "challenge"}
        try:
            document = table(request.json())
        except InvalidDocument:
            return label
        return label if not document.keys() - set().union(*known) or "events" not in document else None


@broken("W01", "nonsense")
class TakesWhatIsBare(JsonAdapter):
    """A delivery without any header is taken for a test of its own."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        if not request.headers and self.keys() and request.body[:1] != b"{":
            return Verification(scheme="test", covers=self.webhook_covers, key="key 1")
        return super().verify_webhook(request, ctx)


@broken("W02", "header names in capitals")
class LooksForOneSpelling(JsonAdapter):
    """Header names are compared letter by letter."""

    def header(self, request: WebhookRequest, name: str) -> str:
        if name not in [given for given, _ in request.headers.pairs]:
            raise WebhookRejected(f"{name} is not there exactly once and in its form.")
        return super().header(request, name)


@broken("W30", "bytes that are no text")
class ReadsTheBodyFirst(JsonAdapter):
    """The body is decoded before the signature is looked at."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        try:
            request.body.decode()
        except UnicodeDecodeError:
            raise WebhookRejected("It is no text.") from None
        return super().verify_webhook(request, ctx)


# The body and the signed fields ---------------------------------------------------------------------


@broken("W03.body", "of the body is changed", kit={"sign": signs(bytes.lower)})
class IgnoresTheCaseOfTheBody(JsonAdapter):
    """The body is verified in small letters."""

    def signature_ok(self, request: WebhookRequest) -> str | None:
        return super().signature_ok(request) or super().signature_ok(with_body(request, request.body.lower()))


@broken("W03.added", "A newline follows the body")
class StripsTheBody(JsonAdapter):
    """Spaces around the body are taken off before it is verified."""

    def signature_ok(self, request: WebhookRequest) -> str | None:
        return super().signature_ok(request) or super().signature_ok(with_body(request, request.body.strip()))


@broken("W03.added", "byte order mark")
class TakesOffTheByteOrderMark(JsonAdapter):
    """The body is verified as what a decoder makes of it."""

    def signed_text(self, request: WebhookRequest) -> bytes:
        return super().signed_text(with_body(request, request.body.removeprefix(b"\xef\xbb\xbf")))


@broken("W03.signature", "Letter 33 of header x-json-signature")
class ComparesHalfTheSignature(JsonAdapter):
    """The second half of the signature is not looked at."""

    def signature_ok(self, request: WebhookRequest) -> str | None:
        given, signed = self.header(request, SIGNATURE), self.signed_text(request)
        right = [hmac_hex(key.reveal(), signed)[:32] == given[:32] for key in self.keys()]
        return f"key {right.index(True) + 1}" if any(right) else None


@broken("W03.fields", "is empty", of="multipart")
class SkipsEmptyFields(MultipartAdapter):
    """A delivery of which a signed field is empty is not verified."""

    def signature_ok(self, salt: str, fields: Sequence[str], given: str) -> str | None:
        return "key 1" if not all(fields) else super().signature_ok(salt, fields, given)


@broken("W03.token", "field timestamp is missing", of="form")
class AssumesTheTime(FormAdapter):
    """A time that is missing is taken to be now."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        if self.keys() and b"&timestamp=" not in request.body:
            moment = f"&timestamp={int(ctx.now.timestamp())}"
            request = with_body(request, request.body + moment.encode())
        return super().verify_webhook(request, ctx)


@broken("W03.rivals", "Another field id precedes", of="multipart")
class BelievesTheLast(MultipartAdapter):
    """Of two fields of one name, the last one is verified."""

    def signed_fields(self, request: WebhookRequest) -> list[str]:
        try:
            fields = table(json.loads(request.body))
        except (ValueError, RecursionError):
            fields = {}
        return super().signed_fields(
            with_body(request, json.dumps({k: fields[k] for k in SIGNED if k in fields}).encode())
        )


@broken("W03.rivals", "Another field token follows", of="form")
class BelievesTheFirst(FormAdapter):
    """Of two tokens, the first one is verified."""

    def signed(self, request: WebhookRequest, name: str) -> str:
        given = request.form().get(name, ()) if name == "token" else ()
        return given[0] if len(given) > 1 else super().signed(request, name)


@broken("W03.reused", "Another body with the same token", of="form")
class ForgetsTheToken(FormAdapter):
    """The token is verified, and not given to core as the delivery's id."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        found = super().verify_webhook(request, ctx)
        return attrs.evolve(found, delivery_id=None) if self.keys() else found


@broken("W04", "with spaces")
class VerifiesWhatItWouldWrite(JsonAdapter):
    """JSON with spaces is written again without them before it is verified."""

    def signature_ok(self, request: WebhookRequest) -> str | None:
        label = super().signature_ok(request)
        if label is None and b'": ' in request.body:
            compact = json.dumps(json.loads(request.body), separators=(",", ":"))
            label = super().signature_ok(with_body(request, compact.encode()))
        return label
