"""The adapter under test, and the ways in which a check may look at it.

Rule 1: checks use what applications use: the mailer, the receiver, and the adapter's own methods. Nothing
        is patched, and nothing of the adapter is trusted but what it does.
Rule 2: time, randomness and the environment are the suite's: two runs see the same.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

import attrs

from mailcore import (
    Adapter,
    AdapterSpec,
    Capability,
    Context,
    Covers,
    Deadline,
    Disposition,
    EndpointKind,
    Flow,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    MailcoreError,
    Mailer,
    Message,
    PluginHost,
    Quarantined,
    ReplayStore,
    Request,
    Response,
    SendError,
    SendOutcome,
    SendResult,
    TrackingEvent,
    Verification,
    VerifiedWebhook,
    WebhookReceiver,
    WebhookRequest,
    WebhookResponse,
)
from mailcore._config import Configuration, configuration
from mailcore_conformance._check import Failed, NotApplicable
from mailcore_conformance._kit import Kit
from mailcore_conformance._sample import Delivery, Exchange
from mailcore_conformance._wire import Wire

__all__ = ["NOW", "Received", "Script", "Sent", "Subject", "any_moment", "drive"]

T = TypeVar("T")

#: The frozen moment in which checks happen.
NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
#: Seconds that no evidence is older than.
ANY_AGE = 10_000 * 365 * 24 * 3600.0
UNIQUE = "5f1d7a84e7f54a83a4f2a1fd1c2b3e4d"
KEY = "0b9c2f1e-conformance-key"
#: More steps than any provider needs; a flow that takes more never ends.
MAX_STEPS = 20


@attrs.frozen(kw_only=True)
class Sent:
    """What came of a send: the requests made, and a result or an error."""

    requests: tuple[Request, ...]
    result: SendResult | None
    error: Exception | None

    @property
    def wire(self) -> Wire:
        """The request that sends, decoded; raises `Failed` where none was made."""
        committing = [request for request in self.requests if request.commits]
        if not committing:
            raise Failed(f"No request that sends was made ({_told(self.error)}).")
        return Wire(committing[0])


@attrs.frozen(kw_only=True)
class Received:
    """What came of a delivery."""

    response: WebhookResponse
    events: tuple[TrackingEvent, ...]
    mails: tuple[InboundMessage, ...]
    quarantined: tuple[Quarantined, ...]

    @property
    def refused(self) -> bool:
        """Whether it was answered as not authenticated, and nothing of it handled or kept."""
        kept = self.events or self.mails or self.quarantined
        return not kept and 400 <= self.response.status < 500


class Script:
    """A transport: answers what sends from a list, and what fetches by the kit."""

    def __init__(self, answers: Sequence[Any], fetched: Callable[[Request], Response] | None) -> None:
        self._answers = list(answers)
        self._fetched = fetched
        self.requests: list[Request] = []

    def exchange(self, request: Request, *, deadline: Deadline) -> Response:
        """Return the next answer; the last one again where there are more requests than answers."""
        self.requests.append(request)
        if len(self.requests) > MAX_STEPS:
            raise Failed(f"The flow made more than {MAX_STEPS} requests.")
        if not request.commits or not self._answers:
            return fetch(self._fetched, request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return answer(request) if callable(answer) else answer

    def close(self) -> None:
        """Hold nothing."""


def fetch(answer: Callable[[Request], Response] | None, request: Request) -> Response:
    """Answer a request that sends nothing, by the kit."""
    if answer is None:
        where = request.url if isinstance(request, HttpRequest) else type(request).__name__
        raise Failed(f"The adapter fetches {where}, and the kit has no `answer` for that.")
    return answer(request)


class Subject:
    """
    One adapter with its kit.

    Attributes:
        secret: A token made up for this run; it must not appear anywhere but where it belongs.
        host: Offers this adapter.
    """

    def __init__(self, spec: AdapterSpec, kit: Kit, *, host: PluginHost) -> None:
        self.spec = spec
        self.kit = kit
        self.host = host
        self.secret = secrets.token_hex(24)
        self._checked: dict[str, Configuration] = {}

    # What it declares and what its kit holds ----------------------------------------------------

    def can(self, capability: Capability) -> bool:
        """Return whether the adapter declares a capability as usable."""
        found = self.spec.capabilities.get(capability)
        return found is not None and found.usable

    def limit(self, capability: Capability) -> int | None:
        """Return the declared hard limit of a capability."""
        found = self.spec.capabilities.get(capability)
        return None if found is None else found.limit

    @cached_property
    def accepted(self) -> Exchange:
        """The first sample of an accepted mail: the answer to every send of which a check says no more."""
        return next(one for one in self.kit.exchanges if one.accepted and not one.is_batch)

    def tracking(self) -> list[Delivery]:
        """Return the samples that hold events."""
        return [one for one in self.kit.deliveries if one.kind is EndpointKind.TRACKING and one.readable]

    def inbound(self) -> list[Delivery]:
        """Return the samples that hold mail."""
        return [one for one in self.kit.deliveries if one.kind is EndpointKind.INBOUND and one.readable]

    @property
    def over_http(self) -> bool:
        """Whether the provider is spoken to over HTTP."""
        return isinstance(self.accepted.response, HttpResponse)

    # Sending ------------------------------------------------------------------------------------

    @property
    def configuration(self) -> Mapping[str, Any]:
        """What can send, with this run's secret."""
        return {"provider": self.spec.name, **self.kit.options(self.secret)}

    def adapter(self) -> Adapter:
        """Return a new adapter that can send."""
        return self._configured("adapter", self.configuration).adapter()

    def _configured(self, what: str, settings: Mapping[str, Any]) -> Configuration:
        """Return settings, checked; those of the same name are checked once a run."""
        if what not in self._checked:
            self._checked[what] = configuration(settings, host=self.host, environ={})
        return self._checked[what]

    def context(self, **changes: Any) -> Context:
        """Return a context that is the same each time, but for `changes`."""
        key = KEY if self.spec.idempotency else None
        values = {"now": NOW, "created": NOW, "unique": UNIQUE, "idempotency_key": key, **changes}
        return Context(**values)

    def mailer(self, *answers: Any, **config: Any) -> tuple[Mailer, Script]:
        """Return a mailer answered by `answers`, or by the accepted sample, and what carries its requests."""
        script = Script(answers or [self.accepted.response], self.kit.answer)
        settings = {**self.configuration, "on_advice": "ignore", "max_attempts": 1, **config}
        found = self._configured(f"mailer {sorted(config.items())}", settings)
        return Mailer(found, host=self.host, transport=script, clock=lambda: NOW), script

    def send(self, message: Message, *answers: Any, **config: Any) -> Sent:
        """Send one message the way an application does."""
        mailer, script = self.mailer(*answers, **config)
        result: SendResult | None = None
        error: Exception | None = None
        try:
            result = mailer.send(message)
        except MailcoreError as raised:
            error = raised
        return Sent(requests=tuple(script.requests), result=result, error=error)

    def send_many(
        self, messages: Sequence[Message], *answers: Any
    ) -> tuple[list[SendOutcome], list[Request]]:
        """Send several messages, and return their outcomes and the requests made."""
        mailer, script = self.mailer(*answers)
        return mailer.send_many(messages, concurrency=1), script.requests

    def request(self, message: Message, **context: Any) -> Request:
        """Return the request that sends a message, as the adapter itself builds it: core checks nothing."""
        return self._committing(self.adapter().send_flow(message.resolve(), self.context(**context)))

    def batch_request(self, messages: Sequence[Message], **context: Any) -> Request:
        """Return the request that sends several messages, as the adapter itself builds it."""
        resolved = [message.resolve() for message in messages]
        return self._committing(self.adapter().batch_flow(resolved, self.context(**context)))

    def _committing(self, flow: Flow[Any]) -> Request:
        try:
            request = is_request(next(is_flow(flow)))
            for _ in range(MAX_STEPS):
                if request.commits:
                    return request
                request = is_request(flow.send(fetch(self.kit.answer, request)))
        except StopIteration:
            pass
        finally:
            closed(flow)
        raise Failed("The adapter's flow makes no request with commits=True.")

    def wire(self, message: Message, **context: Any) -> Wire:
        """Return the request that sends a message, decoded."""
        return Wire(self.request(message, **context))

    def parse(self, message: Message, response: Response, **context: Any) -> SendResult | SendError:
        """
        Return what the adapter itself makes of an answer: core mends nothing.

        Raises:
            Failed: It returns or raises something else.
        """
        flow = self.adapter().send_flow(message.resolve(), self.context(**context))
        script = Script([response], self.kit.answer)
        try:
            found = drive(flow, lambda request: script.exchange(request, deadline=Deadline(60)))
        except SendError as error:
            return error
        if not isinstance(found, SendResult):
            raise Failed(f"An answer becomes {type(found).__name__} instead of a SendResult.")
        return found

    # Receiving ----------------------------------------------------------------------------------

    def webhook_configuration(self, keys: Sequence[int] = (0,)) -> Mapping[str, Any]:
        """Return what can receive, trusting those keys of the kit; basic auth where there are none."""
        config = {"provider": self.spec.name}
        if self.kit.webhook_options is None:
            return {**config, "webhook_secret": "conformance:correct"}
        return {**config, **self.kit.webhook_options(tuple(keys))}

    @cached_property
    def covers(self) -> Covers:
        """What verification proves, as the adapter says."""
        return self.webhook_adapter().webhook_covers

    def receiver(
        self,
        *,
        keys: Sequence[int] = (0,),
        at: datetime = NOW,
        replay_store: ReplayStore | None = None,
        on_event: Callable[[TrackingEvent], object] | None = None,
        on_inbound: Callable[[InboundMessage], object] | None = None,
        on_quarantine: Callable[[Quarantined], object] | None = None,
        **config: Any,
    ) -> WebhookReceiver:
        """Return a receiver that trusts those keys of the kit, at that time."""
        # Evidence is old by nature. Where the scheme signs a time, that alone is judged: it is not waived.
        timed = self.can(Capability.WEBHOOK_REPLAY_WINDOW)
        age = {} if timed else {"max_age": ANY_AGE}
        settings = {**self.webhook_configuration(keys), **age, **config}
        return WebhookReceiver(
            self._configured(f"receiver {tuple(keys)} {sorted(config.items())}", settings),
            on_event=on_event,
            on_inbound=on_inbound,
            on_quarantine=on_quarantine,
            replay_store=replay_store,
            host=self.host,
            transport=Script([], self.kit.answer),
            clock=lambda: at,
        )

    def receive(
        self,
        request: WebhookRequest,
        kind: EndpointKind | None = EndpointKind.TRACKING,
        *,
        receiver: WebhookReceiver | None = None,
        **how: Any,
    ) -> Received:
        """Hand a delivery to an endpoint the way an application does; `how` goes to `receiver`."""
        events: list[TrackingEvent] = []
        mails: list[InboundMessage] = []
        kept: list[Quarantined] = []
        made = receiver or self.receiver(
            on_event=events.append, on_inbound=mails.append, on_quarantine=kept.append, **how
        )
        response = made.receive(request, kind=kind or EndpointKind.TRACKING)
        return Received(response=response, events=tuple(events), mails=tuple(mails), quarantined=tuple(kept))

    def delivered(self, delivery: Delivery, **how: Any) -> Received:
        """Hand a sample to the endpoint it is for, at the time it came."""
        return self.receive(
            self.vouched(delivery.request), delivery.kind, at=delivery.request.received_at, **how
        )

    def vouched(self, request: WebhookRequest) -> WebhookRequest:
        """Return the delivery with the basic auth of `webhook_configuration`, where that is what vouches."""
        if self.kit.webhook_options is not None:
            return request
        credentials = ("Authorization", "Basic Y29uZm9ybWFuY2U6Y29ycmVjdA==")
        return attrs.evolve(request, headers=[*request.headers.pairs, credentials])

    def signed(
        self, body: bytes, *, like: Delivery | None = None, key: int = 0, at: datetime = NOW
    ) -> WebhookRequest:
        """Return a delivery of that body, signed anew where the provider signs; otherwise like a sample."""
        sample = like or self._a_delivery()
        request = attrs.evolve(sample.request, body=body, received_at=at)
        return self.vouched(request) if self.kit.sign is None else self.kit.sign(request, key=key, at=at)

    def _a_delivery(self) -> Delivery:
        for delivery in self.kit.deliveries:
            if delivery.readable:
                return delivery
        raise NotApplicable("The adapter takes no webhooks.")

    def verify(
        self, request: WebhookRequest, *, keys: Sequence[int] = (0,), at: datetime = NOW
    ) -> Verification | WebhookResponse:
        """Return what the adapter itself proves of a delivery; what it raises passes through."""
        adapter = self.webhook_adapter(keys)
        context = Context(now=at, created=at, unique=UNIQUE)
        return drive(adapter.verify_flow(request, context), lambda step: fetch(self.kit.answer, step))

    def verified(self, request: WebhookRequest) -> VerifiedWebhook:
        """Return a delivery that counts as proved, for what the adapter does after the proof."""
        return VerifiedWebhook(
            request=request, verification=Verification(scheme="conformance", covers=Covers.BODY, key="sample")
        )

    def webhook_adapter(self, keys: Sequence[int] = (0,)) -> Adapter:
        """Return a new adapter that can receive, trusting those keys of the kit."""
        settings = self.webhook_configuration(keys)
        return self._configured(f"webhook adapter {tuple(keys)}", settings).adapter()

    def answer(self, disposition: Disposition, kind: EndpointKind) -> WebhookResponse:
        """Return what the adapter itself answers to a delivery."""
        return self.webhook_adapter().webhook_response(disposition, kind)


