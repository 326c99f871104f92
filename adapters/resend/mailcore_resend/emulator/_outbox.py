"""Webhooks on their way out, signed anew for each try (https://resend.com/docs/webhooks/retries-and-replays)."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit, urlunsplit

import attrs

from mailcore import EmulatedDelivery, EndpointKind, HttpRequest

__all__ = ["Outbox"]

#: From one try to the next.
GAPS = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 5 * 3600, 10 * 3600, 10 * 3600))


@attrs.define(kw_only=True)
class Waiting:
    """One webhook, until it is settled."""

    delivery_id: str
    kind: EndpointKind
    body: bytes
    due_at: datetime
    tries: int = 0


class Outbox:
    """
    Hold every webhook that is not settled, and both endpoints.

    Attributes:
        lost: Bodies of what was given up.
    """

    def __init__(self) -> None:
        self._endpoints: dict[EndpointKind, str] = {}
        self._waiting: list[Waiting] = []
        self._in_flight: dict[str, Waiting] = {}
        self._made = 0
        self.lost: list[bytes] = []

    def subscribe(self, kind: EndpointKind, url: str) -> None:
        """Set the endpoint of that kind, in place of any before."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("A webhook endpoint is an http or https URL with a host.")
        self._endpoints[kind] = url

    def add(self, kind: EndpointKind, body: bytes, due_at: datetime) -> None:
        """Queue a webhook, if there is an endpoint."""
        if kind in self._endpoints:
            self._made += 1
            name = f"msg_{self._made:027}"
            self._waiting.append(Waiting(delivery_id=name, kind=kind, body=body, due_at=due_at))

    def due(self, now: datetime, secret: str) -> Sequence[EmulatedDelivery]:
        """Hand out what is to be tried now, earliest first."""
        ready = sorted((item for item in self._waiting if item.due_at <= now), key=lambda item: item.due_at)
        self._waiting = [item for item in self._waiting if item.due_at > now]
        return [self._hand_out(item, now, secret) for item in ready]

    def answered(self, delivery_id: str, status: int | None, now: datetime) -> None:
        """Settle a webhook, or let it wait for the next try."""
        if delivery_id not in self._in_flight:
            raise ValueError(f"No delivery {delivery_id!r} waits for an answer.")
        item = self._in_flight.pop(delivery_id)
        if status is not None and status // 100 == 2:
            return
        if item.tries > len(GAPS):
            self.lost.append(item.body)
            return
        item.due_at = now + GAPS[item.tries - 1]
        self._waiting.append(item)

    def _hand_out(self, item: Waiting, now: datetime, secret: str) -> EmulatedDelivery:
        item.tries += 1
        self._in_flight[item.delivery_id] = item
        parts = urlsplit(self._endpoints[item.kind])
        moment = str(int(now.timestamp()))
        signed = f"{item.delivery_id}.{moment}.".encode() + item.body
        made = hmac.new(b64decode(secret.removeprefix("whsec_")), signed, "sha256").digest()
        headers = [
            ("Content-Type", "application/json"),
            ("svix-id", item.delivery_id),
            ("svix-timestamp", moment),
            ("svix-signature", f"v1,{b64encode(made).decode()}"),
        ]
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers.append(("Authorization", f"Basic {b64encode(pair.encode()).decode()}"))
        url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        request = HttpRequest(method="POST", url=url, headers=headers, body=item.body, commits=False)
        return EmulatedDelivery(delivery_id=item.delivery_id, kind=item.kind, request=request)
