"""A mailer made of mailers, in an event loop."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import TypeAlias

from mailcore._async_mailer import AsyncMailer
from mailcore._closing import AsyncClosing
from mailcore._failover import Failover
from mailcore._message import Message
from mailcore._result import SendOutcome, SendResult
from mailcore._sending import not_sent
from mailcore._steps import drive_async

__all__ = ["AsyncMailerGroup"]

AnyMailer: TypeAlias = "AsyncMailer | AsyncMailerGroup"


class AsyncMailerGroup(Failover[AnyMailer], AsyncClosing):
    """
    Send through the first of several mailers that takes the mail, as `MailerGroup` does.

    It has the verbs of an `AsyncMailer`, and is an asynchronous context manager that closes all of
    its mailers. The arguments are those of `MailerGroup`.
    """

    async def send(
        self, message: Message, *, idempotency_key: str | None = None, created: datetime | None = None
    ) -> SendResult:
        """Send one message, or raise, as `MailerGroup.send` does."""

        async def send(mailer: AnyMailer) -> SendResult:
            return await mailer.send(message, idempotency_key=idempotency_key, created=created)

        return await drive_async(self._turns(), send)

    async def send_many(
        self, messages: Iterable[Message] | AsyncIterable[Message], *, concurrency: int = 8
    ) -> list[SendOutcome]:
        """Send now and return one outcome for each message, in their order; no `MailcoreError` is raised."""
        return [outcome async for outcome in self.iter_send(messages, concurrency=concurrency)]

    async def iter_send(
        self, messages: Iterable[Message] | AsyncIterable[Message], *, concurrency: int = 8
    ) -> AsyncGenerator[SendOutcome, None]:
        """Send while iterating, as `AsyncMailer.iter_send`, but each message by itself."""
        from mailcore._loop import in_order

        outcomes = in_order(self._outcome, messages, size=1, concurrency=concurrency)
        async with aclosing(outcomes):
            async for outcome in outcomes:
                yield outcome

    async def _outcome(self, messages: Sequence[Message]) -> SendOutcome:
        [message] = messages
        try:
            return SendOutcome(message, await self.send(message), None)
        except Exception as error:  # noqa: BLE001  # reason: the others' outcomes must not be lost
            return SendOutcome(message, None, not_sent(error))

    async def close(self) -> None:
        """Close every mailer."""
        for mailer in self.mailers:
            await mailer.close()
