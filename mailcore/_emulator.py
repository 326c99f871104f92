"""What a local provider must do, so that one server can present any of them.

Rule: an emulator is sans-IO. It is told the time and every request, and never asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import attrs

from mailcore._delivery import EndpointKind
from mailcore._http import HttpRequest, HttpResponse

__all__ = ["EmulatedDelivery", "Emulator"]


@attrs.frozen(kw_only=True)
class EmulatedDelivery:
    """
    One webhook the emulated provider wants to make.

    Attributes:
        delivery_id: The emulator's own name for it, for `answered`.
        request: Method, headers and body. The URL is the endpoint configured for that kind.
    """

    delivery_id: str
    kind: EndpointKind
    request: HttpRequest


class Emulator(Protocol):
    """Behave as a provider's documentation says; every method takes the time it happens at."""

    def settings(self, base_url: str) -> Mapping[str, str]:
        """Return the adapter options that select this emulator, served below `base_url`."""
        ...

    def subscribe(self, kind: EndpointKind, url: str) -> None:
        """Deliver webhooks of that kind to `url`, as configured in the provider's app."""
        ...

    def adopt(self, request: HttpRequest) -> None:
        """
        Take whoever makes this API request for the owner of the account.

        Its token, its path and its sender are good from then on; all else is checked as ever. So a program
        can be tested with the settings it has, which are none of the emulator's.
        """
        ...

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        """Answer one API request."""
        ...

    def act(self, message_id: str, event: str, now: datetime) -> None:
        """Let something happen to an accepted message; `event` is the provider's own word."""
        ...

    def receive(self, raw_mime: bytes, now: datetime) -> None:
        """Take a mail from the outside, as the provider's own mail server would."""
        ...

    def due(self, now: datetime) -> Sequence[EmulatedDelivery]:
        """Return the webhooks to be made now; each is handed out once an attempt."""
        ...

    def answered(self, delivery_id: str, status: int | None, now: datetime) -> None:
        """Tell how an endpoint answered; None: it timed out or could not be reached."""
        ...
