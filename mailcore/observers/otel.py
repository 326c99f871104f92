"""Spans and metrics of OpenTelemetry for sends and deliveries.

Rule 1: names and meanings are those of the semantic conventions for messaging; what they lack is called
        `mailcore.` something. https://opentelemetry.io/docs/specs/semconv/messaging/
Rule 2: a span is current while its send or delivery is worked on, so that those of HTTP clients and of
        handlers become its children.
Rule 3: only the API is used: where no SDK is set up, it does nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from mailcore._delivery import Disposition, EndpointKind
from mailcore._event import TrackingEvent
from mailcore._extra import requires_extra
from mailcore._http import HttpRequest, Request
from mailcore._message import Message
from mailcore._outcome import Outcome
from mailcore._plugins import PluginHost
from mailcore._result import Attempt, SendResult
from mailcore._version import version
from mailcore.exceptions import ConfigurationError, MailcoreError, SendCancelled, SendError
from mailcore.hookspecs import hookimpl

with requires_extra("otel", by=__name__):
    from opentelemetry import context as contexts
    from opentelemetry.metrics import Histogram, MeterProvider, get_meter
    from opentelemetry.trace import (
        Span,
        SpanKind,
        StatusCode,
        TracerProvider,
        get_tracer,
        set_span_in_context,
    )

__all__ = ["Telemetry", "install"]

#: The plugin's name in a host.
NAME = "mailcore.observers.otel"
SCHEMA = "https://opentelemetry.io/schemas/1.41.0"
#: The conventions' own for durations, in seconds.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

SERVER = ("server.address", "server.port")

#: What an operator should see as an error: ours, a sender's, or an attacker's.
_ERRORS = frozenset(
    {
        Disposition.UNAUTHENTICATED,
        Disposition.TOO_LARGE,
        Disposition.BAD_METHOD,
        Disposition.BAD_ENCODING,
        Disposition.UNAVAILABLE,
    }
)


def install(
    host: PluginHost | None = None,
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> Telemetry:
    """
    Trace and count every send and delivery from now on; a second call replaces the first.

    Args:
        host: Whose; None: the process's own.
        tracer_provider, meter_provider: None: the process's own.
    """
    chosen = PluginHost.default() if host is None else host
    plugin = Telemetry(tracer_provider=tracer_provider, meter_provider=meter_provider)
    with suppress(ConfigurationError):  # there was none
        chosen.remove(NAME)
    chosen.add(NAME, plugin)
    return plugin


class _Operation:
    """One send or delivery under way: its span, and what its duration is told by."""

    def __init__(self, span: Span, labels: dict[str, Any], size: int = 1) -> None:
        self.span = span
        self.labels = labels
        self.size = size
        self.recipients = 0
        self.ids: list[str | None] = []

    def label(self, name: str, value: Any) -> None:
        """Put an attribute on the span and on the duration."""
        self.labels[name] = value
        self.span.set_attribute(name, value)

    def fail(self, error: str) -> None:
        """Mark it as ended in an error; of several, the first counts."""
        if "error.type" not in self.labels:
            self.label("error.type", error)
            self.span.set_status(StatusCode.ERROR)

    def identify(self) -> None:
        """Name the one message it was about, or say how many there were."""
        if len(self.ids) > 1:
            self.span.set_attribute("messaging.batch.message_count", len(self.ids))
        elif self.size == 1 and self.ids and self.ids[0] is not None:
            self.span.set_attribute("messaging.message.id", self.ids[0])


#: What is worked on in this thread or task.
_current: ContextVar[_Operation | None] = ContextVar("mailcore_otel_current", default=None)


class Telemetry:
    """The plugin that `install` loads; or pass it to a host of your own."""

    def __init__(
        self, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        self._tracer = get_tracer("mailcore", version(), tracer_provider, SCHEMA)
        meter = get_meter("mailcore", version(), meter_provider, SCHEMA)
        self._sent = meter.create_counter(
            "messaging.client.sent.messages",
            "{message}",
            "Number of messages producer attempted to send to the broker.",
        )
        self._consumed = meter.create_counter(
            "messaging.client.consumed.messages",
            "{message}",
            "Number of messages that were delivered to the application.",
        )
        self._sending = meter.create_histogram(
            "messaging.client.operation.duration",
            "s",
            "Duration of messaging operation initiated by a producer or consumer client.",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )
        self._processing = meter.create_histogram(
            "messaging.process.duration",
            "s",
            "Duration of processing operation.",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )

    # Sends --------------------------------------------------------------------------------------

    @hookimpl
    def mailcore_send_started(
        self, provider: str, mailer: str, messages: Sequence[Message]
    ) -> Callable[[], object]:
        """Begin a span, for one message or for those that go out together."""
        labels = _labels(provider, "send", mailer)
        span = self._tracer.start_span(f"send {mailer}", kind=SpanKind.PRODUCER, attributes=labels)
        return _entered(_Operation(span, labels, len(messages)), self._sending)

    @hookimpl
    def mailcore_request_prepared(self, request: Request) -> None:
        """Note which server is asked."""
        operation = _current.get()
        if operation is None or "server.address" in operation.labels or not isinstance(request, HttpRequest):
            return
        address = urlsplit(request.url)
        if address.hostname:
            operation.label("server.address", address.hostname)
            operation.label("server.port", address.port or (443 if address.scheme == "https" else 80))

    @hookimpl
    def mailcore_send_finished(
        self,
        provider: str,
        mailer: str,
        message: Message,
        result: SendResult | None,
        error: MailcoreError | None,
    ) -> None:
        """Say how a message ended: on its span, and in the number of those sent."""
        labels = _labels(provider, "send", mailer)
        ending = _ending(error)
        operation = _current.get()
        if operation is not None:
            labels |= {name: operation.labels[name] for name in SERVER if name in operation.labels}
            operation.ids.append(result.message_id if result else None)
            operation.recipients += len(message.recipients)
            _tell(operation, ending, _attempts(result, error), error)
        if _attempts(result, error):  # the rest was refused before anybody was asked
            self._sent.add(1, {**labels, **ending})

    # Deliveries ---------------------------------------------------------------------------------

    @hookimpl
    def mailcore_webhook_started(self, provider: str, kind: EndpointKind | None) -> Callable[[], object]:
        """Begin a span."""
        labels = _labels(provider, "process", kind.value if kind else None)
        name = f"process {kind.value}" if kind else "process"
        span = self._tracer.start_span(name, kind=SpanKind.CONSUMER, attributes=labels)
        return _entered(_Operation(span, labels), self._processing)

    @hookimpl
    def mailcore_event_received(self, provider: str, event: TrackingEvent) -> None:
        """Count an event by its kind."""
        labels = _labels(provider, "process", EndpointKind.TRACKING.value)
        self._consumed.add(1, {**labels, "mailcore.event_type": event.event_type.value})
        operation = _current.get()
        if operation is not None:
            operation.ids.append(event.message_id)

    @hookimpl
    def mailcore_inbound_received(self, provider: str) -> None:
        """Count a mail; its Message-ID is its writer's, and is not told."""
        self._consumed.add(1, _labels(provider, "process", EndpointKind.INBOUND.value))
        operation = _current.get()
        if operation is not None:
            operation.ids.append(None)

    @hookimpl
    def mailcore_webhook_finished(self, kind: EndpointKind, disposition: Disposition) -> None:
        """Say what became of it."""
        operation = _current.get()
        if operation is None:  # it waited in the spool, and was counted by what it held
            return
        if "messaging.destination.name" not in operation.labels:
            operation.label("messaging.destination.name", kind.value)
            operation.span.update_name(f"process {kind.value}")
        operation.identify()
        operation.label("mailcore.disposition", disposition.value)
        if disposition in _ERRORS:
            operation.fail(disposition.value)


