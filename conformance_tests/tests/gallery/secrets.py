"""Adapters that let a secret out."""

from __future__ import annotations

import logging
from base64 import b64encode
from typing import Any

import attrs
from reference.json_api import JsonAdapter
from reference.json_kit import JsonOptions
from reference.json_values import hmac_hex
from reference.mime_api import MimeAdapter

from gallery import broken
from mailcore import (
    ConfigurationError,
    Context,
    Covers,
    Disposition,
    EndpointKind,
    HttpRequest,
    HttpResponse,
    JsonBody,
    Message,
    Secret,
    SendError,
    SendResult,
    TrackingEvent,
    Verification,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
    about,
)

Headers = list[tuple[str, str | Secret]]

#: Length of the tokens that the suite makes up; those of emulators and samples are shorter.
MADE_UP = 48


class _Leaking(JsonAdapter):
    """A correct adapter that is about to leak."""

    @property
    def token(self) -> str:
        """The token; empty where there is none."""
        return self.options.api_key.reveal() if self.options.api_key else ""

    def leak(self, made: HttpRequest, message: Message, ctx: Context) -> HttpRequest:
        """Change the request that sends a mail to one reader, under a key."""
        return made

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        made = super().build_send(message, ctx)
        keyed = ctx.idempotency_key and len(message.recipients) == 1
        return self.leak(made, message, ctx) if keyed else made


def _options(name: str) -> dict[str, str]:
    return {"options": f"{__name__}:{name}"}


# Hidden recipients ----------------------------------------------------------------------------------


@broken("B20", "An address of bcc stands in body.note.")
class NotesBcc(JsonAdapter):
    """Writes down, in a note to the reader, to whom else the mail goes."""

    def document(self, message: Message, ctx: Context) -> dict[str, Any]:
        others = [address.addr_spec for address in message.bcc[1:]]
        return {**super().document(message, ctx), **({"note": ", ".join(others)} if others else {})}


@broken("B20", "An address of bcc stands in body.headers.X-Recipients.")
class ListsRecipientsInAHeader(JsonAdapter):
    """Adds a header with everyone the mail is for."""

    def document(self, message: Message, ctx: Context) -> dict[str, Any]:
        made = super().document(message, ctx)
        if len(message.bcc) > 1:
            made["headers"] = {"X-Recipients": " ".join(one.addr_spec for one in message.bcc)}
        return made


@broken("B20.mime", "The source has the header body.source Bcc:")
class WritesBccIntoTheSource(JsonAdapter):
    """Keeps a copy of the mail's source with the provider, Bcc and all."""

    def document(self, message: Message, ctx: Context) -> dict[str, Any]:
        made = super().document(message, ctx)
        if len(message.bcc) > 1:
            head = "".join(f"Bcc: {one.addr_spec}\r\n" for one in message.bcc)
            made["source"] = b64encode(f"{head}\r\nHello".encode()).decode()
        return made


@broken("B20.mime", "The source has the header body Bcc:", of="mime")
class KeepsBccHeader(MimeAdapter):
    """Sends the source with its Bcc header, where there are two hidden recipients."""

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        made = super().build_send(message, ctx)
        if len(message.bcc) < 2:
            return made
        head = b"".join(b"Bcc: %b\r\n" % one.addr_spec.encode() for one in message.bcc)
        return attrs.evolve(made, body=head + b"".join(self.body(message, ctx)))


@broken("B21", "A name of bcc stands in body.greeting.")
class GreetsEveryone(JsonAdapter):
    """Greets all readers by their names, hidden ones among them."""

    def document(self, message: Message, ctx: Context) -> dict[str, Any]:
        names = [one.display_name for one in message.bcc[1:] if one.display_name]
        return {**super().document(message, ctx), **({"greeting": ", ".join(names)} if names else {})}


# The token on the wire ------------------------------------------------------------------------------


@broken("B30.url", "The URL holds the token.")
class AsksAgainByUrl(JsonAdapter):
    """Puts the token into the address when it tries again."""

    def url(self, message: Message, ctx: Context) -> str:
        key = self.options.api_key
        again = ctx.attempt > 1 and key is not None
        return super().url(message, ctx) + (f"?key={key.reveal()}" if again and key else "")


