"""Webhooks on their way out: when they are tried, and what an answer does.

MailPace docs, events: any HTTP error disables the endpoint at once; what cannot be reached is
retried up to ten times, and then the endpoint is disabled.
MailPace docs, inbound: up to five tries with growing gaps; then the mail bounces to its sender.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import attrs

from mailcore import EmulatedDelivery, EndpointKind, HttpRequest
from mailcore_mailpace.emulator._mail import BouncedMail
from mailcore_mailpace.emulator._signature import SIGNATURE_HEADER

__all__ = ["Delivery", "Outbox"]

#: The waits between two tries, in seconds: ten retries of an event, five tries of a mail. The
#: documentation says how many there are and that they grow, not how long they are. [?]
GAPS: Mapping[EndpointKind, tuple[int, ...]] = {
    EndpointKind.TRACKING: (15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400),
    EndpointKind.INBOUND: (60, 300, 1800, 7200),
}

SUCCESS = range(200, 300)


@attrs.define(kw_only=True)
class Delivery:
    """
    One webhook, until it is answered for good.

    Attributes:
        sender: Who gets the bounce of an inbound mail.
        message_id: Message-ID of that mail.
    """

    delivery_id: str
    kind: EndpointKind
    body: bytes
    due_at: datetime
    tries: int = 0
    sender: str = ""
    message_id: str = ""


@attrs.frozen
class Endpoint:
    """Where webhooks of one kind go: a URL without userinfo, and the header made from it."""

    url: str
    authorization: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, url: str) -> Endpoint:
        """Take userinfo out of a URL; MailPace docs: it protects the endpoint with basic auth."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("A webhook endpoint is an http or https URL with a host.")
        userinfo, at, host = parts.netloc.rpartition("@")
        return cls(urlunsplit(parts._replace(netloc=host)), _basic(parts) if at and userinfo else ())


def _basic(parts: SplitResult) -> tuple[tuple[str, str], ...]:
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return (("Authorization", f"Basic {b64encode(pair.encode()).decode()}"),)


class Outbox:
    """
    Hold every webhook that is not settled, and both endpoints.

    Attributes:
        disabled: Whether the endpoint for events is off.
        lost: Bodies of the events that nobody will get.
        bounced: Inbound mail that was returned.
    """

    def __init__(self, sign: Callable[[EndpointKind, bytes], str | None]) -> None:
        self._sign = sign
        self._endpoints: dict[EndpointKind, Endpoint] = {}
        self._waiting: list[Delivery] = []
        self._in_flight: dict[str, Delivery] = {}
        self._made = 0
        self.disabled = False
        self.lost: list[bytes] = []
        self.bounced: list[BouncedMail] = []

    def subscribe(self, kind: EndpointKind, url: str) -> None:
        """Set the endpoint of that kind; a new URL takes the place of the old one and is on."""
        self._endpoints[kind] = Endpoint.read(url)
        if kind is EndpointKind.TRACKING:
            self.disabled = False

    def add_event(self, body: bytes, now: datetime) -> None:
        """Queue an event, if there is an endpoint; it is lost if that is disabled."""
        if EndpointKind.TRACKING not in self._endpoints:
            return
        delivery = self._new(EndpointKind.TRACKING, body, now)
        self._wait_or_lose(delivery)

    def add_inbound(self, body: bytes, now: datetime, *, sender: str, message_id: str) -> None:
        """Queue an inbound mail; it bounces if there is no endpoint."""
        delivery = self._new(EndpointKind.INBOUND, body, now)
        delivery.sender, delivery.message_id = sender, message_id
        if EndpointKind.INBOUND in self._endpoints:
            self._waiting.append(delivery)
        else:
            self._bounce(delivery, now)

    def due(self, now: datetime) -> Sequence[EmulatedDelivery]:
        """Hand out what is to be tried now, earliest first."""
        ready = sorted((item for item in self._waiting if item.due_at <= now), key=lambda item: item.due_at)
        self._waiting = [item for item in self._waiting if item.due_at > now]
        return [self._hand_out(item) for item in ready]

    def next_due(self) -> datetime | None:
        """Return when the next try is to be made, or None."""
        return min((item.due_at for item in self._waiting), default=None)

    def answered(self, delivery_id: str, status: int | None, now: datetime) -> None:
        """Settle a delivery, or let it wait for the next try."""
        if delivery_id not in self._in_flight:
            raise ValueError(f"No delivery {delivery_id!r} waits for an answer; {_known(self._in_flight)}.")
        delivery = self._in_flight.pop(delivery_id)
        if status is not None and status in SUCCESS:
            return
        gaps = GAPS[delivery.kind]
        final = delivery.kind is EndpointKind.TRACKING and status is not None
        if final or delivery.tries > len(gaps):
            self._give_up(delivery, now)
            return
        delivery.due_at = now + timedelta(seconds=gaps[delivery.tries - 1])
        self._wait_or_lose(delivery)

    def _new(self, kind: EndpointKind, body: bytes, now: datetime) -> Delivery:
        self._made += 1
        return Delivery(delivery_id=f"{kind.value}-{self._made}", kind=kind, body=body, due_at=now)

    def _wait_or_lose(self, delivery: Delivery) -> None:
        if self.disabled and delivery.kind is EndpointKind.TRACKING:
            self.lost.append(delivery.body)
        else:
            self._waiting.append(delivery)

    def _hand_out(self, delivery: Delivery) -> EmulatedDelivery:
        delivery.tries += 1
        self._in_flight[delivery.delivery_id] = delivery
        endpoint = self._endpoints[delivery.kind]
        signature = self._sign(delivery.kind, delivery.body)
        signed = () if signature is None else ((SIGNATURE_HEADER, signature),)
        headers = (("Content-Type", "application/json"), *endpoint.authorization, *signed)
        request = HttpRequest(
            method="POST", url=endpoint.url, headers=headers, body=delivery.body, commits=False
        )
        return EmulatedDelivery(delivery_id=delivery.delivery_id, kind=delivery.kind, request=request)

    def _give_up(self, delivery: Delivery, now: datetime) -> None:
        if delivery.kind is EndpointKind.INBOUND:
            self._bounce(delivery, now)
            return
        self.disabled = True
        events = [item for item in self._waiting if item.kind is EndpointKind.TRACKING]
        self._waiting = [item for item in self._waiting if item.kind is not EndpointKind.TRACKING]
        self.lost.extend(item.body for item in (delivery, *events))

    def _bounce(self, delivery: Delivery, now: datetime) -> None:
        self.bounced.append(BouncedMail(to=delivery.sender, message_id=delivery.message_id, bounced_at=now))


def _known(in_flight: Mapping[str, Delivery]) -> str:
    return f"these do: {', '.join(in_flight)}" if in_flight else "none does"
