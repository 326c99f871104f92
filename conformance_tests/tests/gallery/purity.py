"""Adapters that read what they were not given, and keep what they should not."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import time
import uuid
from pathlib import Path
from random import random
from typing import Any

from reference.json_api import JsonAdapter
from reference.json_kit import JsonOptions
from reference.json_values import NAME

from gallery import broken
from mailcore import (
    Context,
    Disposition,
    EndpointKind,
    Flow,
    HttpRequest,
    HttpResponse,
    Message,
    Secret,
    SendResult,
    TrackingEvent,
    WebhookRequest,
    WebhookResponse,
)

Headers = list[tuple[str, str | Secret]]


@broken("B40", "Built again, the same message makes another request.")
class RemembersMessages(JsonAdapter):
    """Marks a message that it has seen before."""

    def __init__(self, options: JsonOptions) -> None:
        super().__init__(options)
        self.seen: list[Message] = []

    def headers(self, message: Message, ctx: Context) -> Headers:
        known: Headers = [("X-Repeated", "yes")] if message in self.seen else []
        self.seen.append(message)
        return [*super().headers(message, ctx), *known]


@broken("B42", "The body of the second attempt differs from the first one's.")
class DatesTheBody(JsonAdapter):
    """Writes the time of a later attempt into the body."""

    def document(self, message: Message, ctx: Context) -> dict[str, Any]:
        dated = {"repeated_at": ctx.now.isoformat()} if ctx.now != ctx.created else {}
        return {**super().document(message, ctx), **dated}


@broken("B43", "One mail takes 2 requests with commits=True.")
class SendsTwice(JsonAdapter):
    """Sends a mail with many fields a second time, to be sure."""

    def send_flow(self, message: Message, ctx: Context) -> Flow[SendResult]:
        response = yield self.build_send(message, ctx)
        if message.envelope_sender is not None and message.amp_html is not None:
            response = yield self.build_send(message, ctx)
        return self.parse_send(message, ctx, response)


# What it must not read ------------------------------------------------------------------------------


@broken("B44.clock", "time is called at ")
class TimesItself(JsonAdapter):
    """Measures how long it takes to read an answer."""

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        self.started = time.time()
        return super().parse_send(message, ctx, response)


@broken("B44.clock", "monotonic is called at ")
class TimesVerification(JsonAdapter):
    """Measures how long it takes to verify a delivery."""

    def signature_ok(self, request: WebhookRequest) -> str | None:
        self.started = time.monotonic()
        return super().signature_ok(request)


@broken("B44.random", "urandom is called at ")
class DrawsAnId(JsonAdapter):
    """Draws an id for each event, and has no use for it."""

    def event(self, element: Any) -> TrackingEvent:
        self.drawn = uuid.uuid4()
        return super().event(element)


@broken("B44.random", "random is called at ")
class RollsADie(JsonAdapter):
    """Draws a number for each request."""

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        self.drawn = random()
        return super().build_send(message, ctx)


@broken("B44.environment", "__getitem__ is called at ")
class ReadsTheEnvironment(JsonAdapter):
    """Looks for a proxy in the environment."""

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        self.proxy = os.environ.get("HTTPS_PROXY")
        return super().build_send(message, ctx)


@broken("B44.environment", "_getframe is called at ")
class LooksWhoCalls(JsonAdapter):
    """Asks who called, as one does who behaves for a test alone."""

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        self.caller = sys._getframe(1).f_code.co_filename
        return super().build_send(message, ctx)


@broken("B44.files", "open is called at ")
class ReadsAFile(JsonAdapter):
    """Reads a file for each answer to a delivery."""

    def webhook_response(self, disposition: Disposition, kind: EndpointKind) -> WebhookResponse:
        self.template = Path(__file__).read_bytes()
        return super().webhook_response(disposition, kind)


@broken("B44.logging", "debug is called at ")
class LogsEvents(JsonAdapter):
    """Logs what it reads."""

    def event(self, element: Any) -> TrackingEvent:
        logging.getLogger("gallery").debug("An event.")
        return super().event(element)


@broken("B44.logging", "print is called at ")
class PrintsEvents(JsonAdapter):
    """Prints what it reads."""

    def event(self, element: Any) -> TrackingEvent:
        print(end="")  # noqa: T201  # reason: that is the defect
        return super().event(element)


# One adapter, many mails ----------------------------------------------------------------------------


@broken("B45", "With another mail on its way, the result is another one.")
class KeepsTheMessage(JsonAdapter):
    """Remembers from one step to the next which message it is about."""

    def send_flow(self, message: Message, ctx: Context) -> Flow[SendResult]:
        self.message = message
        response = yield self.build_send(message, ctx)
        return self.parse_send(self.message, ctx, response)


@broken("B46", "The message is another one after it was sent.")
class SortsOptions(JsonAdapter):
    """Sorts the lists among the provider's own options where they are."""

    def document(self, message: Message, ctx: Context) -> dict[str, Any]:
        for value in message.provider_options.get(NAME, {}).values():
            if isinstance(value, list):
                value.sort()
        return super().document(message, ctx)


@broken("B47", "Closing a flow at attempt 3 raises RuntimeError.")
class WillNotGiveUp(JsonAdapter):
    """Asks once more when it is told to stop, after some attempts."""

    def send_flow(self, message: Message, ctx: Context) -> Flow[SendResult]:
        try:
            response = yield self.build_send(message, ctx)
        except GeneratorExit:
            if ctx.attempt > 2:
                yield self.build_send(message, ctx)
            raise
        return self.parse_send(message, ctx, response)


@broken("S01", "A host name was looked up at ")
class LooksUpItsHost(JsonAdapter):
    """Looks up where it is going to send."""

    def url(self, message: Message, ctx: Context) -> str:
        with contextlib.suppress(OSError):
            socket.getaddrinfo("api.json-api.example", 443)
        return super().url(message, ctx)
