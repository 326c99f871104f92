"""Sends messages through one configured provider, and waits for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from random import random
from typing import Any

from mailcore import _config
from mailcore._carrier import Carrier
from mailcore._closing import Closing
from mailcore._many import in_order
from mailcore._message import Message
from mailcore._plugins import PluginHost
from mailcore._result import SendOutcome, SendResult
from mailcore._secret import Secret
from mailcore._sending import Sending
from mailcore._time import utc_now
from mailcore._transport import Transport

__all__ = ["Mailer"]


class Mailer(Sending, Closing):
    """
    Send through one provider; safe to share between threads.

    Make one with `from_config` or `from_url`, keep it, and close it at the end: it holds the
    connections. Also a context manager.

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
        transport: Transport | None = None,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], object] = time.sleep,
        random: Callable[[], float] = random,
    ) -> None:
        super().__init__(configuration, name=name, host=host, clock=clock, random=random)
        self._carrier = Carrier(
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
        transport: Transport | None = None,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], object] = time.sleep,
        random: Callable[[], float] = random,
    ) -> Mailer:
        """
        Return a mailer for a flat mapping such as `{"provider": "mailpace", "api_key": "..."}`.

        Args:
            environ: Where options not given are looked up; None: the process's environment.
            host: The plugins to use; None: all that are installed.
            transport: What carries the requests; None: the usual one for each type.
            clock: Returns the time, aware and in UTC.
            sleep: Waits that many seconds before a repeat.
            random: Returns a number from 0 up to 1, for the jitter of that wait.

        Raises:
            ConfigurationError: It cannot work; the error says what to change.
        """
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
        transport: Transport | None = None,
    ) -> Mailer:
        """Return a mailer for a URL such as `mailpace://?api_key=env:MAILPACE_API_KEY`."""
        return cls.from_config(
            _config.from_url(url, environ=environ), environ=environ, host=host, transport=transport
        )

    def send(
        self, message: Message, *, idempotency_key: str | None = None, created: datetime | None = None
    ) -> SendResult:
        """
        Send one message and return what the provider said.

        Args:
            idempotency_key: Overrides the message's; one is made where the provider has a use for
                it. Pass `error.idempotency_key` to resolve a `MaybeSent`.
            created: When the message was first sent, or put into a queue (aware); None: now. With
                the same key and time the provider is sent the same bytes, and a key too old to be
                relied on is not.

        Raises:
            InvalidMessage: It cannot be part of any mail, or its key was used for another one.
            UnsupportedFeature: This provider cannot carry it.
            SendCancelled: A plugin stopped it.
            SendError: It was not accepted, was rejected, or nobody can tell: see `outcome`.
        """
        return self._carrier.run(self._sent(message, idempotency_key, created))

    def send_many(self, messages: Iterable[Message], *, concurrency: int = 8) -> list[SendOutcome]:
        """Send now and return one outcome for each message, in their order; no `MailcoreError` is raised."""
        return list(self.iter_send(messages, concurrency=concurrency))

    def iter_send(self, messages: Iterable[Message], *, concurrency: int = 8) -> Iterator[SendOutcome]:
        """
        Send while iterating and yield one outcome for each message, in their order.

        At most `concurrency` requests are under way, and no more messages are taken than that
        needs. When iteration is abandoned, what is under way is finished first. Where the provider
        takes batches, messages go out in batches, but for those with an idempotency key of their
        own: a batch has one key, which a single message cannot be sent again under.
        """
        for chunk in in_order(self._send_chunk, messages, size=self._chunk_size(), concurrency=concurrency):
            yield from chunk

    def _send_chunk(self, messages: Sequence[Message]) -> list[SendOutcome]:
        return self._carrier.run(self._chunk(messages))

    def close(self) -> None:
        """Close connections; a transport that was given stays open. Sending again opens new ones."""
        self._carrier.close()
