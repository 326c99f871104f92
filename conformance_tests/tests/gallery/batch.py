"""Adapters that mix up, lose or expose messages of a batch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count
from typing import Any

import attrs
from reference.json_api import JsonAdapter, table

from gallery import broken
from mailcore import (
    Context,
    HttpRequest,
    HttpResponse,
    JsonBody,
    MaybeSent,
    Message,
    Rejected,
    SendError,
    SendResult,
    SendStatus,
    ServiceUnavailable,
)

Verdicts = Sequence[SendResult | SendError]


class _Documents(JsonAdapter):
    """Builds a batch from documents that a subclass may change."""

    def changed(self, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the documents of the messages."""
        return documents

    def build_batch(self, messages: Sequence[Message], ctx: Context) -> HttpRequest:
        documents = self.changed([self.document(message, ctx) for message in messages])
        return attrs.evolve(super().build_batch(messages, ctx), body=JsonBody({"messages": documents}))


@broken("Q01", "Of message 2, Text ... are nowhere in the request")
class SendsOneLongText(_Documents):
    """Leaves a text of more than a line's beginning out of all messages but the first."""

    def changed(self, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for document in documents[1:]:
            if len(document.get("text", "")) > 12:
                del document["text"]
        return documents


@broken("Q02", "has another id than the answer gives it")
class SortsVerdicts(JsonAdapter):
    """Puts the verdicts in the order of their ids."""

    def parse_batch(self, messages: Sequence[Message], ctx: Context, response: HttpResponse) -> Verdicts:
        found = super().parse_batch(messages, ctx, response)
        results = [one for one in found if isinstance(one, SendResult)]
        results.sort(key=lambda one: (len(one.message_id or ""), one.message_id or ""))
        return results if len(results) == len(found) else found


@broken("Q03", "message 2: status is 'queued', and should be 'sent'")
class CallsBatchesQueued(JsonAdapter):
    """Reports every accepted message of a batch as queued."""

    def verdict(self, message: Message, element: Any, response: HttpResponse) -> SendResult | SendError:
        found = super().verdict(message, element, response)
        if isinstance(found, SendError):
            return found
        return SendResult.for_all(message, SendStatus.QUEUED, found.message_id or "", raw=response)


@broken("Q04", "An accepted status with an empty body becomes Rejected")
class TakesSilenceForRefusal(JsonAdapter):
    """Reports a batch whose answer is empty as refused."""

    def parse_batch(self, messages: Sequence[Message], ctx: Context, response: HttpResponse) -> Verdicts:
        if response.status == 202 and not response.body:
            return [Rejected("There is no answer.", response=response) for _ in messages]
        return super().parse_batch(messages, ctx, response)


@broken("Q05", "429 (too fast): it becomes ServiceUnavailable")
class CallsThrottlingDowntime(JsonAdapter):
    """Does not tell a throttled batch from a provider that is down."""

    def parse_batch(self, messages: Sequence[Message], ctx: Context, response: HttpResponse) -> Verdicts:
        if response.status == 429:
            raise ServiceUnavailable("Come back later.", response=response)
        return super().parse_batch(messages, ctx, response)


@broken("Q06", "becomes MaybeSent, and it was accepted")
class GivesUpTheWholeBatch(JsonAdapter):
    """Takes all messages for unknown where one verdict cannot be read."""

    def parse_batch(self, messages: Sequence[Message], ctx: Context, response: HttpResponse) -> Verdicts:
        found = super().parse_batch(messages, ctx, response)
        if any(isinstance(one, MaybeSent) for one in found):
            raise MaybeSent("A verdict cannot be read.", response=response)
        return found


@broken("Q07.short", "becomes Rejected instead of MaybeSent")
class TakesMissingForRefused(JsonAdapter):
    """Reports a message that the answer leaves out as refused."""

    def parse_batch(self, messages: Sequence[Message], ctx: Context, response: HttpResponse) -> Verdicts:
        given = table(self.read(response)).get("results")
        known = len(given) if response.status == 202 and isinstance(given, list) else len(messages)
        left = [Rejected("It is not in the answer.", response=response) for _ in messages[known:]]
        return [*super().parse_batch(messages[:known], ctx, response), *left]


@broken("Q07.long", "has another id than the answer gives it")
class MatchesAsFarAsItGoes(JsonAdapter):
    """Gives the messages the first verdicts of an answer that has more."""

    def parse_batch(self, messages: Sequence[Message], ctx: Context, response: HttpResponse) -> Verdicts:
        given = table(self.read(response)).get("results")
        if isinstance(given, list) and len(given) > len(messages):
            body = json.dumps({"results": given[: len(messages)]}).encode()
            response = attrs.evolve(response, body=body)
        return super().parse_batch(messages, ctx, response)


@broken("Q08", "Of 4 messages, number 3 is in no request")
class SendsTwoAtMost(_Documents):
    """Puts fewer messages into a request than are declared to fit."""

    def changed(self, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return documents[:2]


@broken("Q09", "Two builds of the same batch have different")
class NumbersBatches(_Documents):
    """Gives each batch with hidden copies a number of its own."""

    numbers = count()

    def changed(self, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if "bcc" in documents[0]:
            documents[0]["metadata"] = {"batch": next(self.numbers)}
        return documents


@broken("Q10", "An address in bcc of message 1 stands outside of its part")
class CopiesToTheNext(_Documents):
    """Sends the last message to the hidden recipients of the first as well."""

    def changed(self, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(documents) > 1 and "bcc" in documents[0]:
            documents[-1]["bcc"] = [*documents[-1].get("bcc", []), *documents[0]["bcc"]]
        return documents


@broken("Q11", "The key of the batch is nowhere in the request")
class DropsShortKeysOfBatches(JsonAdapter):
    """Sends a batch's key only where it is as long as a UUID."""

    def build_batch(self, messages: Sequence[Message], ctx: Context) -> HttpRequest:
        short = len(ctx.idempotency_key or "") < 36
        return super().build_batch(messages, attrs.evolve(ctx, idempotency_key=None) if short else ctx)
