"""Webhooks on their way out: when they are tried, and what an answer does.

Postmark's skills, events: 5xx, 408, 429 and no answer are tried again, up to six times in 70 minutes; any
other error is final at once.
Postmark's support, mail: anything but 200 is tried again, up to ten times in 10.5 hours; 403 stops that.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import attrs

from mailcore import EmulatedDelivery, EndpointKind, HttpRequest

__all__ = ["Outbox"]

#: The waits between two tries, in minutes.
GAPS: Mapping[EndpointKind, tuple[int, ...]] = {
    EndpointKind.TRACKING: (1, 5, 10, 10, 10, 15),
    EndpointKind.INBOUND: (1, 5, 10, 10, 10, 15, 30, 60, 120, 360),
}


@attrs.define(kw_only=True)
class Delivery:
    """One webhook, until it is answered for good."""

    delivery_id: str
    kind: EndpointKind
    body: bytes
    due_at: datetime
    tries: int = 0


@attrs.frozen
class Endpoint:
    """Where webhooks of one kind go: a URL without userinfo, and the header made from it."""

    url: str
    authorization: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, url: str) -> Endpoint:
        """Take userinfo out of a URL; Postmark docs: it protects the endpoint with basic auth."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("A webhook endpoint is an http or https URL with a host.")
        userinfo, _, host = parts.netloc.rpartition("@")
        return cls(urlunsplit(parts._replace(netloc=host)), _basic(parts) if userinfo else ())


def _basic(parts: SplitResult) -> tuple[tuple[str, str], ...]:
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return (("Authorization", f"Basic {b64encode(pair.encode()).decode()}"),)


class Outbox:
    """
    Hold every webhook that is not settled, and both endpoints.

    Attributes:
        lost: Bodies of webhooks that were given up: events, and mail that ended as an inbound error.
    """

    def __init__(self) -> None:
        self._endpoints: dict[EndpointKind, Endpoint] = {}
        self._waiting: list[Delivery] = []
        self._in_flight: dict[str, Delivery] = {}
        self._made = 0
        self.lost: dict[EndpointKind, list[bytes]] = {kind: [] for kind in EndpointKind}

    def subscribe(self, kind: EndpointKind, url: str) -> None:
        """Set the endpoint of that kind, in place of the old one."""
        self._endpoints[kind] = Endpoint.read(url)

    def add(self, kind: EndpointKind, body: bytes, now: datetime) -> None:
        """Queue a webhook, if there is an endpoint; mail without one ends as an inbound error."""
        if kind in self._endpoints:
            self._made += 1
            name = f"{kind.value}-{self._made}"
            self._waiting.append(Delivery(delivery_id=name, kind=kind, body=body, due_at=now))
        elif kind is EndpointKind.INBOUND:
            self.lost[kind].append(body)

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
        delivery = self._in_flight.pop(delivery_id, None)
        if delivery is None:
            raise ValueError(f"No delivery {delivery_id!r} waits for an answer.")
        if _is_taken(delivery.kind, status):
            return
        gaps = GAPS[delivery.kind]
        if delivery.tries > len(gaps) or not _is_tried_again(delivery.kind, status):
            self.lost[delivery.kind].append(delivery.body)
            return
        delivery.due_at = now + timedelta(minutes=gaps[delivery.tries - 1])
        self._waiting.append(delivery)

    def _hand_out(self, delivery: Delivery) -> EmulatedDelivery:
        delivery.tries += 1
        self._in_flight[delivery.delivery_id] = delivery
        endpoint = self._endpoints[delivery.kind]
        request = HttpRequest(
            method="POST",
            url=endpoint.url,
            headers=(("Content-Type", "application/json"), *endpoint.authorization, *_labels(delivery)),
            body=delivery.body,
            commits=False,
        )
        return EmulatedDelivery(delivery_id=delivery.delivery_id, kind=delivery.kind, request=request)


def _labels(delivery: Delivery) -> list[tuple[str, str]]:
    """Return the headers of events: one stays the same, and one counts down once it is repeated."""
    if delivery.kind is not EndpointKind.TRACKING:
        return []
    left = len(GAPS[delivery.kind]) + 1 - delivery.tries
    repeated = [("X-PM-Retries-Remaining", str(left))] if delivery.tries > 1 else []
    return [("X-PM-Webhook-Trace-Id", delivery.delivery_id), *repeated]


def _is_taken(kind: EndpointKind, status: int | None) -> bool:
    return status == 200 or (kind is EndpointKind.TRACKING and status is not None and status // 100 == 2)


def _is_tried_again(kind: EndpointKind, status: int | None) -> bool:
    if kind is EndpointKind.INBOUND:
        return status != 403
    return status is None or status >= 500 or status in (408, 429)
