"""An adapter at work with its emulator, in one process and at one frozen moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from email import policy
from email.message import EmailMessage
from functools import cached_property, lru_cache
from typing import Any

import attrs

from mailcore import (
    Adapter,
    Context,
    Covers,
    EmulatedDelivery,
    Emulator,
    EndpointKind,
    EventType,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    Message,
    Request,
    Secret,
    SendResult,
    TrackingEvent,
    WebhookReceiver,
    WebhookRequest,
)
from mailcore._spec import load_object
from mailcore_conformance._check import Failed, NotApplicable, not_applicable_unless
from mailcore_conformance._subject import NOW, Script, Subject, drive
from mailcore_conformance._wire import body_bytes
from mailcore_conformance.conduct._flows import plain

__all__ = ["CONTENT", "TEXT", "Emulated", "Landed", "Trip", "asked", "incoming", "transcript", "trips"]

BASE_URL = "http://127.0.0.1:8025"
#: The credentials are for providers whose only proof is basic auth.
HOOK_URL = "https://conformance:correct@hooks.example.com/{}"
SECRET = "conformance:correct"  # noqa: S105  # reason: made up, and for nobody else
#: What a mail from the outside holds.
TEXT = "Hello Desk,\nall the best.\n"
CONTENT = bytes(range(256))
#: Events of mail that came in: nothing that was sent can become one.
_NOT_OF_SENT = frozenset({EventType.INBOUND, EventType.INBOUND_FAILED, EventType.UNKNOWN})


@attrs.frozen(kw_only=True)
class Landed:
    """What came of one webhook of the emulator."""

    status: int
    events: tuple[TrackingEvent, ...]
    mails: tuple[InboundMessage, ...]


class Emulated:
    """
    A new emulator, and the adapter configured for it.

    Raises:
        NotApplicable: There is none.
    """

    def __init__(self, subject: Subject) -> None:
        not_applicable_unless(subject.spec.emulator, "The adapter has no emulator.")
        self.subject = subject
        self.emulator: Emulator = load_object(subject.spec.emulator)()
        settings = self.emulator.settings(BASE_URL)
        self.config: Mapping[str, Any] = {"provider": subject.spec.name, **settings}

    def adapter(self, **options: Any) -> Adapter:
        """Return an adapter configured for the emulator, but for some options."""
        return self.subject.host.adapter({**self.config, **options}, environ={})

    @cached_property
    def _adapter(self) -> Adapter:
        return self.adapter()

    def request(self, message: Message, **context: Any) -> HttpRequest:
        """Return the request by which the adapter would send a message, as the wire carries it."""
        flow = self._adapter.send_flow(message.resolve(), self._context(context))
        request = asked(next(flow))
        flow.close()
        return request

    def handle(self, request: Request) -> HttpResponse:
        """Let the emulator answer a request."""
        return self.emulator.handle(asked(request), NOW)

    def send(self, message: Message, *, adapter: Adapter | None = None, **context: Any) -> SendResult:
        """Send a message to the emulator; a `SendError` passes through."""
        flow = (adapter or self._adapter).send_flow(message.resolve(), self._context(context))
        found = drive(flow, self.handle)
        if not isinstance(found, SendResult):
            raise Failed(f"Sending to the emulator ends in {type(found).__name__}.")
        return found

    def _context(self, changes: Mapping[str, Any]) -> Context:
        """Return a context without a key: under the same one, an emulator takes all mail for one."""
        return self.subject.context(**{"idempotency_key": None, **changes})

    # Webhooks -----------------------------------------------------------------------------------

    def subscribe(self, kind: EndpointKind) -> None:
        """Have webhooks of that kind delivered; what is due already is handed out and forgotten."""
        self.emulator.subscribe(kind, HOOK_URL.format(kind.value))
        self.due()

    def due(self) -> Sequence[EmulatedDelivery]:
        """Return the webhooks that are due, each answered as taken."""
        found = list(self.emulator.due(NOW))
        for delivery in found:
            self.emulator.answered(delivery.delivery_id, 200, NOW)
        return found

    def acted(self, message_id: str, word: str) -> Sequence[EmulatedDelivery]:
        """Let an event happen, by the provider's word or by its last part; return the webhooks of it."""
        for said in dict.fromkeys((word, word.rpartition(".")[2])):
            try:
                self.emulator.act(message_id, said, NOW)
            except (ValueError, LookupError):
                continue
            if found := self.due():
                return found
        return ()

    def land(self, delivery: EmulatedDelivery) -> Landed:
        """Hand a webhook to an endpoint the way an application does."""
        receiver, events, mails = self._endpoint
        events.clear()
        mails.clear()
        request = asked(delivery.request)
        hook = WebhookRequest(
            method=request.method,
            url=request.url,
            headers=[(name, str(value)) for name, value in request.headers],
            body=body_bytes(request),
            received_at=NOW,
        )
        response = receiver.receive(hook, kind=delivery.kind)
        return Landed(status=response.status, events=tuple(events), mails=tuple(mails))

    @cached_property
    def _endpoint(self) -> tuple[WebhookReceiver, list[TrackingEvent], list[InboundMessage]]:
        events: list[TrackingEvent] = []
        mails: list[InboundMessage] = []
        signed = self._adapter.webhook_covers is not Covers.NOTHING
        receiver = WebhookReceiver.from_config(
            {**self.config, **({} if signed else {"webhook_secret": SECRET})},
            on_event=events.append,
            on_inbound=mails.append,
            environ={},
            host=self.subject.host,
            transport=Script([], self.handle),  # a certificate or a stored mail is fetched from it, too
            clock=lambda: NOW,
        )
        return receiver, events, mails


