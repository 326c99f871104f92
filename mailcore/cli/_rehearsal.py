"""The whole job, once, on this machine: what `mailcore demo` shows.

Rule: everything takes the way it takes in production: the provider's plugin, the mailer, real HTTP, a real
endpoint with a receiver behind it. Only the provider is an emulator, and no other plugin has a say.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import attrs

from mailcore._attachment import Attachment
from mailcore._delivery import EndpointKind, WebhookRequest
from mailcore._event import TrackingEvent
from mailcore._http import Headers, HttpResponse, Request, Response
from mailcore._inbound.message import InboundMessage
from mailcore._mailer import Mailer
from mailcore._message import Message
from mailcore._plugins import PluginHost
from mailcore._receiver import WebhookReceiver
from mailcore._result import SendResult
from mailcore._settings import Settings
from mailcore._spec import AdapterSpec
from mailcore._transport import Deadline
from mailcore.cli._plugins import listed_plugins
from mailcore.cli._terminal import quiet
from mailcore.exceptions import ConfigurationError, MissingDependency
from mailcore.hookspecs import hookimpl
from mailcore.sandbox._provider import Delivered, LocalProvider
from mailcore.sandbox._server import LoopbackServer
from mailcore.transports.requests import RequestsTransport

__all__ = ["Rehearsal", "WireTap", "rehearse"]

#: What happens to the mail, in the provider's words. The last one is a word nobody documented.
HAPPENINGS = ("deferred", "delivered", "bounced", "spam", "teleported")


class WireTap:
    """A plugin that keeps what crosses the wire: the example of observer hooks."""

    def __init__(self) -> None:
        self.exchanges: list[tuple[Request, Response]] = []

    @hookimpl
    def mailcore_response_received(self, request: Request, response: Response) -> None:
        """Keep an exchange; secrets in the request stay hidden."""
        self.exchanges.append((request, response))


@attrs.define(kw_only=True)
class Rehearsal:
    """
    What happened, in order.

    Attributes:
        deliveries: Each event webhook and what it became; None where it became nothing.
        forged: A delivery with a changed body, and how the endpoint answered.
    """

    title: str
    provider_url: str
    endpoint_url: str
    exchanges: list[tuple[Request, Response]]
    result: SendResult
    repeated: SendResult
    deliveries: list[tuple[Delivered, TrackingEvent | None]]
    forged: Delivered
    inbound: tuple[Delivered, InboundMessage | None] | None
    seconds: float = 0.0

    def faults(self) -> Iterator[str]:
        """Yield what did not go as it should."""
        if self.repeated.message_id != self.result.message_id:
            yield "the repeated message got another id"
        for delivered, event in self.deliveries:
            if event is None or event.message_id != self.result.message_id or not _fine(delivered.status):
                yield f"an event was answered {delivered.status} and became {event}"
        if not self.deliveries:
            yield "no event arrived"
        if self.forged.status is None or _fine(self.forged.status):
            yield f"a forged delivery was answered {self.forged.status}"
        if self.inbound is None or self.inbound[1] is None:
            yield "the incoming mail did not arrive"


def _fine(status: int | None) -> bool:
    return status is not None and 200 <= status < 300


class _Endpoint:
    """Your application: a web server with a receiver behind two addresses."""

    def __init__(self) -> None:
        self.events: list[TrackingEvent] = []
        self.mails: list[InboundMessage] = []
        self.server = LoopbackServer(self._answer)
        self._receiver: WebhookReceiver | None = None

    def url(self, kind: EndpointKind) -> str:
        return f"{self.server.url}/webhooks/{kind.value}"

    def open(self, settings: Mapping[str, Any], host: PluginHost) -> None:
        self._receiver = WebhookReceiver.from_config(
            settings, on_event=self.events.append, on_inbound=self.mails.append, environ={}, host=host
        )

    def _answer(self, method: str, path: str, headers: Headers, body: bytes) -> HttpResponse:
        if self._receiver is None:  # nobody was told its address yet
            return HttpResponse(status=503)
        kind = path.rpartition("/")[2]
        request = WebhookRequest(method=method, url=self.server.url + path, headers=headers, body=body)
        answer = self._receiver.receive(request, kind=kind)
        return HttpResponse(status=answer.status, headers=answer.headers, body=answer.body)


def rehearse(provider: str) -> Rehearsal:
    """
    Send, repeat, follow, forge and receive with one provider's emulator.

    Raises:
        ConfigurationError: The provider cannot be rehearsed: no such plugin, or no emulator.
    """
    started = time.perf_counter()
    tap = WireTap()
    spec, owner = _offered(provider)
    host = PluginHost({"demo": tap}, only={owner})
    with ExitStack() as stack:
        stack.enter_context(quiet("mailcore.webhooks"))  # the forged and the unknown are part of the show
        local = stack.enter_context(LocalProvider(spec))
        endpoint = _Endpoint()
        stack.enter_context(endpoint.server)
        _subscribe(local, endpoint)  # before the receiver: only the emulator knows what is missing
        endpoint.open(local.settings, host)
        mailer = stack.enter_context(Mailer.from_config(local.settings, environ={}, host=host))
        result = mailer.send(welcome())
        repeated = mailer.send(welcome(), idempotency_key=result.idempotency_key)
        deliveries = list(_follow(local, endpoint, result))
        done = Rehearsal(
            title=spec.title or spec.name, provider_url=local.url, endpoint_url=endpoint.server.url,
            exchanges=tap.exchanges, result=result, repeated=repeated, deliveries=deliveries,
            forged=_forge(deliveries[-1][0]), inbound=_receive(local, endpoint),
        )  # fmt: skip
    done.seconds = time.perf_counter() - started
    return done


def _offered(provider: str) -> tuple[AdapterSpec, str]:
    """Return the adapter, and the name of the plugin that offers it."""
    host = listed_plugins()
    spec = host.spec(provider)
    if not spec.emulator:
        able = ", ".join(name for name, found in host.adapters.items() if found.emulator) or "none"
        raise ConfigurationError(
            f"{spec.name} has no emulator to try it with. Providers with one: {able}. "
            f"`mailcore send --provider {spec.name} --dry-run` shows the request a message would make."
        )
    return spec, next(plugin.name for plugin in host.plugins if spec in plugin.adapters)


def _subscribe(local: LocalProvider, endpoint: _Endpoint) -> None:
    try:
        for kind in EndpointKind:
            local.emulator.subscribe(kind, endpoint.url(kind))
    except ModuleNotFoundError as error:
        raise MissingDependency(f"{error}") from None


def _follow(
    local: LocalProvider, endpoint: _Endpoint, result: SendResult
) -> Iterator[tuple[Delivered, TrackingEvent | None]]:
    """Let things happen to the mail one by one, and yield each webhook with its event."""
    yield from _deliver(local, endpoint.events)
    for word in HAPPENINGS:
        try:
            local.emulator.act(str(result.message_id), word, datetime.now(UTC))
        except ValueError:
            continue  # a word this provider does not have
        yield from _deliver(local, endpoint.events)


def _deliver(local: LocalProvider, arrived: list[Any]) -> Iterator[tuple[Delivered, Any]]:
    before = len(arrived)
    made = local.deliver()
    new = [*arrived[before:], *[None] * len(made)]
    yield from zip(made, new, strict=False)


def _receive(local: LocalProvider, endpoint: _Endpoint) -> tuple[Delivered, InboundMessage | None] | None:
    local.emulator.receive(question(), datetime.now(UTC))
    return next(_deliver(local, endpoint.mails), None)


def _forge(genuine: Delivered) -> Delivered:
    """Deliver a genuine event again with another body, as somebody without the key would."""
    body = (
        b"".join(genuine.request.body)
        if not isinstance(genuine.request.body, bytes)
        else genuine.request.body
    )
    request = attrs.evolve(genuine.request, body=forged_body(body))
    transport = RequestsTransport(Settings())
    try:
        answer = transport.exchange(request, deadline=Deadline(10.0))
    finally:
        transport.close()
    return attrs.evolve(genuine, request=request, status=answer.status)


def forged_body(body: bytes) -> bytes:
    """Return a body that says something else."""
    changed = body.replace(HAPPENINGS[-1].encode(), b"delivered")
    return changed if changed != body else body + b" "


def welcome() -> Message:
    """Return the message that is sent."""
    return Message(
        from_="Ada Lovelace <ada@example.com>",
        to=["Grace Hopper <grace@example.net>"],
        subject="Welcome aboard",
        text="Hello Grace,\n\nyour account is ready.\n",
        html="<p>Hello <b>Grace</b>,</p><p>your account is ready.</p>",
        tags=["welcome"],
        attachments=[Attachment(content="Step 1: read the README.\n", filename="first-steps.txt")],
    )


def question() -> bytes:
    """Return the mail that comes in."""
    mail = EmailMessage()
    mail["From"] = "Zoë Müller <zoe@example.org>"
    mail["To"] = "support@example.com"
    mail["Subject"] = "Grüße! Where is my order?"
    mail["Message-ID"] = "<order-1066@example.org>"
    mail["Date"] = datetime.now(UTC)
    mail.set_content("Hello,\n\nthe receipt is attached.\n\nZoë\n")
    mail.add_attachment(b"%PDF-1.7 not really", maintype="application", subtype="pdf", filename="receipt.pdf")
    return mail.as_bytes()