def any_moment(subject: Subject) -> Mapping[str, Any]:
    """Return a context as in life, made up for this run: an adapter must not know when it is looked at."""
    moment = NOW - timedelta(seconds=secrets.randbelow(5 * 365 * 24 * 3600))
    key = {"idempotency_key": secrets.token_hex(16)} if subject.spec.idempotency else {}
    return {"now": moment, "created": moment, "unique": secrets.token_hex(16), **key}


def drive(flow: Flow[T], exchange: Callable[[Request], Response]) -> T:
    """Carry out a flow's requests and return what it returns."""
    try:
        request = is_request(next(is_flow(flow)))
        for _ in range(MAX_STEPS):
            request = is_request(flow.send(exchange(request)))
        raise Failed(f"The flow made more than {MAX_STEPS} requests.")
    except StopIteration as stop:
        value: T = stop.value
        return value
    finally:
        closed(flow)


def is_flow(found: Any) -> Flow[Any]:
    """Return what an adapter's method returned; raises `Failed` where it is no generator."""
    if not hasattr(found, "send"):
        raise Failed(f"The adapter returned a {type(found).__name__} where a flow was due.")
    flow: Flow[Any] = found
    return flow


def is_request(found: Any) -> Request:
    """Return what an adapter's flow yielded; raises `Failed` where it is no request."""
    if not hasattr(found, "commits"):
        raise Failed(f"The adapter made a {type(found).__name__} where a request was due.")
    request: Request = found
    return request


def closed(flow: Any) -> None:
    """Close a flow; raises `Failed` where it goes on all the same."""
    if not hasattr(flow, "close"):
        return
    try:
        flow.close()
    except RuntimeError as error:
        raise Failed(f"Closing the adapter's flow raises RuntimeError: {error}.") from None


def _told(error: Exception | None) -> str:
    return "and no error was raised" if error is None else f"{type(error).__name__}: {error}"
