"""Spans and metrics, as the OpenTelemetry SDK exports them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

import mailcore.providers
import mailcore_mailpace
from mailcore import (
    AsyncMailer,
    EndpointKind,
    HttpResponse,
    LocalResponse,
    MailcoreError,
    Mailer,
    MailerGroup,
    Message,
    Phase,
    PluginHost,
    SendCancelled,
    SmtpResponse,
    TransportFailure,
    WebhookReceiver,
    WebhookRequest,
    hookimpl,
)
from mailcore._pip import pip_install
from mailcore.testing import Deliveries, RecordingTransport, deliveries

pytest.importorskip("opentelemetry.sdk", reason="the OpenTelemetry SDK is not installed")

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, get_current_span

from mailcore.observers import otel

MESSAGE = Message(
    from_="Ada <ada@shop.example>",
    to=["Bob <bob@example.net>", "carol@example.org"],
    subject="geheim",
    text="geheim",
    tags=["geheim"],
)
CONFIG = {"provider": "mailpace", "api_key": "a-token-of-mine"}
ACCEPTED = HttpResponse(status=200, body=b'{"id": 7, "status": "pending"}')
BLOCKED = HttpResponse(status=400, body=b'{"errors": {"to": ["bob@example.net contains a blocked address"]}}')
SENDING = {
    "messaging.system": "mailpace",
    "messaging.operation.name": "send",
    "messaging.operation.type": "send",
    "messaging.destination.name": "default",
    "server.address": "app.mailpace.com",
    "server.port": 443,
}
PROCESSING = {
    "messaging.system": "mailpace",
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
    "messaging.destination.name": "tracking",
}


class Observed:
    """The SDK, exporting to memory, and a host whose sends and deliveries it is told of."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader], shutdown_on_exit=False)
        self.host = PluginHost(
            {"builtin": mailcore.providers, "mailpace": mailcore_mailpace}, installed=False
        )
        otel.install(self.host, tracer_provider=self.tracers, meter_provider=self.meters)

    def mailer(self, *answers: Any, **options: Any) -> Mailer:
        """Return a mailer that is answered from a script, and does not wait."""
        transport = RecordingTransport(*answers)
        config = options.pop("config", CONFIG)
        return Mailer.from_config(
            config, environ={}, host=self.host, transport=transport, sleep=lambda seconds: None, **options
        )

    def spans(self) -> list[ReadableSpan]:
        """Return the spans that ended, and check that none of them tells anything private."""
        found = list(self._exporter.get_finished_spans())
        for span in found:
            assert not private(span.to_json()), span.to_json()
        return found

    def span(self) -> ReadableSpan:
        """Return the only one."""
        (found,) = self.spans()
        return found

    def metrics(self) -> dict[str, list[tuple[dict[str, Any], Any]]]:
        """Return name → attributes and value of each series; the value of a duration is its count."""
        data = self._reader.get_metrics_data()
        assert not private(data.to_json() if data else "")
        scopes = [
            scope for resource in (data.resource_metrics if data else ()) for scope in resource.scope_metrics
        ]
        return {
            metric.name: [
                (dict(point.attributes or {}), getattr(point, "count", getattr(point, "value", None)))
                for point in metric.data.data_points
            ]
            for scope in scopes
            for metric in scope.metrics
        }


def private(text: str) -> list[str]:
    """Return what a text tells that it must not."""
    return [word for word in ("bob", "carol", "ada@", "geheim", "a-token") if word in text.lower()]


def told(span: ReadableSpan) -> dict[str, Any]:
    """Return the attributes of a span."""
    return dict(span.attributes or {})


@pytest.fixture
def observed() -> Iterator[Observed]:
    """Return the SDK and a host."""
    found = Observed()
    yield found
    found.tracers.shutdown()
    found.meters.shutdown()


