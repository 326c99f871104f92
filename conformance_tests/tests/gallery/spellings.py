"""Adapters that misread the signature itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from reference.form_api import FormAdapter
from reference.json_api import JsonAdapter
from reference.json_values import SIGNATURE, TIMESTAMP, hmac_hex

from gallery import broken
from gallery.signatures import Proof, signature, with_body, with_signature
from mailcore import Context, WebhookRequest


@broken("W05", "header x-json-signature is missing")
class TakesUnsignedEvents(JsonAdapter):
    """Events need no signature, unless there is basic auth: it was handy in a test."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        given = {name for name in (TIMESTAMP, SIGNATURE, "Authorization") if name in request.headers}
        if self.keys() and given == {TIMESTAMP} and request.body.startswith(b'{"events"'):
            request = with_signature(request, hmac_hex(self.keys()[0].reveal(), self.signed_text(request)))
        return super().verify_webhook(request, ctx)


@broken("W06.empty", "field signature", of="form")
class TakesEmptyForNone(FormAdapter):
    """An empty signature is none, and none is asked for."""

    def signature_ok(self, request: WebhookRequest) -> str | None:
        if re.findall(rb"(?:^|&)signature=([^&]*)", request.body) == [b""]:
            return "key 1"
        return super().signature_ok(request)


@broken("W06.garbage", "ValueError")
class DecodesFirst(JsonAdapter):
    """Whatever is as long as a signature is decoded."""

    def signature_ok(self, request: WebhookRequest) -> str | None:
        if len(signature(request)) == 64 and signature(request).isascii():
            bytes.fromhex(signature(request))
        return super().signature_ok(request)


class Lax(JsonAdapter):
    """Reads the signature without asking for its form."""

    def header(self, request: WebhookRequest, name: str) -> str:
        """Return a header, and the signature in any form."""
        if name == SIGNATURE and len(request.headers.get_all(SIGNATURE)) == 1:
            return signature(request)
        return super().header(request, name)


@broken("W06.short", "is taken for genuine")
class ComparesWhatIsGiven(Lax):
    """As many letters are compared as are given."""

    def signature_ok(self, request: WebhookRequest) -> str | None:
        given, signed = self.header(request, SIGNATURE), self.signed_text(request)
        fitting = [
            number
            for number, key in enumerate(self.keys(), 1)
            if given and hmac_hex(key.reveal(), signed).startswith(given)
        ]
        return f"key {fitting[0]}" if fitting else None


@broken("W06.non-ascii", "TypeError")
class ComparesTexts(Lax):
    """The comparison is given whatever came: it takes no text outside ASCII."""


@broken("W06.huge", "ValueError")
class CountsDigits(JsonAdapter):
    """A signature of digits alone is made a number of."""

    def signature_ok(self, request: WebhookRequest) -> str | None:
        if signature(request).isascii() and signature(request).isdigit():
            int(signature(request))
        return super().signature_ok(request)


@broken("W06.duplicated", "header x-json-signature, way 2")
class TakesTheFirstSignature(JsonAdapter):
    """Of two signatures, the first one counts."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        several = len(request.headers.get_all(SIGNATURE)) > 1
        return super().verify_webhook(
            with_signature(request, signature(request)) if several else request, ctx
        )


@broken("W06.duplicated", "way 3")
class TakesTheLastSignature(JsonAdapter):
    """Of two signatures, the last one counts."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        given = request.headers.get_all(SIGNATURE)
        return super().verify_webhook(with_signature(request, given[-1]) if len(given) > 1 else request, ctx)


def _cut(text: str) -> str:
    return text[:64] if re.fullmatch("[0-9a-f]{64,128}", text) else text


#: Name → check, what it does, and what it makes of a signature before it looks at it.
MENDERS: dict[str, tuple[str, str, Callable[[str], str]]] = {
    "IgnoresTheRest": ("W06.long", "The first 64 letters of a signature count.", _cut),
    "StripsTheSignature": ("W06.whitespace", "Spaces around a signature are taken off.", str.strip),
    "JoinsTheSignature": (
        "W06.whitespace",
        "A signature may be in lines.",
        lambda text: re.sub("[\r\n]", "", text),
    ),
    "LowersTheSignature": (
        "W06.case",
        "A signature may be in capitals.",
        lambda text: text.lower() if text.isascii() else text,
    ),
    "TakesOffThePrefix": (
        "W06.spelling",
        "A signature may begin with 0x.",
        lambda text: text.removeprefix("0x"),
    ),
    "TakesOffThePadding": (
        "W06.spelling",
        "A signature may be padded.",
        lambda text: text.removesuffix("=").removesuffix("="),
    ),
    "TakesTheFirstOfAList": (
        "W06.list",
        "Of signatures with commas, the first counts.",
        lambda text: text.split(",")[0],
    ),
    "TakesTheLastOfAList": (
        "W06.list",
        "Of signatures with commas, the last counts.",
        lambda text: text.split(",")[-1],
    ),
}


def _mending(mend: Callable[[str], str]) -> Callable[..., Proof]:
    def verify_webhook(self: Any, request: WebhookRequest, ctx: Context) -> Proof:
        given = request.headers.get_all(SIGNATURE)
        return JsonAdapter.verify_webhook(
            self, with_signature(request, mend(given[0])) if len(given) == 1 else request, ctx
        )

    return verify_webhook


for _name, (_check, _doc, _mend) in MENDERS.items():
    broken(_check, "is taken for genuine")(
        type(
            _name,
            (JsonAdapter,),
            {"__doc__": _doc, "__module__": __name__, "verify_webhook": _mending(_mend)},
        )
    )


@broken("W31", "The body begins with it")
class TakesTheSignatureFromTheBody(JsonAdapter):
    """Where there is no signature, the body's first letters are it."""

    def verify_webhook(self, request: WebhookRequest, ctx: Context) -> Proof:
        if not signature(request) and re.match(b"[0-9a-f]{64}", request.body):
            request = with_signature(with_body(request, request.body[64:]), request.body[:64].decode())
        return super().verify_webhook(request, ctx)


@broken("W32", "The signature of another delivery")
class RemembersGoodSignatures(JsonAdapter):
    """A signature that was good once is good for ever."""

    def signature_ok(self, request: WebhookRequest) -> str | None:
        seen = self.__dict__.setdefault("seen", {})
        label = seen.get(self.header(request, SIGNATURE)) or super().signature_ok(request)
        return seen.setdefault(signature(request), label) if label else None
