"""Receives webhooks: events and incoming mail.

Order of work, which no caller can change: size, method, encoding, basic auth, signature, age, replay,
shape, parse, handler, answer.

Rule 1: nothing before the proof reads the body; nothing after it answers with an error, but where
        nobody could keep the delivery.
Rule 2: what is genuine and not understood is kept and acknowledged.
Rule 3: whatever arrives, an answer goes back; the only thing raised is a wrong call of this class.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs

from mailcore import _config
from mailcore._adapter import Adapter, Context, Flow
from mailcore._basic_auth import match
from mailcore._delivery import (
    Covers,
    Disposition,
    EndpointKind,
    Verification,
    VerifiedWebhook,
    WebhookRequest,
    WebhookResponse,
)
from mailcore._driver import drive
from mailcore._event import TrackingEvent
from mailcore._http import Headers, Request
from mailcore._plugins import PluginHost
from mailcore._quarantine import Quarantined
from mailcore._replay import Claim, MemoryReplayStore, ReplayStore
from mailcore._spec import load_object
from mailcore._transport import TRANSPORTS, Deadline, Transport
from mailcore.exceptions import ConfigurationError, MissingOption, WebhookRejected

if TYPE_CHECKING:
    from mailcore._inbound import InboundMessage

__all__ = ["WebhookReceiver"]

_log = logging.getLogger("mailcore.webhooks")

QUARANTINE_FOLDER = "mailcore.stores.folder:QuarantineFolder"
KEPT_IN_MEMORY = 100


class WebhookReceiver:
    """
    Verify deliveries, hand what they hold to your functions, and say what to answer.

    Args:
        on_event: Called with each event. Return once it is stored; raise to have it redelivered.
        on_inbound: Called with each incoming mail, likewise.
        on_quarantine: Called with each genuine delivery that could not be understood; the default
            keeps it in the folder `quarantine` names, or else in `quarantined`.
        replay_store: Remembers deliveries so that each is handled once. None: deliveries may be
            handled again (at least once), except where the scheme signs a token alone.

    Attributes:
        quarantined: The last deliveries that had no better place to wait.
    """

    def __init__(
        self,
        configuration: _config.Configuration,
        *,
        on_event: Callable[[TrackingEvent], object] | None = None,
        on_inbound: Callable[[InboundMessage], object] | None = None,
        on_quarantine: Callable[[Quarantined], object] | None = None,
        replay_store: ReplayStore | None = None,
        host: PluginHost | None = None,
        transport: Transport | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.provider = configuration.spec.name
        self.settings = configuration.settings
        self._host = PluginHost.default() if host is None else host
        self._adapter: Adapter = load_object(configuration.spec.factory)(configuration.options)
        self._on_event = on_event
        self._on_inbound = on_inbound
        self._on_quarantine = on_quarantine or self._folder()
        self._transport = transport
        self._clock = clock or (lambda: datetime.now(UTC))
        self.quarantined: deque[Quarantined] = deque(maxlen=KEPT_IN_MEMORY)
        covers = self._adapter.webhook_covers
        if covers is Covers.NOTHING and not self.settings.webhook_secret:
            raise MissingOption(_no_proof(configuration))
        default = MemoryReplayStore() if covers is Covers.TOKEN else None
        self._replay = default if replay_store is None else replay_store

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        *,
        on_event: Callable[[TrackingEvent], object] | None = None,
        on_inbound: Callable[[InboundMessage], object] | None = None,
        on_quarantine: Callable[[Quarantined], object] | None = None,
        replay_store: ReplayStore | None = None,
        environ: Mapping[str, str] | None = None,
        host: PluginHost | None = None,
        transport: Transport | None = None,
    ) -> WebhookReceiver:
        """
        Return a receiver for a flat mapping such as `{"provider": "mailpace", "webhook_key": "..."}`.

        Raises:
            ConfigurationError: It cannot work; a receiver without any proof of origin is refused.
        """
        host = PluginHost.default() if host is None else host
        provider = config.get("provider")
        if not isinstance(provider, str) or not provider:
            raise ConfigurationError("The configuration has no 'provider'.")
        return cls(
            _config.configuration(config, spec=host.spec(provider), environ=environ),
            on_event=on_event,
            on_inbound=on_inbound,
            on_quarantine=on_quarantine,
            replay_store=replay_store,
            host=host,
            transport=transport,
        )

    def _folder(self) -> Callable[[Quarantined], object] | None:
        if self.settings.quarantine is None:
            return None
        folder: Callable[[Quarantined], object] = load_object(QUARANTINE_FOLDER)(self.settings.quarantine)
        return folder

    # One delivery -------------------------------------------------------------------------------

    def receive(self, request: WebhookRequest, *, kind: EndpointKind | str) -> WebhookResponse:
        """
        Do all that a delivery needs and return the answer to give.

        Args:
            kind: What the endpoint is for: "tracking" or "inbound".
        """
        kind = EndpointKind(kind)
        verified: VerifiedWebhook | WebhookResponse | Disposition
        verified = self._precheck(request, kind) or self._verified(request)
        if isinstance(verified, WebhookResponse):
            self._finished(request, kind, Disposition.HANDSHAKE)
            return verified
        disposition = verified if isinstance(verified, Disposition) else self.dispatch(verified, kind=kind)
        if isinstance(verified, Disposition):
            self._finished(request, kind, disposition)
        return self.answer(disposition, kind)

    def verify(self, request: WebhookRequest) -> VerifiedWebhook | WebhookResponse:
        """
        Return the delivery with its proof, good for a queue; the first half of `receive`.

        A `WebhookResponse` is a step of the provider's own protocol: answer with it and stop.

        Raises:
            WebhookRejected: It is not shown to come from the provider.
        """
        request = attrs.evolve(request, basic_auth=match(self.settings.webhook_secret, request.headers))
        if self.settings.webhook_secret and request.basic_auth is None:
            raise WebhookRejected("The delivery is not authenticated.")
        try:
            found = self._run(self._adapter.verify_flow(request, self._context(request)))
        except WebhookRejected:
            raise
        except Exception as error:  # noqa: BLE001  # reason: hostile input must not find a second way out
            raise WebhookRejected(f"The delivery could not be verified ({type(error).__name__}).") from None
        if isinstance(found, Verification):
            return VerifiedWebhook(request=_without_credentials(request), verification=found)
        if isinstance(found, WebhookResponse):
            return found
        raise WebhookRejected("The delivery could not be verified.")

    def dispatch(self, webhook: VerifiedWebhook, *, kind: EndpointKind | str | None = None) -> Disposition:
        """
        Handle a verified delivery and return what became of it; the second half of `receive`.

        Args:
            kind: What the endpoint is for; None: whatever the delivery's shape says.
        """
        shape = self._shape(webhook)
        wanted = EndpointKind(kind) if kind is not None else shape or EndpointKind.TRACKING
        disposition = self._once(webhook, shape, wanted)
        self._finished(webhook.request, wanted, disposition)
        return disposition

    def answer(self, disposition: Disposition, kind: EndpointKind | str) -> WebhookResponse:
        """Return what to answer, so that the provider does the right thing next."""
        kind = EndpointKind(kind)
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
        inbound = EndpointKind(kind) is EndpointKind.INBOUND
        return self.settings.max_inbound_bytes if inbound else self.settings.max_event_bytes

    def _precheck(self, request: WebhookRequest, kind: EndpointKind) -> Disposition | None:
        if len(request.body) > self.limit(kind):
            return Disposition.TOO_LARGE
        if request.method != "POST":
            return Disposition.PROBE if request.method == "HEAD" else Disposition.BAD_METHOD
        if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            return Disposition.BAD_ENCODING
        return None

    def _verified(self, request: WebhookRequest) -> VerifiedWebhook | WebhookResponse | Disposition:
        try:
            return self.verify(request)
        except WebhookRejected as error:
            _log.warning("A delivery to %s was refused: %s", self.provider, error)
            return Disposition.UNAUTHENTICATED

    def _context(self, request: WebhookRequest) -> Context:
        now = self._clock()
        return Context(now=now, created=request.received_at, unique=uuid.uuid4().hex)

    # After the proof ----------------------------------------------------------------------------

    def _shape(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        try:
            found = self._adapter.webhook_kind(webhook)
            return None if found is None else EndpointKind(found)
        except Exception:  # noqa: BLE001  # reason: an odd body has no shape; it is quarantined for that
            return None

    def _once(self, webhook: VerifiedWebhook, shape: EndpointKind | None, kind: EndpointKind) -> Disposition:
        signed_at = webhook.verification.signed_at
        if signed_at and (self._clock() - signed_at).total_seconds() > self.settings.max_age:
            return Disposition.STALE
        if self._replay is None:
            return self._handle(webhook, shape, kind)
        key = _identity(self.provider, kind, webhook)
        try:
            claim = self._replay.claim(key, self.settings.max_age)
        except Exception:  # noqa: BLE001  # reason: the store is the user's code
            _log.exception("The replay store failed; the delivery is asked for again.")
            return Disposition.UNAVAILABLE
        if claim is not Claim.CLAIMED:
            return Disposition.DUPLICATE if claim is Claim.DUPLICATE else Disposition.UNAVAILABLE
        disposition = self._handle(webhook, shape, kind)
        settle = self._replay.release if disposition is Disposition.UNAVAILABLE else self._replay.commit
        try:
            settle(key)
        except Exception:  # noqa: BLE001  # reason: the store is the user's code
            _log.exception("The replay store failed; the delivery may be handled again.")
        return disposition

    def _handle(
        self, webhook: VerifiedWebhook, shape: EndpointKind | None, kind: EndpointKind
    ) -> Disposition:
        if shape is not None and shape is not kind:
            self._keep(webhook, kind, f"It holds {shape.value} data, but came to the {kind.value} endpoint.")
            return Disposition.MISROUTED
        handler = self._on_event if kind is EndpointKind.TRACKING else self._on_inbound
        if shape is None or handler is None:
            why = "Its shape is not known." if shape is None else f"There is no handler for {kind.value}."
            self._keep(webhook, kind, why)
            return Disposition.QUARANTINED
        try:
            found = self._parsed(webhook, kind)
        except Exception as error:  # noqa: BLE001  # reason: whatever is wrong with it, it is kept
            self._keep(webhook, kind, f"It could not be read ({type(error).__name__}: {error}).")
            return Disposition.QUARANTINED
        return self._hand_over(found, handler, kind)

    def _parsed(self, webhook: VerifiedWebhook, kind: EndpointKind) -> Sequence[Any]:
        if kind is EndpointKind.TRACKING:
            proof = webhook.verification
            events = self._adapter.parse_events(webhook)
            return [attrs.evolve(event, provider=self.provider, verified_by=proof) for event in events]
        mails = self._run(self._adapter.inbound_flow(webhook, self._context(webhook.request)))
        return [attrs.evolve(mail, provider=self.provider) for mail in mails]

    def _hand_over(
        self, found: Sequence[Any], handler: Callable[[Any], object], kind: EndpointKind
    ) -> Disposition:
        hook, argument = (
            ("mailcore_event_received", "event")
            if kind is EndpointKind.TRACKING
            else ("mailcore_inbound_received", "message")
        )
        failed = False
        for item in found:
            self._host.notify(hook, provider=self.provider, **{argument: item})
            try:
                handler(item)
            except Exception:  # noqa: BLE001  # reason: the handler is the user's code
                # The others are still handled: the provider will send all of them again.
                _log.exception("The %s handler raised; the delivery is asked for again.", kind.value)
                failed = True
        return Disposition.UNAVAILABLE if failed else Disposition.ACCEPTED

    def _keep(self, webhook: VerifiedWebhook, kind: EndpointKind, reason: str) -> None:
        quarantined = Quarantined(reason=reason, kind=kind, webhook=webhook)
        _log.error("A genuine delivery from %s is quarantined: %s", self.provider, reason)
        try:
            if self._on_quarantine is not None:
                self._on_quarantine(quarantined)
                return
        except Exception:  # noqa: BLE001  # reason: the quarantine is the user's code
            _log.exception("The quarantine failed; the delivery is kept in memory.")
        self.quarantined.append(quarantined)

    def _run(self, flow: Flow[Any]) -> Any:
        deadline = Deadline(self.settings.deadline)
        return drive(flow, lambda request: self._exchange(request, deadline))

    def _exchange(self, request: Request, deadline: Deadline) -> Any:
        if self._transport is None:
            self._transport = load_object(TRANSPORTS[type(request)])(self.settings)
        return self._transport.exchange(request, deadline=deadline)

    def _finished(self, request: WebhookRequest, kind: EndpointKind, disposition: Disposition) -> None:
        self._host.notify(
            "mailcore_webhook_finished",
            provider=self.provider,
            request=request,
            kind=kind,
            disposition=disposition,
        )


def _without_credentials(request: WebhookRequest) -> WebhookRequest:
    """Return the request as it may travel: a queue or a quarantine must not hold the password."""
    pairs = [(name, value) for name, value in request.headers.pairs if name.lower() != "authorization"]
    return attrs.evolve(request, headers=Headers(pairs))


def _identity(provider: str, kind: EndpointKind, webhook: VerifiedWebhook) -> str:
    proof = webhook.verification
    what = proof.delivery_id.encode() if proof.delivery_id else webhook.request.body
    # A token that vouches for any body is good for one delivery, to whichever endpoint.
    where = "any" if proof.covers is Covers.TOKEN else kind.value
    return f"{provider}:{where}:{hashlib.sha256(what).hexdigest()}"


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
