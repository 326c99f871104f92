"""Sends messages through one configured provider, in an event loop."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from random import random
from typing import Any

from mailcore import _config
from mailcore._carrier import AsyncCarrier
from mailcore._closing import AsyncClosing
from mailcore._message import Message
from mailcore._plugins import PluginHost
from mailcore._result import SendOutcome, SendResult
from mailcore._secret import Secret
from mailcore._sending import Sending
from mailcore._time import utc_now
from mailcore._transport import AsyncTransport

__all__ = ["AsyncMailer"]


class AsyncMailer(Sending, AsyncClosing):
    """
    Send through one provider, as `Mailer` does, without blocking an event loop.

    Requests over HTTP need the extra `aiohttp`. Also an asynchronous context manager. A mailer may
    be made outside of a loop, and be used in several, one after the other.

    Attributes:
        provider: The provider's name.
        name: The mailer's own name, for logs and plugins.
    """

    def __init__(
        self,
        configuration: _config.Configuration,
        *,
        name: str = "default",
        host: PluginHost | None = None,
        transport: AsyncTransport | None = None,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[object]] | None = None,
        random: Callable[[], float] = random,
    ) -> None:
        super().__init__(configuration, name=name, host=host, clock=clock, random=random)
        self._carrier = AsyncCarrier(
            self.settings,
            provider=self.provider,
            mailer=name,
            host=self._host,
            transport=transport,
            secrets=configuration.secrets,
            sleep=sleep,
        )

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        *,
        environ: Mapping[str, str] | None = None,
        host: PluginHost | None = None,
        name: str = "default",
        transport: AsyncTransport | None = None,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[object]] | None = None,
        random: Callable[[], float] = random,
    ) -> AsyncMailer:
        """Return a mailer for a flat mapping, as `Mailer.from_config` does."""
        host = PluginHost.default() if host is None else host
        found = _config.configuration(config, host=host, environ=environ)
        return cls(found, name=name, host=host, transport=transport, clock=clock, sleep=sleep, random=random)

    @classmethod
    def from_url(
        cls,
        url: str | Secret,
        *,
        environ: Mapping[str, str] | None = None,
        host: PluginHost | None = None,
        transport: AsyncTransport | None = None,
    ) -> AsyncMailer:
        """Return a mailer for a URL, as `Mailer.from_url` does."""
        return cls.from_config(
            _config.from_url(url, environ=environ), environ=environ, host=host, transport=transport
        )

    async def send(
        self, message: Message, *, idempotency_key: str | None = None, created: datetime | None = None
    ) -> SendResult:
        """
        Send one message and return what the provider said, or raise, as `Mailer.send` does.

        A send that is cancelled may have been sent: give it an `idempotency_key` where that matters,
        and send it again under the same one.
        """
        return await self._carrier.run(self._sent(message, idempotency_key, created))

    async def send_many(
        self, messages: Iterable[Message] | AsyncIterable[Message], *, concurrency: int = 8
    ) -> list[SendOutcome]:
        """Send now and return one outcome for each message, in their order; no `MailcoreError` is raised."""
        return [outcome async for outcome in self.iter_send(messages, concurrency=concurrency)]

    async def iter_send(
        self, messages: Iterable[Message] | AsyncIterable[Message], *, concurrency: int = 8
    ) -> AsyncGenerator[SendOutcome, None]:
        """
        Send while iterating and yield one outcome for each message, in their order.

        As `Mailer.iter_send`: at most `concurrency` requests are under way, and no more messages are
        taken than that needs. When the iterator is closed (`contextlib.aclosing`), what is under way
        is finished first; when it is cancelled, that is cancelled too.
        """
        from mailcore._loop import in_order

        chunks = in_order(self._send_chunk, messages, size=self._chunk_size(), concurrency=concurrency)
        async with aclosing(chunks):
            async for chunk in chunks:
                for outcome in chunk:
                    yield outcome

    async def _send_chunk(self, messages: Sequence[Message]) -> list[SendOutcome]:
        return await self._carrier.run(self._chunk(messages))

    async def close(self) -> None:
        """Close connections; a transport that was given stays open. Sending again opens new ones."""
        await self._carrier.close()
