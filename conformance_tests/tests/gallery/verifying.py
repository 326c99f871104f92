"""Adapters that misuse basic auth, do too much to verify, or mistake one delivery for another."""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime
from typing import Any

import attrs
from reference.json_api import JsonAdapter
from reference.json_kit import KIT
from reference.mime_api import MimeAdapter
from reference.multipart_api import MultipartAdapter

from gallery import broken
from gallery.signatures import Proof
from mailcore import (
    Context,
    Covers,
    Flow,
    HttpRequest,
    HttpResponse,
    Verification,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)

# Basic auth ---------------------------------------------------------------------------------------


@broken("A01", "and is not handled")
class WantsAKeyForMail(JsonAdapter):
    """Mail is taken with a signature alone."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        if not self.keys() and b'"mail"' in request.body:
            raise WebhookRejected("Mail needs a key.")
        return super().verify_webhook(request, ctx)


@broken("A02", "it is taken for genuine")
class TakesAnyPassword(JsonAdapter):
    """Whoever presents a password is let in."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        if not self.keys() and "Authorization" in request.headers:
            request = attrs.evolve(request, basic_auth=request.basic_auth or "someone")
        return super().verify_webhook(request, ctx)


@broken("A02", "With no credentials", of="mime")
class AsksForNothing(MimeAdapter):
    """There is no signature, so nobody is asked for one."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        if not request.headers:
            raise WebhookRejected("It is empty.")
        return Verification(scheme="none", covers=Covers.NOTHING, key=request.basic_auth or "anyone")


@broken("A03", "holds the key, or a part of it")
class ShowsThePassword(JsonAdapter):
    """The label is what was presented."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        found = super().verify_webhook(request, ctx)
        return found if self.keys() else attrs.evolve(found, key=request.headers.get("Authorization", "?"))


@broken("A03", "body is claimed")
class TrustsThePasswordTooFar(JsonAdapter):
    """A password is said to prove the body."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        found = super().verify_webhook(request, ctx)
        return found if self.keys() else attrs.evolve(found, covers=Covers.BODY)


# What verifying does --------------------------------------------------------------------------------


def fetched(request: Any) -> HttpResponse:
    """Answer any request."""
    return HttpResponse(status=200)


def get(url: str) -> HttpRequest:
    """Return a request that fetches."""
    return HttpRequest(method="GET", url=url, commits=False)


@broken("W35.few", "a forged delivery makes a request with commits=True", kit={"answer": fetched})
class ReportsForgeries(JsonAdapter):
    """Each forged delivery is reported to the provider."""

    def verify_flow(self, request: WebhookRequest, ctx: Context) -> Flow[Proof]:
        try:
            return self.verify_webhook(request, ctx)
        except WebhookRejected:
            yield HttpRequest(method="POST", url="https://api.json-api.example/v1/forgeries")
            raise


@broken("W35.few", "takes more than 3 requests", of="multipart")
class AsksAgain(MultipartAdapter):
    """The salt is fetched several times over, to be sure."""

    def verify_flow(self, request: WebhookRequest, ctx: Context) -> Flow[Proof]:
        for _ in range(3 if self.keys() else 0):
            yield self.salt_request()
        return (yield from super().verify_flow(request, ctx))


CERTIFICATE = "X-Json-Certificate"


def names_certificate(request: WebhookRequest, *, key: int, at: datetime) -> WebhookRequest:
    """Sign as the provider would that says where its certificate is."""
    assert KIT.sign is not None
    signed = KIT.sign(request, key=key, at=at)
    return attrs.evolve(
        signed, headers=[*signed.headers.pairs, (CERTIFICATE, "https://keys.json-api.example/1")]
    )


@broken(
    "W35.elsewhere", "an address that the delivery names", kit={"answer": fetched, "sign": names_certificate}
)
class FetchesFromAnywhere(JsonAdapter):
    """The certificate is fetched from where the delivery says."""

    def verify_flow(self, request: WebhookRequest, ctx: Context) -> Flow[Proof]:
        if CERTIFICATE in request.headers:
            yield get(request.headers[CERTIFICATE])
        return self.verify_webhook(request, ctx)


@broken("W35.elsewhere", "without https", kit={"answer": fetched, "sign": names_certificate})
class FetchesInTheOpen(JsonAdapter):
    """The host of the certificate is checked, and not how it is fetched."""

    def verify_flow(self, request: WebhookRequest, ctx: Context) -> Flow[Proof]:
        if request.headers.get(CERTIFICATE, "").partition("://")[2] == "keys.json-api.example/1":
            yield get(request.headers[CERTIFICATE])
        return self.verify_webhook(request, ctx)


@broken("W36.body", "IndexError")
class GuessesByTheFirstByte(JsonAdapter):
    """The first byte of the body tells what it is."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        if request.body[0] == 0:
            raise WebhookRejected("It is no text.")
        return super().verify_webhook(request, ctx)


