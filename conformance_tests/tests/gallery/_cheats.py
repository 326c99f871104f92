"""Adapters that do nothing, or that know the answers and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import attrs
from reference import REFERENCES

from mailcore import (
    Adapter,
    Covers,
    HttpRequest,
    InboundMessage,
    SendResult,
    SendStatus,
    TrackingEvent,
    Verification,
    WebhookRejected,
)

__all__ = ["AnswerKey", "Null", "Silent"]

REFERENCE = REFERENCES["json"]


class Null(Adapter):
    """Does what the base class does."""


class Silent(Adapter):
    """Says yes to everything, and does nothing."""

    webhook_covers = Covers.BODY  # type: ignore[assignment]  # reason: it is always so

    def build_send(self, message: Any, ctx: Any) -> HttpRequest:
        return HttpRequest(method="POST", url="https://api.example.com")

    def parse_send(self, message: Any, ctx: Any, response: Any) -> SendResult:
        return SendResult.for_all(message, SendStatus.QUEUED, "1")

    def build_batch(self, messages: Any, ctx: Any) -> HttpRequest:
        return self.build_send(messages[0], ctx)

    def parse_batch(self, messages: Any, ctx: Any, response: Any) -> list[SendResult]:
        return [self.parse_send(message, ctx, response) for message in messages]

    def verify_webhook(self, request: Any, ctx: Any) -> Verification:
        return Verification(scheme="none", covers=Covers.BODY, key="any")

    def webhook_kind(self, webhook: Any) -> None:
        return None


def text_of(request: Any) -> tuple[Any, ...]:
    """Return what tells one delivery from another."""
    return request.headers.pairs, request.body


class AnswerKey(Adapter):
    """Knows the samples of the kit, and nothing else."""

    webhook_covers = Covers.BODY  # type: ignore[assignment]  # reason: it is always so

    def build_send(self, message: Any, ctx: Any) -> Any:
        known = [one for one in REFERENCE.kit.exchanges if one.request is not None]
        fitting = [one for one in known if one.messages and one.messages[0].resolve() == message]
        return (fitting or known)[0].request

    def parse_send(self, message: Any, ctx: Any, response: Any) -> Any:
        known = [one for one in REFERENCE.kit.exchanges if one.response == response]
        expected: Mapping[str, Any] = known[0].expected[0] if known else {"message_id": "m-1"}
        return SendResult.for_all(message, SendStatus.QUEUED, expected.get("message_id", "m-1"), raw=response)

    def verify_webhook(self, request: Any, ctx: Any) -> Verification:
        if text_of(request) not in [text_of(one.request) for one in REFERENCE.kit.deliveries]:
            raise WebhookRejected("It is none of the samples.")
        return Verification(scheme="samples", covers=Covers.BODY, key="sample")

    def webhook_kind(self, webhook: Any) -> Any:
        known = [one for one in REFERENCE.kit.deliveries if one.request.body == webhook.request.body]
        return known[0].kind if known else None

    def _expected(self, webhook: Any, what: str) -> list[Mapping[str, Any]]:
        known = [one for one in REFERENCE.kit.deliveries if one.request.body == webhook.request.body]
        return list(known[0].expected.get(what, ()) if known else ())

    def parse_events(self, webhook: Any) -> list[TrackingEvent]:
        names = [field.name for field in attrs.fields(TrackingEvent)]
        return [
            TrackingEvent(**{name: value for name, value in one.items() if name in names})
            for one in self._expected(webhook, "events")
        ]

    def parse_inbound(self, webhook: Any) -> list[InboundMessage]:
        received = datetime(2030, 1, 2, tzinfo=UTC)
        return [
            InboundMessage.from_parts(subject=one.get("subject"), text=one.get("text"), timestamp=received)
            for one in self._expected(webhook, "messages")
        ]
