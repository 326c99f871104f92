"""What happens to a delivery after its proof: age, replay, shape, parse, handler.

Rule 1: a genuine delivery never ends in an error but where nobody could keep it.
Rule 2: what is not understood is quarantined; what a handler raised at is asked for again, and so is what
        could not be fetched for now.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from mailcore._adapter import Adapter, Context
from mailcore._changed import changed
from mailcore._delivery import Covers, Disposition, EndpointKind, VerifiedWebhook, WebhookRequest
from mailcore._event import TrackingEvent
from mailcore._plugins import PluginHost
from mailcore._quarantine import Quarantine
from mailcore._replay import Claim, ReplayStore
from mailcore._steps import Call, Steps
from mailcore._stranger import not_understood
from mailcore._transport import Deadline, TransportFailure
from mailcore.exceptions import SendError

__all__ = ["Dispatcher"]

_log = logging.getLogger("mailcore.webhooks")

#: Kind → hook that observes what a delivery held, and the name of its argument.
_HOOKS = {
    EndpointKind.TRACKING: ("mailcore_event_received", "event"),
    EndpointKind.INBOUND: ("mailcore_inbound_received", "message"),
}


@attrs.frozen(kw_only=True)
class Dispatcher:
    """
    Hand what verified deliveries hold to the handlers.

    Attributes:
        handlers: Kind → function; a kind without one is quarantined.
        max_age: Seconds after which a signed delivery is stale.
        context: Makes the context of a fetch.
        deadline: Makes the deadline of a fetch.
    """

    provider: str
    adapter: Adapter
    handlers: Mapping[EndpointKind, Callable[[Any], object]]
    quarantine: Quarantine
    replay: ReplayStore | None
    max_age: float
    context: Callable[[WebhookRequest], Context]
    deadline: Callable[[], Deadline]
    host: PluginHost

    def dispatch(self, webhook: VerifiedWebhook, kind: EndpointKind, *, now: datetime) -> Steps[Disposition]:
        """
        Return what became of a delivery that came to an endpoint of that kind.

        Args:
            now: When it came, for its age.
        """
        if self._is_stale(webhook.verification.signed_at, now):
            return Disposition.STALE
        if self.replay is None:
            return (yield from self._handle(webhook, kind, now))
        return (yield from self._handle_once(webhook, kind, now, self.replay))

    def _is_stale(self, when: datetime | None, now: datetime) -> bool:
        return when is not None and (now - when).total_seconds() > self.max_age

    def _is_late(self, item: Any, webhook: VerifiedWebhook, kind: EndpointKind, now: datetime) -> bool:
        """Return whether an event is stale by its own time; it says so where the scheme signs none."""
        timed = webhook.verification.signed_at is not None or kind is EndpointKind.INBOUND
        return not timed and self._is_stale(item.timestamp, now)

    def shape(self, webhook: VerifiedWebhook) -> EndpointKind | None:
        """Return what a delivery holds; None for a shape that nobody documented."""
        try:
            found = self.adapter.webhook_kind(webhook)
            return None if found is None else EndpointKind(found)
        except Exception:  # noqa: BLE001  # reason: an odd body has no shape; it is quarantined for that
            return None

    def _handle_once(
        self, webhook: VerifiedWebhook, kind: EndpointKind, now: datetime, store: ReplayStore
    ) -> Steps[Disposition]:
        key = _identity(self.provider, kind, webhook)
        try:
            claim = yield Call(store.claim, (key, self.max_age))
        except Exception:  # noqa: BLE001  # reason: the store is the user's code
            _log.exception("The replay store failed; the delivery is asked for again.")
            return Disposition.UNAVAILABLE
        if claim is not Claim.CLAIMED:
            return Disposition.DUPLICATE if claim is Claim.DUPLICATE else Disposition.UNAVAILABLE
        try:
            disposition = yield from self._handle(webhook, kind, now)
        except BaseException:  # cancelled: nobody answers it, so it comes again
            yield from _settled(store, key, handled=False)
            raise
        yield from _settled(store, key, handled=disposition is not Disposition.UNAVAILABLE)
        return disposition

    def _handle(self, webhook: VerifiedWebhook, kind: EndpointKind, now: datetime) -> Steps[Disposition]:
        shape = self.shape(webhook)
        if shape is not None and shape is not kind:
            reason = f"It holds {shape.value} data, but came to the {kind.value} endpoint."
            yield from self.quarantine.add(webhook, kind, reason)
            return Disposition.MISROUTED
        handler = self.handlers.get(kind)
        if shape is None or handler is None:
            why = self._unknown(webhook) if shape is None else f"There is no handler for {kind.value}."
            yield from self.quarantine.add(webhook, kind, why)
            return Disposition.QUARANTINED
        try:
            found = yield from self._parsed(webhook, kind)
        except Exception as error:  # noqa: BLE001  # reason: whatever is wrong with it, it is kept
            if _may_pass(error):
                _log.warning("What a delivery points to was not to be had; it is asked for again: %s", error)
                return Disposition.UNAVAILABLE
            yield from self.quarantine.add(
                webhook, kind, f"It could not be read ({type(error).__name__}: {error})."
            )
            return Disposition.QUARANTINED
        fresh = [item for item in found if not self._is_late(item, webhook, kind, now)]
        if found and not fresh:
            return Disposition.STALE
        return (yield from self._hand_over(fresh, handler, kind))

    def _unknown(self, webhook: VerifiedWebhook) -> str:
        advice = not_understood(webhook.request.headers, self.provider, self.host.adapters)
        return f"Its shape is not known. {advice}"

    def _parsed(self, webhook: VerifiedWebhook, kind: EndpointKind) -> Steps[Sequence[Any]]:
        if kind is EndpointKind.TRACKING:
            proof = webhook.verification
            events = list(self.adapter.parse_events(webhook))
            if not all(isinstance(event, TrackingEvent) for event in events):
                raise TypeError("The adapter returned something that is no event.")
            return [changed(event, provider=self.provider, verified_by=proof) for event in events]
        yield self.deadline()
        mails = yield from self.adapter.inbound_flow(webhook, self.context(webhook.request))
        return [attrs.evolve(mail, provider=self.provider) for mail in mails]

    def _hand_over(
        self, found: Sequence[Any], handler: Callable[[Any], object], kind: EndpointKind
    ) -> Steps[Disposition]:
        hook, argument = _HOOKS[kind]
        failed = False
        for item in found:
            self.host.notify(hook, provider=self.provider, **{argument: item})
            try:
                yield Call(handler, (item,))
            except Exception:  # noqa: BLE001  # reason: the handler is the user's code
                # The others are still handled: the provider will send all of them again.
                _log.exception("The %s handler raised; the delivery is asked for again.", kind.value)
                failed = True
        return Disposition.UNAVAILABLE if failed else Disposition.ACCEPTED


def _may_pass(error: Exception) -> bool:
    """Return whether a fetch failed for now: it got no answer, or one that the adapter calls retriable."""
    return isinstance(error, TransportFailure) or (isinstance(error, SendError) and error.retriable)


def _settled(store: ReplayStore, key: str, *, handled: bool) -> Steps[None]:
    try:
        yield Call(store.commit if handled else store.release, (key,))
    except Exception:  # noqa: BLE001  # reason: the store is the user's code
        _log.exception("The replay store failed; the delivery may be handled again.")


def _identity(provider: str, kind: EndpointKind, webhook: VerifiedWebhook) -> str:
    proof = webhook.verification
    what = proof.delivery_id.encode() if proof.delivery_id else webhook.request.body
    # A token that vouches for any body is good for one delivery, to whichever endpoint.
    where = "any" if proof.covers is Covers.TOKEN else kind.value
    return f"{provider}:{where}:{hashlib.sha256(what).hexdigest()}"