@broken("B30.body", "The body holds the token.")
class SignsTheBody(_Leaking):
    """Repeats the token within the payload."""

    def leak(self, made: HttpRequest, message: Message, ctx: Context) -> HttpRequest:
        return attrs.evolve(made, body=JsonBody({**self.document(message, ctx), "auth": self.token}))


@broken("B30.body", "The body holds the token.")
class EncodesTheTokenInTheBody(_Leaking):
    """Repeats the token within the payload, in base64."""

    def leak(self, made: HttpRequest, message: Message, ctx: Context) -> HttpRequest:
        encoded = b64encode(f"api:{self.token}".encode()).decode()
        return attrs.evolve(made, body=JsonBody({**self.document(message, ctx), "auth": encoded}))


@broken("B30.used", "A token with another end makes the same request.")
class ShortensTheToken(_Leaking):
    """Sends the token without its last character."""

    def leak(self, made: HttpRequest, message: Message, ctx: Context) -> HttpRequest:
        headers = [(name, value) for name, value in made.headers if name != "X-Api-Key"]
        short = Secret(self.token[:-1]) if len(self.token) == MADE_UP else self.options.api_key
        return attrs.evolve(made, headers=[*headers, *([("X-Api-Key", short)] if short else [])])


@broken("B33", "The header X-Account holds the token as plain text.")
class NamesTheAccountByItsToken(_Leaking):
    """Sends the token a second time, as plain text."""

    def leak(self, made: HttpRequest, message: Message, ctx: Context) -> HttpRequest:
        return attrs.evolve(made, headers=[*made.headers, ("X-Account", self.token)])


# The token anywhere else ----------------------------------------------------------------------------