def _labels(provider: str, operation: str, destination: str | None) -> dict[str, Any]:
    labels = {
        "messaging.system": provider,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
    }
    return labels if destination is None else {**labels, "messaging.destination.name": destination}


def _entered(operation: _Operation, duration: Histogram) -> Callable[[], object]:
    """Make an operation the current one; return what ends it."""
    began = time.perf_counter()
    token = contexts.attach(set_span_in_context(operation.span))
    ours = _current.set(operation)

    def end() -> None:
        duration.record(time.perf_counter() - began, operation.labels)
        operation.span.end()
        _current.reset(ours)
        contexts.detach(token)

    return end


def _ending(error: MailcoreError | None) -> dict[str, str]:
    if error is None:
        return {"mailcore.outcome": Outcome.ACCEPTED.value}
    if isinstance(error, SendCancelled):  # on purpose, so no error
        return {"mailcore.outcome": "cancelled"}
    outcome = error.outcome.value if isinstance(error, SendError) else "refused"
    return {"mailcore.outcome": outcome, "error.type": type(error).__name__}


def _attempts(result: SendResult | None, error: MailcoreError | None) -> tuple[Attempt, ...]:
    if result is not None:
        return result.attempts
    return error.attempts if isinstance(error, SendError) else ()


def _tell(
    operation: _Operation, ending: Mapping[str, str], attempts: Sequence[Attempt], error: MailcoreError | None
) -> None:
    """Put how a message ended on the span: as its attributes, or as an event where it is one of many."""
    span = operation.span
    span.set_attribute("mailcore.recipients", operation.recipients)
    if "error.type" in ending:
        operation.fail(ending["error.type"])
    operation.identify()
    if operation.size > 1:
        if error is not None:
            span.add_event("mailcore.message.unsent", ending)
        return
    operation.label("mailcore.outcome", ending["mailcore.outcome"])
    span.set_attribute("mailcore.attempts", len(attempts))
    if isinstance(error, SendError):
        span.set_attribute("mailcore.error.scope", error.scope.value)
        span.set_attribute("mailcore.error.retriable", error.retriable)
    if len(attempts) > 1:
        for attempt in attempts:
            # A server is named where requests go over HTTP; a mail server's code is no HTTP status.
            _tell_attempt(span, attempt, over_http=SERVER[0] in operation.labels)


def _tell_attempt(span: Span, attempt: Attempt, *, over_http: bool) -> None:
    told: dict[str, Any] = {
        "mailcore.attempt.number": attempt.number,
        "mailcore.outcome": attempt.outcome.value,
    }
    if attempt.error:
        told["error.type"] = attempt.error
    if attempt.status is not None and over_http:
        told["http.response.status_code"] = attempt.status
    span.add_event("mailcore.attempt", told, int(attempt.started_at.timestamp() * 1e9))
