"""Mailcore in Starlette, and in what is built on it, such as FastAPI: mailers, a lifespan, webhooks.

    mail = Mailcore({"provider": "mailpace", "api_key": "...", "webhook_key": "..."})
    app = Starlette(routes=[Mount("/mail", mail.webhooks)], lifespan=mail.lifespan)

Rule: nothing here needs more of Starlette than ASGI, a lifespan, and dependencies that are functions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Unpack

from mailcore import AsyncMailer, AsyncMailerGroup, AsyncMailers, AsyncWebhookReceiver
from mailcore._closing import AsyncClosing
from mailcore._extra import requires_extra
from mailcore.frameworks._embedding import Embedded, Handlers, Options, named
from mailcore.frameworks._endpoint import Endpoint
from mailcore.frameworks.asgi import WebhookApp

with requires_extra("starlette", by=__name__):
    from starlette.applications import Starlette

__all__ = ["Mailcore"]


class Mailcore(Handlers, AsyncClosing):
    """
    Hold the mailers and the webhook endpoints of an application.

    Handlers that are coroutine functions run in the event loop, others in threads.

    Args:
        config: One mailer's flat settings, or what `AsyncMailers` takes. None: the environment says it.
        options: As `Options` says: `on_event`, `on_inbound`, `on_quarantine`, `replay_store`, `receive`.

    Raises:
        ConfigurationError: There is no mailer.
    """

    def __init__(self, config: Mapping[str, Any] | None = None, **options: Unpack[Options]) -> None:
        super().__init__(**options)
        self._embedded = Embedded(named(AsyncMailers, config), AsyncWebhookReceiver, self)

    # Positional: FastAPI would let a request say what a dependency takes by name.
    def mailer(self, name: str | None = None, /) -> AsyncMailer | AsyncMailerGroup:
        """
        Return a mailer.

        Args:
            name: None: the default one.
        """
        mailers = self._embedded.mailers
        return mailers.default if name is None else mailers[name]

    def dependency(self, name: str | None = None) -> Callable[[], Awaitable[AsyncMailer | AsyncMailerGroup]]:
        """Return a dependency that is a mailer, for FastAPI's `Depends`."""

        async def mailer() -> AsyncMailer | AsyncMailerGroup:
            return self.mailer(name)

        return mailer

    @property
    def webhooks(self) -> WebhookApp:
        """
        What to mount: an application with `<provider>/tracking/` and `<provider>/inbound/`.

        Raises:
            ConfigurationError: There is a provider whose webhooks nothing would prove.
        """
        self._embedded.endpoints()
        return _Webhooks(self._embedded)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Close when the application ends; use it as its lifespan, or within its own."""
        async with self:
            yield

    @asynccontextmanager
    async def draining(self, *, every: float = 1.0) -> AsyncIterator[None]:
        """Drain every spool, as `AsyncWebhookReceiver.draining` does."""
        self._embedded.endpoints()
        async with AsyncExitStack() as stack:
            for receiver in self._embedded.receivers:
                await stack.enter_async_context(receiver.draining(every=every))
            yield

    async def close(self) -> None:
        """Close what mailers and receivers hold."""
        await self._embedded.mailers.close()
        for receiver in self._embedded.receivers:
            await receiver.close()


class _Webhooks(WebhookApp):
    """Ask for the endpoints at each request, since a handler may be added after mounting."""

    def __init__(self, embedded: Embedded[AsyncMailers, AsyncWebhookReceiver]) -> None:
        self._embedded = embedded

    def find(self, path: str) -> Endpoint[AsyncWebhookReceiver] | None:
        """Return the endpoint of a path; None where there is none."""
        endpoints = self._embedded.endpoints()
        return endpoints.find(path) if endpoints else None

    async def close(self) -> None:
        """Close nothing: whoever mounted it does."""