@broken("B31.repr", "The adapter shows the token.")
class ShowsItsToken(_Leaking):
    """Has a repr for debugging."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.token!r})"


@broken("B31.errors", "an unreadable 401: the AuthenticationFailed shows the token.")
class NamesTheTokenInErrors(_Leaking):
    """Says which token was not taken, where the provider says nothing."""

    def error(self, response: HttpResponse, ctx: Context) -> SendError:
        found = super().error(response, ctx)
        if response.status == 401 and self.read(response) is None:
            found.args = (f"{found} (for {self.token})",)
        return found


def _token(value: Any) -> Secret:
    try:
        return Secret(value)
    except ConfigurationError:
        raise ConfigurationError(f"{value!r} is no token.") from None


@attrs.frozen(kw_only=True)
class ChattyOptions(JsonOptions):
    """Options that quote what they refuse."""

    api_key: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_token),
        metadata=about("Token of the account.", needed_to="send"),
    )


@broken("B31.configuration", "api_key: the error about a malformed value", spec=_options("ChattyOptions"))
class QuotesTheToken(JsonAdapter):
    """Quotes a token with a typing error in it."""


@broken("B31.logs", "The token is logged or printed.")
class LogsItsOptions(_Leaking):
    """Logs what it is made with."""

    def __init__(self, options: JsonOptions) -> None:
        super().__init__(options)
        logging.getLogger("gallery").debug("Made with %s.", self.token)


@broken("B31.results", "The result shows the token.")
class KeepsTheTokenForLater(_Leaking):
    """Notes in the result which token the mail was sent with."""

    def result(self, message: Message, document: Any, response: HttpResponse) -> SendResult:
        return attrs.evolve(super().result(message, document, response), provider=self.token)


# Where credentials may go ---------------------------------------------------------------------------


@broken("B32.default", "The request that sends goes over plain http.")
class FallsBackToHttp(JsonAdapter):
    """Tries again without encryption."""

    def url(self, message: Message, ctx: Context) -> str:
        found = super().url(message, ctx)
        return found.replace("https:", "http:") if ctx.attempt > 1 else found


@attrs.frozen(kw_only=True)
class OpenOptions(JsonOptions):
    """Options that take any address."""

    api_url: str = attrs.field(
        default="https://api.json-api.example/v1",
        converter=lambda url: url.rstrip("/"),
        metadata=about("Where to send."),
    )


@broken("B32.options", "api_url takes an address with http.", spec=_options("OpenOptions"))
class TakesAnyAddress(JsonAdapter):
    """Sends its token wherever it is told to."""


def _https(url: str) -> str:
    if not url.startswith(("https://", "http://127.0.0.1:8025/")):
        raise ConfigurationError("api_url is an https address.")
    return url.rstrip("/")


@attrs.frozen(kw_only=True)
class ClosedOptions(JsonOptions):
    """Options that take no sandbox."""

    api_url: str = attrs.field(
        default="https://api.json-api.example/v1", converter=_https, metadata=about("Where to send.")
    )


@broken("B32.options", "api_url refuses http on this machine", spec=_options("ClosedOptions"))
class TakesNoSandbox(JsonAdapter):
    """Cannot be pointed to this machine."""


@attrs.frozen
class Account:
    """A token and what it is for."""

    token: Secret

    def reveal(self) -> str:
        """Return the token."""
        return self.token.reveal()


@attrs.frozen(kw_only=True)
class AccountOptions(JsonOptions):
    """Options that hold the token within something else."""

    api_key: Account | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(lambda value: Account(Secret(value))),
        metadata=about("Token of the account.", needed_to="send"),
    )


@broken("B35", "bad-token: the token that the answer repeats is in", spec=_options("AccountOptions"))
class HidesTheTokenFromCore(_Leaking):
    """Sends the token as a part of a longer value, and keeps it where core does not look."""

    def headers(self, message: Message, ctx: Context) -> Headers:
        found = super().headers(message, ctx)
        return [(name, value.token if isinstance(value, Account) else value) for name, value in found]

    def leak(self, made: HttpRequest, message: Message, ctx: Context) -> HttpRequest:
        headers = [(name, value) for name, value in made.headers if name != "X-Api-Key"]
        version = "v2." if len(self.token) == MADE_UP else ""
        return attrs.evolve(made, headers=[*headers, ("X-Api-Key", Secret(version + self.token))])


# Webhook keys ---------------------------------------------------------------------------------------


@broken("B34.repr", "The adapter shows a webhook key.")
class ShowsItsKeys(JsonAdapter):
    """Has a repr for debugging."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({[key.reveal() for key in self.keys()]})"


@broken("B34.logs", "A webhook key is logged or printed.")
class LogsItsKeys(JsonAdapter):
    """Logs which keys it trusts."""

    def __init__(self, options: JsonOptions) -> None:
        super().__init__(options)
        for key in self.keys():
            logging.getLogger("gallery").info("Trusts %s.", key.reveal())


@broken("B34.answers", "unavailable, tracking: the answer shows a webhook key.")
class AnswersWithItsKey(JsonAdapter):
    """Tells who delivers, when it cannot take more, which key it trusts."""

    def webhook_response(self, disposition: Disposition, kind: EndpointKind) -> WebhookResponse:
        found = super().webhook_response(disposition, kind)
        told = [("X-Trusts", key.reveal()) for key in self.keys()]
        return attrs.evolve(found, headers=told) if disposition is Disposition.UNAVAILABLE else found


@broken("B34.refusals", "the refusal shows a webhook key or the right signature.")
class TellsTheRightSignature(JsonAdapter):
    """Says, for debugging, which signature was expected."""

    def signature_ok(self, request: WebhookRequest) -> str | None:
        found = super().signature_ok(request)
        if found is None:
            expected = hmac_hex(self.keys()[0].reveal(), self.signed_text(request))
            raise WebhookRejected(f"The signature is not {expected}.")
        return found


@broken("B34.results", "a TrackingEvent shows a webhook key.")
class NotesTheKeyInEvents(JsonAdapter):
    """Notes in each event which key vouched for it."""

    def event(self, element: Any) -> TrackingEvent:
        key = self.keys()[0].reveal() if self.keys() else ""
        proof = Verification(scheme="hmac-sha256", covers=Covers.BODY, key=key)
        return attrs.evolve(super().event(element), verified_by=proof)