class TestSends:
    """What a send becomes."""

    def test_code_of_a_mail_server(self, observed: Observed) -> None:
        """An answer that came over no HTTP has no HTTP status."""
        answers = SmtpResponse(code=450, text="geheim"), LocalResponse(message_ids=("1",))
        observed.mailer(*answers, config={"provider": "memory"}).send(MESSAGE)
        [first, _] = observed.span().events
        assert "http.response.status_code" not in (first.attributes or {})

    def test_accepted(self, observed: Observed) -> None:
        """One span of the kind producer, a duration, and one message sent; no span is current after it."""
        before = get_current_span()
        observed.mailer(ACCEPTED).send(MESSAGE)
        assert get_current_span() is before
        span = observed.span()
        assert (span.name, span.kind, span.status.status_code) == (
            "send default",
            SpanKind.PRODUCER,
            StatusCode.UNSET,
        )
        assert told(span) == {
            **SENDING,
            "messaging.message.id": "7",
            "mailcore.outcome": "accepted",
            "mailcore.attempts": 1,
            "mailcore.recipients": 2,
        }
        assert not span.events
        series = {**SENDING, "mailcore.outcome": "accepted"}
        assert observed.metrics() == {
            "messaging.client.sent.messages": [(series, 1)],
            "messaging.client.operation.duration": [(series, 1)],
        }

    @pytest.mark.parametrize(
        "answer, error, outcome, attempts",
        [
            (BLOCKED, "RecipientRejected", "rejected", 1),
            (TransportFailure(Phase.SENT, "geheim"), "MaybeSent", "unknown", 4),
            (TransportFailure(Phase.CONNECTING, "geheim"), "Unreachable", "not_accepted", 4),
        ],
        ids=["rejected", "unknown", "not accepted"],
    )
    def test_failed(self, answer: Any, error: str, outcome: str, attempts: int, observed: Observed) -> None:
        """The span is an error of that class, and its text is nowhere; the metrics are told apart by it."""
        with pytest.raises(MailcoreError):
            observed.mailer(answer).send(MESSAGE)
        span = observed.span()
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
        assert told(span) == {
            **SENDING,
            "error.type": error,
            "mailcore.outcome": outcome,
            "mailcore.attempts": attempts,
            "mailcore.recipients": 2,
            "mailcore.error.scope": "message" if attempts == 1 else "provider",
            "mailcore.error.retriable": attempts > 1,
        }
        series = {**SENDING, "mailcore.outcome": outcome, "error.type": error}
        assert observed.metrics() == {
            "messaging.client.sent.messages": [(series, 1)],
            "messaging.client.operation.duration": [(series, 1)],
        }

    def test_repeated(self, observed: Observed) -> None:
        """Each attempt is an event of the span, at its own time."""
        failure = TransportFailure(Phase.SENT, "geheim")
        times = [datetime(2025, 6, 1, 12, 0, second, tzinfo=UTC) for second in (1, 2, 3)]
        clock = iter(times).__next__
        observed.mailer(failure, HttpResponse(status=429), ACCEPTED, clock=clock).send(MESSAGE)
        span = observed.span()
        assert told(span)["mailcore.attempts"] == 3
        assert [(event.name, dict(event.attributes or {})) for event in span.events] == [
            (
                "mailcore.attempt",
                {"mailcore.attempt.number": 1, "mailcore.outcome": "unknown", "error.type": "MaybeSent"},
            ),
            (
                "mailcore.attempt",
                {
                    "mailcore.attempt.number": 2,
                    "mailcore.outcome": "not_accepted",
                    "error.type": "RateLimited",
                    "http.response.status_code": 429,
                },
            ),
            (
                "mailcore.attempt",
                {
                    "mailcore.attempt.number": 3,
                    "mailcore.outcome": "accepted",
                    "http.response.status_code": 200,
                },
            ),
        ]
        moments = [event.timestamp for event in span.events]
        assert moments == [int(time.timestamp()) * 10**9 for time in times]

    def test_failed_over(self, observed: Observed) -> None:
        """Each mailer's send is a span: the first an error, the second not."""
        first = observed.mailer(HttpResponse(status=503), name="main")
        second = observed.mailer(ACCEPTED, name="spare")
        MailerGroup([first, second]).send(MESSAGE)
        assert [(span.name, span.status.status_code) for span in observed.spans()] == [
            ("send main", StatusCode.ERROR),
            ("send spare", StatusCode.UNSET),
        ]

    def test_refused_or_cancelled(self, observed: Observed) -> None:
        """What ended before anybody was asked was not sent; on purpose is no error."""

        class Stopping:
            @hookimpl
            def mailcore_before_send(self, message: Message) -> None:
                if message.text:
                    raise SendCancelled("geheim")

        observed.host.add("stopping", Stopping())
        for message in (MESSAGE, Message(to="bob@example.net")):
            with pytest.raises(MailcoreError):
                observed.mailer().send(message)
        cancelled, refused = observed.spans()
        assert (told(cancelled)["mailcore.outcome"], cancelled.status.status_code) == (
            "cancelled",
            StatusCode.UNSET,
        )
        assert (told(refused)["mailcore.outcome"], refused.status.status_code) == (
            "refused",
            StatusCode.ERROR,
        )
        assert told(refused)["error.type"] == "InvalidMessage"
        assert list(observed.metrics()) == ["messaging.client.operation.duration"]

    def test_batch(self, observed: Observed) -> None:
        """One span with the number of messages; those that failed are events; each is counted."""
        mailer = Mailer.from_config({"provider": "memory"}, environ={}, host=observed.host)
        mailer.send_many([MESSAGE, Message(to="bob@example.net"), MESSAGE])
        span = observed.span()
        assert told(span) == {
            "messaging.system": "memory",
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
            "messaging.destination.name": "default",
            "messaging.batch.message_count": 3,
            "mailcore.recipients": 5,
            "error.type": "InvalidMessage",
        }
        assert [(event.name, dict(event.attributes or {})) for event in span.events] == [
            ("mailcore.message.unsent", {"mailcore.outcome": "refused", "error.type": "InvalidMessage"})
        ]
        ((_, sent),) = observed.metrics()["messaging.client.sent.messages"]
        assert sent == 2

    def test_buckets(self, observed: Observed) -> None:
        """Durations are told in the buckets of the conventions."""
        observed.mailer(ACCEPTED).send(MESSAGE)
        data = json.loads(observed._reader.get_metrics_data().to_json())
        metrics = data["resource_metrics"][0]["scope_metrics"][0]["metrics"]
        (point,) = next(each for each in metrics if each["unit"] == "s")["data"]["data_points"]
        assert point["explicit_bounds"] == list(otel.BUCKETS)


