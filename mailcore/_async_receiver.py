"""Receives webhooks, events and incoming mail, in an event loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mailcore import _config
from mailcore._carrier import AsyncCarrier
from mailcore._closing import AsyncClosing
from mailcore._delivery import Disposition, EndpointKind, VerifiedWebhook, WebhookRequest, WebhookResponse
from mailcore._event import TrackingEvent
from mailcore._plugins import PluginHost
from mailcore._quarantine import Quarantined
from mailcore._receiving import Receiving, endpoint_kind
from mailcore._replay import ReplayStore
from mailcore._spool import Spool
from mailcore._time import utc_now
from mailcore._transport import AsyncTransport

if TYPE_CHECKING:
    from mailcore._inbound.message import InboundMessage

__all__ = ["AsyncWebhookReceiver"]


class AsyncWebhookReceiver(Receiving, AsyncClosing):
    """
    Verify deliveries and hand what they hold to your functions, as `WebhookReceiver` does.

    A coroutine function runs in the event loop; any other function runs in a thread, so that it may
    block. That holds for handlers, `on_quarantine`, and the methods of replay store and spool. The
    arguments are those of `WebhookReceiver`.
    """

    def __init__(
        self,
        configuration: _config.Configuration,
        *,
        on_event: Callable[[TrackingEvent], object] | None = None,
        on_inbound: Callable[[InboundMessage], object] | None = None,
        on_quarantine: Callable[[Quarantined], object] | None = None,
        replay_store: ReplayStore | None = None,
        spool: Spool | None = None,
        host: PluginHost | None = None,
        transport: AsyncTransport | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(
            configuration,
            on_event=on_event,
            on_inbound=on_inbound,
            on_quarantine=on_quarantine,
            replay_store=replay_store,
            spool=spool,
            host=host,
            clock=clock,
        )
        self._carrier = AsyncCarrier(
            self.settings,
            provider=self.provider,
            mailer="",
            host=self._host,
            transport=transport,
            secrets=configuration.secrets,
        )

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        *,
        on_event: Callable[[TrackingEvent], object] | None = None,
        on_inbound: Callable[[InboundMessage], object] | None = None,
        on_quarantine: Callable[[Quarantined], object] | None = None,
        replay_store: ReplayStore | None = None,
        spool: Spool | None = None,
        environ: Mapping[str, str] | None = None,
        host: PluginHost | None = None,
        transport: AsyncTransport | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> AsyncWebhookReceiver:
        """Return a receiver for a flat mapping, as `WebhookReceiver.from_config` does."""
        host = PluginHost.default() if host is None else host
        return cls(
            _config.configuration(config, host=host, environ=environ),
            on_event=on_event,
            on_inbound=on_inbound,
            on_quarantine=on_quarantine,
            replay_store=replay_store,
            spool=spool,
            host=host,
            transport=transport,
            clock=clock,
        )

    async def receive(self, request: WebhookRequest, *, kind: EndpointKind | str) -> WebhookResponse:
        """Do all that a delivery needs and return the answer to give, as `WebhookReceiver.receive` does."""
        return await self._carrier.run(self._received(request, endpoint_kind(kind)))

    async def verify(
        self, request: WebhookRequest, *, kind: EndpointKind | str | None = None
    ) -> VerifiedWebhook | WebhookResponse:
        """Return the delivery with its proof, or raise, as `WebhookReceiver.verify` does."""
        return await self._carrier.run(self._verified(request, kind))

    async def dispatch(
        self, webhook: VerifiedWebhook, *, kind: EndpointKind | str | None = None
    ) -> Disposition:
        """Handle a verified delivery and return what became of it, as `WebhookReceiver.dispatch` does."""
        return await self._carrier.run(self._dispatched(webhook, kind))

    async def drain(self) -> int:
        """Hand over what waits in the spool and return how many are done, as `WebhookReceiver.drain` does."""
        return await self._carrier.run(self._drained())

    def draining(self, *, every: float = 1.0) -> AbstractAsyncContextManager[None]:
        """
        Return an asynchronous context manager that drains at once and then every so many seconds.

        Use it in one process. What is under way when the block ends is finished first.
        """
        from mailcore._loop import repeating

        return repeating(self.drain, every=every)

    async def close(self) -> None:
        """Close the connections that verifying or fetching opened; a given transport stays open."""
        await self._carrier.close()
