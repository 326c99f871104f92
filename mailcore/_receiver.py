"""Receives webhooks, events and incoming mail, and waits for what they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from mailcore import _config
from mailcore._carrier import Carrier
from mailcore._closing import Closing
from mailcore._delivery import Disposition, EndpointKind, VerifiedWebhook, WebhookRequest, WebhookResponse
from mailcore._draining import Draining
from mailcore._event import TrackingEvent
from mailcore._plugins import PluginHost
from mailcore._quarantine import Quarantined
from mailcore._receiving import Receiving, endpoint_kind
from mailcore._replay import ReplayStore
from mailcore._spool import Spool
from mailcore._time import utc_now
from mailcore._transport import Transport
from mailcore.exceptions import ConfigurationError

if TYPE_CHECKING:
    from mailcore._inbound.message import InboundMessage

__all__ = ["WebhookReceiver"]


class WebhookReceiver(Receiving, Closing):
    """
    Verify deliveries, hand what they hold to your functions, and say what to answer.

    Args:
        on_event: Called with each event. Return once it is stored; raise to have it again, from the
            spool or else from the provider.
        on_inbound: Called with each incoming mail, likewise.
        on_quarantine: Called with each genuine delivery that could not be understood; the default
            keeps it in the folder `quarantine` names, or else in `quarantined`.
        replay_store: Remembers deliveries so that each is handled once. None: deliveries may be
            handled again (at least once), except where the scheme signs a token alone.
        spool: Keeps deliveries whose handler raised, so that they are acknowledged all the same; `drain`
            hands them over again. The default is the folder that the setting `spool` names, if any.
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
        transport: Transport | None = None,
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
        for name, handler in {"on_event": on_event, "on_inbound": on_inbound}.items():
            if iscoroutinefunction(handler):
                raise ConfigurationError(
                    f"{name} is a coroutine function, which nobody waits for here. Use AsyncWebhookReceiver."
                )
        self._carrier = Carrier(
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
        transport: Transport | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> WebhookReceiver:
        """
        Return a receiver for a flat mapping such as `{"provider": "mailpace", "webhook_key": "..."}`.

        Raises:
            ConfigurationError: It cannot work; a receiver without any proof of origin is refused.
        """
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

    def receive(self, request: WebhookRequest, *, kind: EndpointKind | str) -> WebhookResponse:
        """
        Do all that a delivery needs and return the answer to give.

        Args:
            kind: What the endpoint is for: "tracking" or "inbound".
        """
        return self._carrier.run(self._received(request, endpoint_kind(kind)))

    def verify(
        self, request: WebhookRequest, *, kind: EndpointKind | str | None = None
    ) -> VerifiedWebhook | WebhookResponse:
        """
        Return the delivery with its proof, good for a queue; the first half of `receive`.

        A `WebhookResponse` is a step of the provider's own protocol: answer with it and stop.

        Args:
            kind: What the endpoint is for; None: the larger of the two size limits applies.

        Raises:
            WebhookRejected: It is not shown to come from the provider, or is a probe; `disposition`
                says what to `answer`.
        """
        return self._carrier.run(self._verified(request, kind))

    def dispatch(self, webhook: VerifiedWebhook, *, kind: EndpointKind | str | None = None) -> Disposition:
        """
        Handle a verified delivery and return what became of it; the second half of `receive`.

        Args:
            kind: What the endpoint is for; None: whatever the delivery's shape says.
        """
        return self._carrier.run(self._dispatched(webhook, kind))

    def drain(self) -> int:
        """
        Hand over what waits in the spool, oldest first, and return how many deliveries are done.

        Call it at start and now and then, in one process. What a handler raises at again stays.
        """
        return self._carrier.run(self._drained())

    def draining(self, *, every: float = 1.0) -> Draining:
        """
        Return a context manager that drains in a thread, at once and then every so many seconds.

        Use it in one process. What is under way when the block ends is finished first.
        """
        return Draining(self.drain, every=every)

    def close(self) -> None:
        """Close the connections that verifying or fetching opened; a given transport stays open."""
        self._carrier.close()
