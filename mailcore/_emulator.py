"""What a local provider must do, so that one server can present any of them.

Rule: an emulator is sans-IO. It is told the time and every request, and never asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

import attrs

from mailcore._delivery import EndpointKind
from mailcore._http import HttpRequest, HttpResponse

__all__ = ["EmulatedDelivery", "EmulatedFile", "EmulatedMail", "EmulatedMailbox", "Emulator"]


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


@attrs.frozen(kw_only=True)
class EmulatedFile:
    """
    A file of a mail that was taken.

    Attributes:
        content_id: What the HTML refers to, without angle brackets; empty for a plain attachment.
    """

    filename: str
    content_type: str
    content: bytes = attrs.field(repr=lambda content: f"<{len(content)} bytes>")
    content_id: str = ""


@attrs.frozen(kw_only=True)
class EmulatedMail:
    """
    A mail that the emulated provider took, as its recipients would get it.

    Attributes:
        message_id: The id that `act` takes.
        sender: The bare address that it comes from.
        recipients: The bare addresses of everybody who gets it, hidden copies too.
        headers: Name and text of each header that people wrote, `Bcc` not among them.
        text: The text; of a template, which the provider would fill in, its name and data.
        tags: The provider's labels, as text.
        source: The mail itself, where it came as MIME; then `headers`, `text`, `html` and `files` are empty.
    """

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    headers: tuple[tuple[str, str], ...] = ()
    text: str = attrs.field(default="", repr=False)
    html: str = attrs.field(default="", repr=False)
    files: tuple[EmulatedFile, ...] = ()
    tags: tuple[str, ...] = ()
    source: bytes | None = attrs.field(default=None, repr=False)


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


@runtime_checkable
class EmulatedMailbox(Protocol):
    """
    What an emulator may do besides: show people the mail it took, and go on after a restart.

    Attributes:
        happenings: What a person lets happen → the word for `act`. The names are `deliver`, `defer`,
            `bounce`, `spam` and `unknown`, an event of a kind that nobody knows yet.
    """

    happenings: Mapping[str, str]

    def taken(self, after: int) -> Sequence[EmulatedMail]:
        """Return the mails that were taken, oldest first, without the first `after`."""
        ...

    def skip(self, count: int) -> None:
        """Give out the next `count` ids to no mail: they were given out before a restart."""
        ...

    def forget(self, message_id: str) -> None:
        """
        Let go of a mail, if it is there: nothing can happen to it any longer.

        No other mail gets its id, and `taken` counts without it from then on.
        """
        ...
