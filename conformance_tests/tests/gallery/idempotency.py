"""Adapters that lose, change or depend on the key under which a send is repeated."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from reference.json_api import JsonAdapter

from gallery import broken
from mailcore import Context, HttpRequest, HttpResponse, Message, Rejected, Secret, SendResult

Pairs = list[tuple[str, str | Secret]]


class _Keyed(JsonAdapter):
    """Sends a key that a subclass may change."""

    def key(self, key: str, ctx: Context) -> str:
        """Return the key that is sent."""
        return key

    def headers(self, message: Message, ctx: Context) -> Pairs:
        sent = self.key(ctx.idempotency_key, ctx) if ctx.idempotency_key else None
        return super().headers(message, attrs.evolve(ctx, idempotency_key=sent))


@broken("K01", "The key does not stand in the request whole and alone")
class FillsShortKeys(_Keyed):
    """Makes keys of fewer than twelve characters longer."""

    def key(self, key: str, ctx: Context) -> str:
        return key.ljust(12, "0")


@broken("K02", "header Idempotency-Key is sent all the same")
class SendsAnEmptyKey(JsonAdapter):
    """Sends the header with nothing in it where there is no key, with mail that has hidden copies."""

    def headers(self, message: Message, ctx: Context) -> Pairs:
        empty: Pairs = [] if ctx.idempotency_key or not message.bcc else [("Idempotency-Key", "")]
        return [*super().headers(message, ctx), *empty]


@broken("K03", "A batch's key of 64 characters does not stand in the request whole")
class CutsTheKeysOfBatches(JsonAdapter):
    """Allows the keys of batches one character less than is declared."""

    def build_batch(self, messages: Sequence[Message], ctx: Context) -> HttpRequest:
        key = ctx.idempotency_key
        return super().build_batch(messages, attrs.evolve(ctx, idempotency_key=key and key[:63]))


@broken("K04", "header X-Order differs under another key")
class TakesDigitsForAnOrder(JsonAdapter):
    """Takes a key of digits for the number of an order, and says so."""

    def headers(self, message: Message, ctx: Context) -> Pairs:
        order: Pairs = [("X-Order", "yes")] if (ctx.idempotency_key or "").isdigit() else []
        return [*super().headers(message, ctx), *order]


@broken("K05", "HTTP 409 becomes Rejected instead of an InProgress")
class TakesConflictForRefusal(JsonAdapter):
    """Reports a key that is being processed as a refused mail, where nothing else is said."""

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        if response.status == 409 and not response.body:
            raise Rejected("A conflict.", response=response)
        return super().parse_send(message, ctx, response)


@broken("K07", "does not stand in the request")
class ReadsPlusAsSpace(_Keyed):
    """Takes the plus signs of a key for spaces."""

    def key(self, key: str, ctx: Context) -> str:
        return key.replace("+", " ")


@broken("K08", "On a second attempt, the key does not stand in the request whole and alone")
class CountsAttempts(_Keyed):
    """Makes every attempt another key."""

    def key(self, key: str, ctx: Context) -> str:
        return key if ctx.attempt == 1 else f"{key}-{ctx.attempt}"