class TestParents:
    """Which span is within which."""

    def test_http_client(self, observed: Observed) -> None:
        """A span that is made while the request is made is the send's child, in other threads too."""
        tracer = observed.tracers.get_tracer("http")

        def exchange(request: object) -> HttpResponse:
            with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
                return ACCEPTED

        with tracer.start_as_current_span("job"):
            observed.mailer(exchange).send_many([MESSAGE] * 6, concurrency=3)
        self.check_tree(observed, 6)

    def test_tasks(self, observed: Observed) -> None:
        """So it is in an event loop, where sends are under way at once."""
        tracer = observed.tracers.get_tracer("http")

        class Exchanging:
            async def exchange(self, request: object, *, deadline: object) -> HttpResponse:
                with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
                    await asyncio.sleep(0)
                    return ACCEPTED

            async def close(self) -> None: ...

        async def work() -> None:
            mailer = AsyncMailer.from_config(CONFIG, environ={}, host=observed.host, transport=Exchanging())
            with tracer.start_as_current_span("job"):
                await mailer.send_many([MESSAGE] * 6, concurrency=3)

        asyncio.run(work())
        self.check_tree(observed, 6)

    def check_tree(self, observed: Observed, number: int) -> None:
        """Check that there is one job, in it the sends, and in each of these one request."""
        named: dict[str, list[ReadableSpan]] = {}
        for span in observed.spans():
            named.setdefault(span.name, []).append(span)
        (job,) = named["job"]
        parents = [span.parent.span_id for span in named["POST"] if span.parent]
        assert sorted(parents) == sorted(span.context.span_id for span in named["send default"])
        assert {span.parent.span_id for span in named["send default"] if span.parent} == {job.context.span_id}
        assert len(parents) == number

    def test_what_a_handler_sends(self, observed: Observed) -> None:
        """A handler works within the span of its delivery."""
        made = deliveries_of(observed)
        mailer = observed.mailer(ACCEPTED)
        receiver = WebhookReceiver.from_config(
            made.settings, on_event=lambda event: mailer.send(MESSAGE), environ={}, host=observed.host
        )
        receiver.receive(made.event("bounced"), kind="tracking")
        send, process = observed.spans()
        assert send.parent
        assert send.parent.span_id == process.context.span_id
        assert told(process)["messaging.message.id"] == "1"