@attrs.frozen
class Trip:
    """
    What became of one event, from the provider's word for it to the application.

    Attributes:
        expected: What the samples make of the word.
        landed: What came of each webhook there was.
    """

    word: str
    expected: EventType
    message_id: str | None
    landed: tuple[Landed, ...]


@lru_cache(maxsize=1)
def trips(subject: Subject) -> tuple[Trip, ...]:
    """Send a mail for each of the provider's words, and let that happen to it."""
    bench = Emulated(subject)
    words = list(provider_words(subject))
    sent = [bench.send(plain(to=[f"reader-{number}@example.com"])) for number in range(len(words))]
    bench.subscribe(EndpointKind.TRACKING)
    return tuple(
        Trip(word, expected, one.message_id, tuple(map(bench.land, bench.acted(one.message_id or "", word))))
        for one, (word, expected) in zip(sent, words, strict=True)
    )


def incoming() -> bytes:
    """Return a mail from the outside."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"], mail["To"] = "Ada <ada@example.org>", "Desk <desk@example.com>"
    mail["Subject"], mail["Message-ID"] = "Gr\u00fc\u00dfe", "<incoming@example.org>"
    mail["Date"] = NOW
    mail.set_content(TEXT)
    mail.add_attachment(CONTENT, maintype="application", subtype="octet-stream", filename="bytes.bin")
    mail.set_boundary("conformance")
    return mail.as_bytes()


def transcript(subject: Subject) -> tuple[Any, ...]:
    """Do a little of everything with a new emulator; return all that it says."""
    bench = Emulated(subject)
    for kind in EndpointKind:
        bench.emulator.subscribe(kind, HOOK_URL.format(kind.value))
    said: list[Any] = []
    for number in range(2):
        reader = f"reader-{number}@example.com"  # one each: an address that bounced may be blocked
        request = bench.request(plain(to=[reader]))
        said.append(bench.handle(request))
        said.append(bench.handle(attrs.evolve(request, url=f"{request.url}/nothing-here")))
        result = bench.send(plain(to=[reader], subject="Another"))
        words = list(provider_words(subject))[number * 5 : number * 5 + 5]
        said += [bench.acted(result.message_id or "", word) for word, _ in words]
    bench.emulator.receive(incoming(), NOW)
    said.append(bench.due())
    return tuple(said)


def asked(request: Request) -> HttpRequest:
    """Return a request as a transport puts it on the wire: secrets revealed, the body in one piece."""
    if not isinstance(request, HttpRequest):
        raise NotApplicable("The adapter does not send over HTTP.")
    headers = [
        (name, value.reveal() if isinstance(value, Secret) else value) for name, value in request.headers
    ]
    return attrs.evolve(request, headers=headers, body=body_bytes(request))


def provider_words(subject: Subject) -> Iterator[tuple[str, EventType]]:
    """Yield each of the provider's words for what can happen to a mail, with what the samples make of it."""
    seen = set()
    for sample in subject.tracking():
        for event in sample.expected["events"]:
            word, event_type = event.get("provider_event"), EventType(event["event_type"])
            if word and word not in seen and event_type not in _NOT_OF_SENT:
                seen.add(word)
                yield word, event_type