@broken("W36.headers", "IndexError")
class ReadsThePasswordItself(JsonAdapter):
    """Basic auth is decoded beside the signature."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        if self.keys() and "Authorization" in request.headers:
            b64decode(request.headers["Authorization"].split(" ")[1])
        return super().verify_webhook(request, ctx)


# What comes again, and handshakes -------------------------------------------------------------------


class Renamed(JsonAdapter):
    """Gives another id to a delivery."""

    def delivery_id(self, request: WebhookRequest, ctx: Context, given: str) -> str:
        """Return the id."""
        return given

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        """Verify, and give the delivery another id."""
        found = super().verify_webhook(request, ctx)
        if isinstance(found, WebhookResponse) or not self.keys():
            return found
        return attrs.evolve(found, delivery_id=self.delivery_id(request, ctx, found.delivery_id or ""))


@broken("W37.once", "is handled again")
class MakesItsOwnIds(Renamed):
    """The id of a delivery is made up each time."""

    def delivery_id(self, request: WebhookRequest, ctx: Context, given: str) -> str:
        return ctx.unique


@broken("W37.distinct", "have one delivery_id")
class TakesTheDayForAnId(Renamed):
    """All deliveries of one second have one id."""

    def delivery_id(self, request: WebhookRequest, ctx: Context, given: str) -> str:
        return str(int(ctx.now.timestamp()))


def numbered(request: WebhookRequest, *, key: int, at: datetime) -> WebhookRequest:
    """Sign as a provider would behind a proxy that numbers requests."""
    assert KIT.sign is not None
    signed = KIT.sign(request, key=key, at=at)
    return attrs.evolve(signed, headers=[*signed.headers.pairs, ("X-Request-Id", "request-1")])


@broken("W37.signed-id", "With another header x-request-id", kit={"sign": numbered})
class BelievesTheProxy(Renamed):
    """The id is one that anybody can write."""

    def delivery_id(self, request: WebhookRequest, ctx: Context, given: str) -> str:
        return request.headers.get("X-Request-Id", given)


@broken("W38.answered", "lacks what the provider wants to hear")
class IgnoresHandshakes(JsonAdapter):
    """A handshake is a delivery like any other."""

    def challenge(self, request: WebhookRequest) -> bytes | None:
        return None


@broken("W38.answered", "answered with 202")
class AnswersAnotherStatus(JsonAdapter):
    """A handshake is answered with a success, and not with the documented one."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        found = super().verify_webhook(request, ctx)
        return attrs.evolve(found, status=202) if isinstance(found, WebhookResponse) else found


@broken("W38.forged", "is answered with 200")
class AnswersAnyHandshake(JsonAdapter):
    """A handshake is answered before it is verified."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        challenge = self.challenge(request) if self.keys() else None
        return (
            WebhookResponse(status=200, body=challenge) if challenge else super().verify_webhook(request, ctx)
        )


@broken("W38.forged", "its challenge is echoed")
class RepeatsWhatItRefused(JsonAdapter):
    """A refused handshake is answered with what it said."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        self.heard = self.challenge(request) or b""
        return super().verify_webhook(request, ctx)

    def webhook_response(self, disposition: Any, kind: Any) -> WebhookResponse:
        return attrs.evolve(super().webhook_response(disposition, kind), body=getattr(self, "heard", b""))