def deliveries_of(observed: Observed) -> Deliveries:
    """Return what makes webhooks, or skip the test."""
    pytest.importorskip("nacl")
    return deliveries("mailpace", host=observed.host)


class TestDeliveries:
    """What a delivery becomes."""

    def receive(self, observed: Observed, request: WebhookRequest, **options: Any) -> ReadableSpan:
        """Let a receiver take it, and return the span."""
        made = deliveries_of(observed)
        handlers: dict[str, Any] = {
            "on_event": lambda event: None,
            "on_inbound": lambda mail: None,
            **options,
        }
        receiver = WebhookReceiver.from_config(made.settings, **handlers, environ={}, host=observed.host)
        kind = EndpointKind(request.url.rpartition("/")[2])  # that endpoint is what it was made for
        receiver.receive(request, kind=kind)
        return observed.span()

    def test_event(self, observed: Observed) -> None:
        """One span of the kind consumer, a duration, and an event by its kind."""
        span = self.receive(observed, deliveries_of(observed).event("bounced", recipient="bob@example.net"))
        assert (span.name, span.kind) == ("process tracking", SpanKind.CONSUMER)
        assert told(span) == {**PROCESSING, "messaging.message.id": "1", "mailcore.disposition": "accepted"}
        assert observed.metrics() == {
            "messaging.client.consumed.messages": [({**PROCESSING, "mailcore.event_type": "bounced"}, 1)],
            "messaging.process.duration": [({**PROCESSING, "mailcore.disposition": "accepted"}, 1)],
        }

    def test_mail(self, observed: Observed) -> None:
        """A mail is counted, and nothing of it is told."""
        request = deliveries_of(observed).inbound(from_="bob@example.net", subject="geheim", text="geheim")
        span = self.receive(observed, request)
        labels = {**PROCESSING, "messaging.destination.name": "inbound"}
        assert told(span) == {**labels, "mailcore.disposition": "accepted"}
        assert observed.metrics()["messaging.client.consumed.messages"] == [(labels, 1)]

    def test_failed(self, observed: Observed) -> None:
        """A handler that raises makes it an error, without the words of that."""

        def fail(event: object) -> None:
            raise LookupError("geheim")

        span = self.receive(observed, deliveries_of(observed).event("delivered"), on_event=fail)
        assert (told(span)["error.type"], span.status.status_code) == ("unavailable", StatusCode.ERROR)

    def test_refused(self, observed: Observed) -> None:
        """A forged one is an error, and no message was consumed."""
        made = deliveries_of(observed)
        span = self.receive(observed, made.forged(made.event("delivered")))
        assert told(span) == {
            **PROCESSING,
            "mailcore.disposition": "unauthenticated",
            "error.type": "unauthenticated",
        }
        assert list(observed.metrics()) == ["messaging.process.duration"]

    def test_from_a_queue(self, observed: Observed) -> None:
        """A verified delivery is a span when it is dispatched; its kind is known at the end at the latest."""
        made = deliveries_of(observed)
        receiver = WebhookReceiver.from_config(
            made.settings, on_event=lambda event: None, environ={}, host=observed.host
        )
        verified: Any = receiver.verify(made.event("delivered"))
        receiver.dispatch(verified)
        span = observed.span()
        assert (span.name, told(span)["messaging.destination.name"]) == ("process tracking", "tracking")


class TestInstalling:
    """Switching it on."""

    def test_twice(self, observed: Observed) -> None:
        """A second call replaces the first."""
        otel.install(observed.host, tracer_provider=observed.tracers, meter_provider=observed.meters)
        observed.mailer(ACCEPTED).send(MESSAGE)
        assert observed.span()

    def test_without_an_sdk(self) -> None:
        """It does nothing, and the mail goes out."""
        host = PluginHost({"builtin": mailcore.providers}, installed=False)
        otel.install(host)
        assert Mailer.from_config({"provider": "memory"}, environ={}, host=host).send(MESSAGE)

    def test_without_the_api(self) -> None:
        """The error names the command that installs it."""
        code = "import sys; sys.modules['opentelemetry'] = None; import mailcore.observers.otel"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "MissingDependency: mailcore.observers.otel needs the extra 'otel'" in done.stderr
        assert f"Run: {pip_install('mailcore-esp', 'otel')}\n" in done.stderr
