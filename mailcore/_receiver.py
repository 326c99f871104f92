"""Receives webhooks: events and incoming mail.

Order of work, which no caller can change: size, method, encoding, basic auth, signature, age, replay,
shape, parse, handler, answer.

Rule 1: nothing before the proof reads the body; nothing after it answers with an error, but where
        nobody could keep the delivery.
Rule 2: what is genuine and not understood is kept and acknowledged.
Rule 3: whatever arrives, an answer goes back; the only thing raised is a wrong call of this class.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from mailcore import _config
from mailcore._adapter import Adapter, Context
from mailcore._basic_auth import match
from mailcore._carrier import Carrier
from mailcore._closing import Closing
from mailcore._delivery import (
    Covers,
    Disposition,
    EndpointKind,
    Verification,
    VerifiedWebhook,
    WebhookRequest,
    WebhookResponse,
)
from mailcore._dispatcher import Dispatcher
from mailcore._event import TrackingEvent
from mailcore._http import Headers
from mailcore._plugins import PluginHost
from mailcore._quarantine import Quarantine, Quarantined
from mailcore._replay import MemoryReplayStore, ReplayStore
from mailcore._spec import load_object
from mailcore._spool import Spool, Spooled
from mailcore._time import utc_now
from mailcore._transport import Transport, TransportFailure
from mailcore.exceptions import MissingOption, WebhookRejected

if TYPE_CHECKING:
    from mailcore._inbound.message import InboundMessage

__all__ = ["WebhookReceiver"]

_log = logging.getLogger("mailcore.webhooks")

#: What anybody's browser or monitor does, and no attack.
_HARMLESS = frozenset({Disposition.PROBE, Disposition.BAD_METHOD})

QUARANTINE_FOLDER = "mailcore.stores.folder:QuarantineFolder"
SPOOL_FOLDER = "mailcore.stores.folder:SpoolFolder"


class WebhookReceiver(Closing):
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
        self.provider = configuration.spec.name
        self.settings = configuration.settings
        self._host = PluginHost.default() if host is None else host
        self._adapter: Adapter = configuration.adapter()
        self._clock = clock
        covers = self._adapter.webhook_covers
        if covers is Covers.NOTHING and not self.settings.webhook_secret:
            raise MissingOption(_no_proof(configuration))
        default_store = MemoryReplayStore() if covers is Covers.TOKEN else None
        handlers = {EndpointKind.TRACKING: on_event, EndpointKind.INBOUND: on_inbound}
        self._carrier = Carrier(
            self.settings,
            provider=self.provider,
            mailer="",
            host=self._host,
            transport=transport,
            secrets=configuration.secrets,
        )
        self._quarantine = Quarantine(
            self.provider, on_quarantine or _folder(QUARANTINE_FOLDER, self.settings.quarantine)
        )
        self._spool: Spool | None = spool or _folder(SPOOL_FOLDER, self.settings.spool)
        self._dispatcher = Dispatcher(
            provider=self.provider,
            adapter=self._adapter,
            handlers={kind: handler for kind, handler in handlers.items() if handler is not None},
            quarantine=self._quarantine,
            replay=default_store if replay_store is None else replay_store,
            max_age=self.settings.max_age,
            context=self._context,
            carrier=self._carrier,
            host=self._host,
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

    @property
    def quarantined(self) -> Sequence[Quarantined]:
        """The last deliveries that had no better place to wait."""
        return self._quarantine.kept

    # One delivery -------------------------------------------------------------------------------

    def receive(self, request: WebhookRequest, *, kind: EndpointKind | str) -> WebhookResponse:
        """
        Do all that a delivery needs and return the answer to give.

        Args:
            kind: What the endpoint is for: "tracking" or "inbound".
        """
        kind = _kind(kind)
        try:
            verified = self.verify(request, kind=kind)
        except WebhookRejected as error:
            disposition = error.disposition or Disposition.UNAUTHENTICATED
            level = logging.DEBUG if disposition in _HARMLESS else logging.WARNING
            _log.log(level, "A delivery to %s was refused: %s", self.provider, error)
            self._finished(request, kind, disposition)
            return self.answer(disposition, kind)
        if isinstance(verified, WebhookResponse):
            self._finished(request, kind, Disposition.HANDSHAKE)
            return verified
        disposition = self._dispatch(verified, kind, now=self._clock())
        if disposition is Disposition.UNAVAILABLE and self._kept(Spooled(kind=kind, webhook=verified)):
            disposition = Disposition.ACCEPTED
        self._finished(request, kind, disposition)
        return self.answer(disposition, kind)

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
        kind = EndpointKind.INBOUND if kind is None else _kind(kind)
        self._precheck(request, kind)
        request = attrs.evolve(request, basic_auth=match(self.settings.webhook_secret, request.headers))
        if self.settings.webhook_secret and request.basic_auth is None:
            raise _refused("The delivery is not authenticated.")
        found = self._proof(request)
        if isinstance(found, Verification):
            return VerifiedWebhook(request=_without_credentials(request), verification=found)
        return found

    def _precheck(self, request: WebhookRequest, kind: EndpointKind) -> None:
        if len(request.body) > self.limit(kind):
            raise _refused("It is too large.", Disposition.TOO_LARGE)
        if request.method != "POST":
            probed = request.method == "HEAD"
            raise _refused("It is no POST.", Disposition.PROBE if probed else Disposition.BAD_METHOD)
        if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise _refused("It is compressed.", Disposition.BAD_ENCODING)

    def _proof(self, request: WebhookRequest) -> Verification | WebhookResponse:
        """Ask the adapter; whatever it does, a delivery that is not proved genuine is refused."""
        try:
            found = self._carrier.run(self._adapter.verify_flow(request, self._context(request)))
        except WebhookRejected as error:
            raise _refused(str(error), error.disposition or Disposition.UNAUTHENTICATED) from None
        except TransportFailure as failure:  # a certificate could not be fetched: ask for it again
            raise _refused(f"It cannot be verified now: {failure}", Disposition.UNAVAILABLE) from None
        except Exception as error:  # noqa: BLE001  # reason: hostile input must not find a second way out
            raise _refused(f"It could not be verified ({type(error).__name__}).") from None
        if not isinstance(found, Verification | WebhookResponse):
            raise _refused("It could not be verified.")
        return found

    def dispatch(self, webhook: VerifiedWebhook, *, kind: EndpointKind | str | None = None) -> Disposition:
        """
        Handle a verified delivery and return what became of it; the second half of `receive`.

        Args:
            kind: What the endpoint is for; None: whatever the delivery's shape says.
        """
        shape = None if kind is not None else self._dispatcher.shape(webhook)
        wanted = _kind(kind) if kind is not None else shape or EndpointKind.TRACKING
        # It may have waited in a queue: what was fresh when it came does not go stale there.
        disposition = self._dispatch(webhook, wanted, now=webhook.request.received_at)
        self._finished(webhook.request, wanted, disposition)
        return disposition

    def drain(self) -> int:
        """
        Hand over what waits in the spool, oldest first, and return how many deliveries are done.

        Call it at start and now and then, in one process. What a handler raises at again stays.
        """
        done = 0
        for waiting in self._spool or ():
            request = waiting.webhook.request
            disposition = self._dispatch(waiting.webhook, waiting.kind, now=request.received_at)
            if disposition is not Disposition.UNAVAILABLE and self._spool is not None:
                self._spool.discard(waiting)
                done += 1
                self._finished(request, waiting.kind, disposition)
        return done

    def _dispatch(self, webhook: VerifiedWebhook, kind: EndpointKind, *, now: datetime) -> Disposition:
        return self._dispatcher.dispatch(webhook, kind, now=now)

    def _kept(self, waiting: Spooled) -> bool:
        """Keep a delivery that the handler could not take; False where that is not possible either."""
        if self._spool is None:
            return False
        try:
            self._spool.add(waiting)
        except Exception:  # noqa: BLE001  # reason: the spool is the user's code, or a full disk
            _log.exception("The spool failed; the delivery is asked for again.")
            return False
        _log.warning("A delivery from %s waits in the spool; drain() hands it over again.", self.provider)
        return True

    def answer(self, disposition: Disposition, kind: EndpointKind | str) -> WebhookResponse:
        """Return what to answer, so that the provider does the right thing next."""
        kind = _kind(kind)
        try:
            response = self._adapter.webhook_response(disposition, kind)
        except Exception:  # noqa: BLE001  # reason: an answer goes back whatever the adapter does
            _log.exception("The adapter of %s has no answer; the usual one is given.", self.provider)
            response = Adapter.webhook_response(self._adapter, disposition, kind)
        if disposition is Disposition.UNAUTHENTICATED and self.settings.webhook_secret:
            challenge = ("WWW-Authenticate", 'Basic realm="webhooks", charset="UTF-8"')
            return attrs.evolve(response, headers=(*response.headers, challenge))
        return response

    # Before the proof ---------------------------------------------------------------------------

    def limit(self, kind: EndpointKind | str) -> int:
        """Return the most bytes of body an endpoint of that kind reads."""
        inbound = _kind(kind) is EndpointKind.INBOUND
        return self.settings.max_inbound_bytes if inbound else self.settings.max_event_bytes

    def _context(self, request: WebhookRequest) -> Context:
        now = self._clock()
        return Context(now=now, created=request.received_at, unique=uuid.uuid4().hex)

    def close(self) -> None:
        """Close the connections that verifying or fetching opened; a given transport stays open."""
        self._carrier.close()

    def _finished(self, request: WebhookRequest, kind: EndpointKind, disposition: Disposition) -> None:
        self._host.notify(
            "mailcore_webhook_finished",
            provider=self.provider,
            request=_without_credentials(request),
            kind=kind,
            disposition=disposition,
        )


def _folder(pointer: str, path: str | None) -> Any:
    return None if path is None else load_object(pointer)(path)


def _refused(text: str, disposition: Disposition = Disposition.UNAUTHENTICATED) -> WebhookRejected:
    return WebhookRejected(text, disposition=disposition)


def _kind(kind: EndpointKind | str) -> EndpointKind:
    try:
        return EndpointKind(kind)
    except ValueError:
        known = " or ".join(repr(found.value) for found in EndpointKind)
        raise ValueError(f"An endpoint is for {known}, not {kind!r}.") from None


def _without_credentials(request: WebhookRequest) -> WebhookRequest:
    """Return the request as it may travel: a queue, a quarantine or a plugin must not hold the password."""
    pairs = [(name, value) for name, value in request.headers.pairs if name.lower() != "authorization"]
    return attrs.evolve(request, headers=Headers(pairs))


def _no_proof(configuration: _config.Configuration) -> str:
    provider = configuration.spec.name
    keys = [
        _config.missing(provider, field.name, "receive")
        for field in attrs.fields(type(configuration.options))
        if field.metadata.get("needed_to") == "receive"
    ]
    spellings = " or ".join(_config.variables("webhook_secret", provider))
    basic = f"Or give webhook_secret='user:password' ({spellings})."
    return " ".join([*keys, basic, "Without either, anyone could forge events."])
