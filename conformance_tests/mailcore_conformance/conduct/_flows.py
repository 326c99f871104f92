"""One adapter's flows, step by step: for checks that need the same adapter more than once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from mailcore import (
    UNSET,
    Adapter,
    Capability,
    HttpRequest,
    Message,
    Request,
    Response,
    Secret,
    SendError,
    Verification,
    WebhookResponse,
)
from mailcore_conformance._check import Failed
from mailcore_conformance._sample import Delivery
from mailcore_conformance._subject import MAX_STEPS, Subject, drive, fetch
from mailcore_conformance._wire import body_bytes

__all__ = [
    "committing",
    "finished",
    "fullest",
    "opened",
    "plain",
    "readable",
    "receives",
    "shown",
    "verified",
]

#: Base64 and other coders are indifferent to it, and so are all providers.
_PLAIN = {"from_": "sender@example.com", "to": ["to@example.com"], "subject": "Subject", "text": "Text"}


def plain(**changes: Any) -> Message:
    """Return a new message that any provider can carry, but for `changes`."""
    return Message(**{**_PLAIN, **changes})


def fullest(subject: Subject) -> Message:
    """Return the accepted message of the samples that uses most fields."""
    single = [one.messages[0] for one in subject.kit.exchanges if one.accepted and len(one.messages) == 1]
    return max(single, key=_fields, default=plain())


def _fields(message: Message) -> int:
    values = [getattr(message, field.name) for field in attrs.fields(Message)]
    return sum(value is not UNSET for value in values)


def opened(subject: Subject, adapter: Adapter, message: Message, **context: Any) -> tuple[Any, Request]:
    """Start a flow, up to the request that sends; close it when done."""
    flow = adapter.send_flow(message.resolve(), subject.context(**context))
    try:
        request = next(flow)
        for _ in range(MAX_STEPS):
            if request.commits:
                return flow, request
            request = flow.send(fetch(subject.kit.answer, request))
    except StopIteration:
        pass
    raise Failed("The adapter's send_flow makes no request with commits=True.")


def committing(subject: Subject, adapter: Adapter, message: Message, **context: Any) -> Request:
    """Return the request by which this adapter sends a message."""
    flow, request = opened(subject, adapter, message, **context)
    flow.close()
    return request


def finished(
    subject: Subject, flow: Any, response: Response, *, waiting: bool = False
) -> tuple[list[Request], Any]:
    """
    Run a flow to its end; return the requests it made and what it returned, or its error.

    Args:
        response: What every request that sends is answered.
        waiting: Whether the flow waits for that answer already; otherwise it is not yet started.
    """
    made: list[Request] = []
    answer: Response = response if waiting else None
    try:
        while len(made) <= MAX_STEPS:
            made.append(flow.send(answer))
            answer = response if made[-1].commits else fetch(subject.kit.answer, made[-1])
    except StopIteration as stop:
        return made, stop.value
    except SendError as error:
        return made, error
    finally:
        flow.close()
    raise Failed(f"The flow made more than {MAX_STEPS} requests.")


def shown(request: Request) -> tuple[Any, ...]:
    """Return everything that a request says, so that two can be compared."""
    if not isinstance(request, HttpRequest):
        return repr(request), body_bytes(request)
    headers = [
        (name, value.reveal() if isinstance(value, Secret) else value) for name, value in request.headers
    ]
    return request.method, request.url, headers, body_bytes(request)


def receives(subject: Subject) -> bool:
    """Return whether an adapter takes webhooks."""
    return subject.can(Capability.WEBHOOK_TRACKING) or subject.can(Capability.WEBHOOK_INBOUND)


def readable(subject: Subject) -> Sequence[Delivery]:
    """Return the samples that hold events or mail."""
    return [one for one in subject.kit.deliveries if one.readable] if receives(subject) else []


def verified(
    subject: Subject, adapter: Adapter, sample: Delivery, **changes: Any
) -> Verification | WebhookResponse:
    """Return what this adapter proves of a sample, at the time it came."""
    request = attrs.evolve(sample.request, **changes)
    context = subject.context(now=request.received_at, created=request.received_at, idempotency_key=None)
    found: Verification | WebhookResponse = drive(
        adapter.verify_flow(request, context), lambda step: fetch(subject.kit.answer, step)
    )
    return found
