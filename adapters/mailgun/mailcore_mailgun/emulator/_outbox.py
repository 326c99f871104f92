"""Webhooks on their way out: when they are tried, and what an answer does.

Mailgun docs: 200 is success, 406 ends it, and anything else is tried again for eight hours. Routes alike.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import attrs

from mailcore import EmulatedDelivery, EndpointKind, HttpRequest

__all__ = ["Outbox"]

#: Minutes between two tries.
GAPS = (10, 15, 30, 60, 120, 240)
SUCCESS, REFUSED = 200, 406


@attrs.define(kw_only=True)
class Waiting:
    """One webhook, until it is settled."""

    delivery_id: str
    kind: EndpointKind
    content_type: str
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

    def takes_mime(self) -> bool:
        """Tell whether the route's URL asks for raw mail."""
        return urlsplit(self._endpoints.get(EndpointKind.INBOUND, "")).path.endswith("mime")

    def add(self, kind: EndpointKind, content_type: str, body: bytes, due_at: datetime) -> None:
        """Queue a webhook, if there is an endpoint."""
        if kind in self._endpoints:
            self._made += 1
            self._waiting.append(
                Waiting(
                    delivery_id=f"{kind.value}-{self._made}",
                    kind=kind,
                    content_type=content_type,
                    body=body,
                    due_at=due_at,
                )
            )

    def due(self, now: datetime) -> Sequence[EmulatedDelivery]:
        """Hand out what is to be tried now, earliest first."""
        ready = sorted((item for item in self._waiting if item.due_at <= now), key=lambda item: item.due_at)
        self._waiting = [item for item in self._waiting if item.due_at > now]
        return [self._hand_out(item) for item in ready]

    def answered(self, delivery_id: str, status: int | None, now: datetime) -> None:
        """Settle a webhook, or let it wait for the next try."""
        if delivery_id not in self._in_flight:
            raise ValueError(f"No delivery {delivery_id!r} waits for an answer.")
        item = self._in_flight.pop(delivery_id)
        if status == SUCCESS:
            return
        if status == REFUSED or item.tries > len(GAPS):
            self.lost.append(item.body)
            return
        item.due_at = now + timedelta(minutes=GAPS[item.tries - 1])
        self._waiting.append(item)

    def _hand_out(self, item: Waiting) -> EmulatedDelivery:
        item.tries += 1
        self._in_flight[item.delivery_id] = item
        parts = urlsplit(self._endpoints[item.kind])
        headers = {"Content-Type": item.content_type, **_basic(parts)}
        url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        request = HttpRequest(
            method="POST", url=url, headers=list(headers.items()), body=item.body, commits=False
        )
        return EmulatedDelivery(delivery_id=item.delivery_id, kind=item.kind, request=request)


def _basic(parts: SplitResult) -> Mapping[str, str]:
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
