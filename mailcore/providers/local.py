"""Adapters for providers in this process: no account, no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import attrs

from mailcore._adapter import Adapter, Context
from mailcore._http import LocalRequest, LocalResponse
from mailcore._message import Message
from mailcore._result import SendResult, SendStatus
from mailcore.exceptions import SendError

__all__ = ["ConsoleAdapter", "LocalOptions", "MemoryAdapter"]


@attrs.frozen(kw_only=True)
class LocalOptions:
    """These providers have no options of their own."""


class _LocalAdapter(Adapter):
    destination: ClassVar[str]

    def build_send(self, message: Message, ctx: Context) -> LocalRequest:
        return self.build_batch([message], ctx)

    def parse_send(self, message: Message, ctx: Context, response: LocalResponse) -> SendResult:
        return _result(message, response.message_ids[0])

    def build_batch(self, messages: Sequence[Message], ctx: Context) -> LocalRequest:
        named = {
            f"{ctx.unique}.{number}@{self.destination}": message for number, message in enumerate(messages)
        }
        return LocalRequest(messages=named, destination=self.destination, idempotency_key=ctx.idempotency_key)

    def parse_batch(
        self, messages: Sequence[Message], ctx: Context, response: LocalResponse
    ) -> Sequence[SendResult | SendError]:
        return [
            _result(message, found) for message, found in zip(messages, response.message_ids, strict=False)
        ]


def _result(message: Message, message_id: str) -> SendResult:
    return SendResult.for_all(message, SendStatus.SENT, message_id)


class MemoryAdapter(_LocalAdapter):
    """Keep messages in a list, for tests."""

    destination = "memory"


class ConsoleAdapter(_LocalAdapter):
    """Print messages, for development."""

    destination = "console"
