"""Adapters that misread how the provider says no."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from reference.json_api import KIT, JsonAdapter, table

from gallery import broken
from mailcore import (
    Context,
    HttpResponse,
    MaybeSent,
    Message,
    RateLimited,
    Rejected,
    Scope,
    SenderRejected,
    SendError,
    SendResult,
    ServiceUnavailable,
)


@broken("P03", "sender-unverified: error is 'Rejected', and should be 'SenderRejected'")
class BlamesNobody(JsonAdapter):
    """Does not tell a refused sender from any other refusal."""

    def error(self, response: HttpResponse, ctx: Context) -> SendError:
        found = super().error(response, ctx)
        plain = isinstance(found, SenderRejected)
        return Rejected(str(found), code=found.code, response=response) if plain else found


#: Status without a body → an error that it does not mean, and the complaint.
WRONG: Mapping[int, tuple[Callable[[], SendError], str]] = {
    400: (lambda: ServiceUnavailable("Bad."), "it means rejected"),
    401: (lambda: Rejected("No."), "its scope is message, and should be account"),
    403: (lambda: Rejected("No.", retriable=True), "retriable is True"),
    404: (lambda: ServiceUnavailable("Gone."), "it means rejected"),
    408: (lambda: Rejected("Slow."), "it means not accepted or unknown"),
    413: (lambda: Rejected("Large."), "should be TooLarge"),
    415: (lambda: MaybeSent("Type."), "it means rejected"),
    422: (lambda: MaybeSent("Content."), "it means rejected"),
    429: (lambda: ServiceUnavailable("Busy."), "should be RateLimited"),
    500: (lambda: Rejected("Broken."), "it means unknown"),
    502: (lambda: ServiceUnavailable("Gateway."), "it means unknown"),
    503: (lambda: RateLimited("Down.", scope=Scope.PROVIDER, retriable=False), "retriable is False"),
    504: (lambda: ServiceUnavailable("Late."), "it means unknown"),
}


def _misreads(status: int, error: Callable[[], SendError]) -> type[JsonAdapter]:
    def parse_send(self: JsonAdapter, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        if response.status == status and not response.body and not response.headers:
            raise error()
        return JsonAdapter.parse_send(self, message, ctx, response)

    doc = f"Misreads {status} where nothing else is said."
    members = {"parse_send": parse_send, "__doc__": doc, "__module__": __name__}
    return type(f"Misreads{status}", (JsonAdapter,), members)


for _status, (_error, _reason) in WRONG.items():
    broken(f"P10.{_status}", _reason)(_misreads(_status, _error))


#: Check → what is done to the seconds that were read, given the header.
WAITS: Mapping[str, Callable[[float | None, str], float | None]] = {
    "seconds": lambda seconds, text: None if text == "90" else seconds,
    "date": lambda seconds, text: None if text.endswith("GMT") and seconds else seconds,
    "past": lambda seconds, text: -1.0 if seconds == 0.0 else seconds,
    "huge": lambda seconds, text: float(text) if text.isascii() and text.isdigit() else seconds,
    "garbage": lambda seconds, text: float(int(text)) if text.isdecimal() and not text.isascii() else seconds,
}


def _waits(name: str, change: Callable[[float | None, str], float | None]) -> type[JsonAdapter]:
    def error(self: JsonAdapter, response: HttpResponse, ctx: Context) -> SendError:
        found = JsonAdapter.error(self, response, ctx)
        found.retry_after = change(found.retry_after, response.headers.get("Retry-After", ""))
        return found

    doc = f"Misreads Retry-After: {name}."
    return type(
        f"MisreadsWait{name.title()}",
        (JsonAdapter,),
        {"error": error, "__doc__": doc, "__module__": __name__},
    )


for _name, _change in WAITS.items():
    broken(f"P11.{_name}", "is read as")(_waits(_name, _change))


TEXTS = {str(one.expected[0].get("text")) for one in KIT.exchanges}


@broken("P20", "nothing of what the provider says is in the error")
class KnowsItsWordsByHeart(JsonAdapter):
    """Passes on only the words for which it has been prepared."""

    def error(self, response: HttpResponse, ctx: Context) -> SendError:
        found = super().error(response, ctx)
        if str(found) not in TEXTS:
            found.args, found.fields = (f"HTTP {response.status}: something went wrong",), {}
        return found


@broken("P21", "the error does not hold the answer")
class ForgetsWhatWasAnswered(JsonAdapter):
    """Makes errors of words alone."""

    def error(self, response: HttpResponse, ctx: Context) -> SendError:
        found = super().error(response, ctx)
        found.response = None
        return found


@broken("P22", "the error shows an address or a text of the mail")
class NamesTheRecipient(JsonAdapter):
    """Explains a refusal that nobody explains by the first recipient."""

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        if response.status == 400 and not response.body:
            raise Rejected(f"The mail to {message.to[0].addr_spec} was refused.", response=response)
        return super().parse_send(message, ctx, response)


@broken("P23", "U+000A")
class PassesControlCharactersOn(JsonAdapter):
    """Puts the provider's words into the error as they come."""

    def words(self, document: Any) -> tuple[str, str | None, dict[str, tuple[str, ...]]]:
        said, code, fields = super().words(document)
        given = table(table(document).get("error")).get("message")
        return (given[:500] if isinstance(given, str) else said), code, fields


