"""What receiving a webhook is, whoever waits for it: the work of both receivers.

Order of work, which no caller can change: size, method, encoding, basic auth, signature, age, replay,
shape, parse, handler, answer.

Rule 1: nothing before the proof reads the body; nothing after it answers with an error, but where
        nobody could keep the delivery.
Rule 2: what is genuine and not understood is kept and acknowledged.
Rule 3: whatever arrives, an answer goes back; the only thing raised is a wrong call of a receiver.
Rule 4: it is a generator of steps: the requests that a proof or a mail needs, and calls of what is the
        user's: handlers, stores, spool and quarantine.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from mailcore import _config
from mailcore._adapter import Adapter, Context
from mailcore._around import around_delivery
from mailcore._basic_auth import match
from mailcore._changed import changed
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
from mailcore._steps import Call, Steps
from mailcore._stranger import not_authentic
from mailcore._transport import Deadline, TransportFailure
from mailcore.exceptions import MissingOption, WebhookRejected

if TYPE_CHECKING:
    from mailcore._inbound.message import InboundMessage

__all__ = ["Receiving", "endpoint_kind"]

_log = logging.getLogger("mailcore.webhooks")

#: What anybody's browser or monitor does, and no attack.
_HARMLESS = frozenset({Disposition.PROBE, Disposition.BAD_METHOD})

QUARANTINE_FOLDER = "mailcore.stores.folder:QuarantineFolder"
SPOOL_FOLDER = "mailcore.stores.folder:SpoolFolder"


class Receiving:
    """Verify deliveries and say which steps handle them; the base of both receivers."""

    def __init__(
        self,
        configuration: _config.Configuration,
        *,
        on_event: Callable[[TrackingEvent], object] | None,
        on_inbound: Callable[[InboundMessage], object] | None,
        on_quarantine: Callable[[Quarantined], object] | None,
        replay_store: ReplayStore | None,
        spool: Spool | None,
        host: PluginHost | None,
        clock: Callable[[], datetime],
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
        self._quarantine = Quarantine(
            self.provider, on_quarantine or _folder(QUARANTINE_FOLDER, self.settings.quarantine)
        )
        self._spool: Spool | None = spool or _folder(SPOOL_FOLDER, self.settings.spool)
        if self.settings.defer and self._spool is None:
            raise MissingOption(_no_spool(self.provider))
        self._dispatcher = Dispatcher(
            provider=self.provider,
            adapter=self._adapter,
            handlers={kind: handler for kind, handler in handlers.items() if handler is not None},
            quarantine=self._quarantine,
            replay=default_store if replay_store is None else replay_store,
            max_age=self.settings.max_age,
            context=self._context,
            deadline=self._deadline,
            host=self._host,
        )

    @property
    def quarantined(self) -> Sequence[Quarantined]:
        """The last deliveries that had no better place to wait."""
        return self._quarantine.kept

    def limit(self, kind: EndpointKind | str) -> int:
        """Return the most bytes of body an endpoint of that kind reads."""
        inbound = endpoint_kind(kind) is EndpointKind.INBOUND
        return self.settings.max_inbound_bytes if inbound else self.settings.max_event_bytes

    def answer(self, disposition: Disposition, kind: EndpointKind | str) -> WebhookResponse:
        """Return what to answer, so that the provider does the right thing next."""
        kind = endpoint_kind(kind)
        try:
            response = self._adapter.webhook_response(disposition, kind)
        except Exception:  # noqa: BLE001  # reason: an answer goes back whatever the adapter does
            _log.exception("The adapter of %s has no answer; the usual one is given.", self.provider)
            response = Adapter.webhook_response(self._adapter, disposition, kind)
        if disposition is Disposition.UNAUTHENTICATED and self.settings.webhook_secret:
            challenge = ("WWW-Authenticate", 'Basic realm="webhooks", charset="UTF-8"')
            return attrs.evolve(response, headers=(*response.headers, challenge))
        return response

    # One delivery -------------------------------------------------------------------------------

    @around_delivery
    def _received(self, request: WebhookRequest, kind: EndpointKind) -> Steps[WebhookResponse]:
        try:
            verified = yield from self._verified(request, kind)
        except WebhookRejected as error:
            disposition = error.disposition or Disposition.UNAUTHENTICATED
            level = logging.DEBUG if disposition in _HARMLESS else logging.WARNING
            _log.log(level, "A delivery to %s was refused: %s", self.provider, error)
            self._finished(request, kind, disposition)
            return self.answer(disposition, kind)
        if isinstance(verified, WebhookResponse):
            self._finished(request, kind, Disposition.HANDSHAKE)
            return verified
        disposition = yield from self._handled(verified, kind)
        self._finished(request, kind, disposition)
        return self.answer(disposition, kind)

    def _handled(self, webhook: VerifiedWebhook, kind: EndpointKind) -> Steps[Disposition]:
        waiting = Spooled(kind=kind, webhook=webhook)
        if self.settings.defer and (yield from self._kept(waiting)):
            return Disposition.ACCEPTED
        disposition = yield from self._dispatcher.dispatch(webhook, kind, now=self._clock())
        if disposition is Disposition.UNAVAILABLE and (yield from self._kept(waiting)):
            _log.warning("A delivery from %s waits in the spool; drain() hands it over.", self.provider)
            return Disposition.ACCEPTED
        return disposition

    def _kept(self, waiting: Spooled) -> Steps[bool]:
        """Keep a delivery; False where that is not possible."""
        if self._spool is None:
            return False
        try:
            yield Call(self._spool.add, (waiting,))
        except Exception:  # noqa: BLE001  # reason: the spool is the user's code, or a full disk
            _log.exception("The spool failed; a delivery has no place to wait.")
            return False
        return True

    @around_delivery
    def _dispatched(self, webhook: VerifiedWebhook, kind: EndpointKind | str | None) -> Steps[Disposition]:
        shape = None if kind is not None else self._dispatcher.shape(webhook)
        wanted = endpoint_kind(kind) if kind is not None else shape or EndpointKind.TRACKING
        # It may have waited in a queue: what was fresh when it came does not go stale there.
        disposition = yield from self._dispatcher.dispatch(webhook, wanted, now=webhook.request.received_at)
        self._finished(webhook.request, wanted, disposition)
        return disposition

    def _drained(self) -> Steps[int]:
        if self._spool is None:
            return 0
        done = 0
        spooled = iter(self._spool)
        while (waiting := (yield Call(next, (spooled, None)))) is not None:
            request = waiting.webhook.request
            disposition = yield from self._dispatcher.dispatch(
                waiting.webhook, waiting.kind, now=request.received_at
            )
            if disposition is not Disposition.UNAVAILABLE:
                yield Call(self._spool.discard, (waiting,))
                done += 1
                self._finished(request, waiting.kind, disposition)
        return done

    # Before the proof ---------------------------------------------------------------------------

    def _verified(
        self, request: WebhookRequest, kind: EndpointKind | str | None
    ) -> Steps[VerifiedWebhook | WebhookResponse]:
        kind = EndpointKind.INBOUND if kind is None else endpoint_kind(kind)
        self._precheck(request, kind)
        if self.settings.webhook_secret or request.basic_auth is not None:
            label = match(self.settings.webhook_secret, request.headers)
            request = changed(request, basic_auth=label)
        try:
            found = yield from self._proof(request)
        except WebhookRejected as error:
            if error.disposition is Disposition.UNAUTHENTICATED:
                advice = not_authentic(request.headers, self.provider, self._host.adapters)
                raise _refused(f"{error} {advice}") from None
            raise
        if isinstance(found, Verification):
            return VerifiedWebhook(request=_without_credentials(request), verification=found)
        return found

    def _precheck(self, request: WebhookRequest, kind: EndpointKind) -> None:
        if max(len(request.body), request.announced) > self.limit(kind):
            raise _refused("It is too large.", Disposition.TOO_LARGE)
        if request.method != "POST":
            probed = request.method == "HEAD"
            raise _refused("It is no POST.", Disposition.PROBE if probed else Disposition.BAD_METHOD)
        if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise _refused("It is compressed.", Disposition.BAD_ENCODING)

    def _proof(self, request: WebhookRequest) -> Steps[Verification | WebhookResponse]:
        """Ask the adapter; whatever it does, a delivery that is not proved genuine is refused."""
        if self.settings.webhook_secret and request.basic_auth is None:
            raise _refused("The delivery is not authenticated.")
        yield self._deadline()
        try:
            found = yield from self._adapter.verify_flow(request, self._context(request))
        except WebhookRejected as error:
            raise _refused(str(error), error.disposition or Disposition.UNAUTHENTICATED) from None
        except TransportFailure as failure:  # a certificate could not be fetched: ask for it again
            raise _refused(f"It cannot be verified now: {failure}", Disposition.UNAVAILABLE) from None
        except Exception as error:  # noqa: BLE001  # reason: hostile input must not find a second way out
            raise _refused(f"It could not be verified ({type(error).__name__}).") from None
        if not isinstance(found, Verification | WebhookResponse):
            raise _refused("It could not be verified.")
        return found

    def _deadline(self) -> Deadline:
        return Deadline(self.settings.deadline)

    def _context(self, request: WebhookRequest) -> Context:
        now = self._clock()
        return Context(now=now, created=request.received_at, unique=os.urandom(16).hex())

    def _finished(self, request: WebhookRequest, kind: EndpointKind, disposition: Disposition) -> None:
        if self._host.listens("mailcore_webhook_finished"):
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


def endpoint_kind(kind: EndpointKind | str) -> EndpointKind:
    """Return the kind an endpoint is of; raise `ValueError` for one there is not."""
    try:
        return EndpointKind(kind)
    except ValueError:
        known = " or ".join(repr(found.value) for found in EndpointKind)
        raise ValueError(f"An endpoint is for {known}, not {kind!r}.") from None


def _without_credentials(request: WebhookRequest) -> WebhookRequest:
    """Return the request as it may travel: a queue, a quarantine or a plugin must not hold the password."""
    if "Authorization" not in request.headers:
        return request
    pairs = [(name, value) for name, value in request.headers.pairs if name.lower() != "authorization"]
    return changed(request, headers=Headers(pairs))


def _no_proof(configuration: _config.Configuration) -> str:
    provider = configuration.spec.name
    keys = [
        _config.missing(provider, field.name, "receive")
        for field in attrs.fields(type(configuration.options))
        if field.metadata.get("needed_to") == "receive"
    ]
    spellings = " or ".join(_config.variables("webhook_secret", provider))
    basic = f"{'Or give' if keys else f'{provider} signs no webhooks. Give'} webhook_secret='user:password'"
    return " ".join([*keys, f"{basic} ({spellings}). Without a proof, anyone could forge events."])


def _no_spool(provider: str) -> str:
    spellings = " or ".join(_config.variables("spool", provider))
    return f"{provider}: defer needs a place where deliveries wait. Give spool='FOLDER' ({spellings})."