# Of another shape than documented -------------------------------------------------------------------

#: Check → the words that this adapter stumbles over, and the exception that it ends in.
STUMBLES: Mapping[str, tuple[Callable[[bytes, Any], Any], str]] = {
    "list": (lambda body, _: body == b"[1]" and json.loads(body)["error"], "TypeError"),
    "number": (lambda body, _: body == b"5" and json.loads(body)["error"], "TypeError"),
    "null": (lambda body, _: body == b"null" and json.loads(body)["error"], "TypeError"),
    "deep": (lambda body, _: body.startswith(b"[[[") and json.loads(body), "RecursionError"),
    "bad-utf8": (lambda body, _: b"\xff" in body and body.decode(), "UnicodeDecodeError"),
    "error-dict": (lambda _, said: isinstance(said, dict) and said["message"], "KeyError"),
    "error-list": (lambda _, said: isinstance(said, list) and said[0]["message"], "TypeError"),
    "error-null": (
        lambda body, said: b"null" in body and body != b"null" and said is None and said["x"],
        "TypeError",
    ),
    "error-number": (lambda _, said: isinstance(said, float) and said["message"], "TypeError"),
}


def _stumbles(name: str, read: Callable[[bytes, Any], Any]) -> type[JsonAdapter]:
    def error(self: JsonAdapter, response: HttpResponse, ctx: Context) -> SendError:
        read(response.body, table(self.read(response)).get("error"))
        return JsonAdapter.error(self, response, ctx)

    words = name.title().replace("-", "")
    doc = f"Stumbles over a refusal of another shape than documented: {name}."
    return type(
        f"StumblesOver{words}", (JsonAdapter,), {"error": error, "__doc__": doc, "__module__": __name__}
    )


for _name, (_read, _reason) in STUMBLES.items():
    broken(f"P32.{_name}", _reason)(_stumbles(_name, _read))


@broken("P32.html", "HTTP 400 with an HTML page becomes ServiceUnavailable")
class TakesPagesForDowntime(JsonAdapter):
    """Takes every page for that of a proxy whose provider is down."""

    def error(self, response: HttpResponse, ctx: Context) -> SendError:
        if response.status == 400 and response.body.startswith(b"<"):
            return ServiceUnavailable("The provider is down.", response=response)
        return super().error(response, ctx)


@broken("P32.huge", "becomes a text of more than 2000 characters")
class PassesEndlessWordsOn(JsonAdapter):
    """Puts the provider's words into the error at any length."""

    def error(self, response: HttpResponse, ctx: Context) -> SendError:
        found = super().error(response, ctx)
        said = table(table(self.read(response)).get("error")).get("message")
        if isinstance(said, str) and len(said) > 500:
            found.args = (f"HTTP {response.status}: {said}",)
        return found
