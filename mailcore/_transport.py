"""What core needs of a transport, and what it must be told when one fails.

Rule: a transport reports how far a request got. It never says what that means for the mail.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable
from typing import Any, Protocol

from mailcore._http import HttpRequest, LocalRequest, SmtpRequest

__all__ = ["AsyncTransport", "Deadline", "Phase", "Transport", "TransportFailure"]

#: Request type → the transport that carries it, imported on first use.
TRANSPORTS = {
    HttpRequest: "mailcore.transports.requests:RequestsTransport",
    LocalRequest: "mailcore.transports.local:LocalTransport",
    SmtpRequest: "mailcore.transports.smtp:SmtpTransport",
}
#: The same for async code.
ASYNC_TRANSPORTS = {
    HttpRequest: "mailcore.transports.aiohttp:AiohttpTransport",
    LocalRequest: "mailcore.transports.local:AsyncLocalTransport",
    SmtpRequest: "mailcore.transports.smtp:AsyncSmtpTransport",
}


class Phase(enum.Enum):
    """How far a request got."""

    #: No byte of it left this process.
    CONNECTING = "connecting"
    #: A part of it left.
    SENDING = "sending"
    #: All of it left; no byte of the answer came.
    SENT = "sent"
    #: A part of the answer came.
    RECEIVING = "receiving"


class TransportFailure(Exception):
    """
    A request that got no whole answer.

    Attributes:
        phase: How far it got.
        untrusted: True where the other side's certificate or protocol was refused.
    """

    def __init__(self, phase: Phase, text: str, *, untrusted: bool = False) -> None:
        super().__init__(text)
        self.phase = phase
        self.untrusted = untrusted

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.phase, *self.args), self.__dict__.copy()


class Deadline:
    """A moment by which all must be done, on a clock that never jumps."""

    __slots__ = ("_clock", "_end")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def remaining(self) -> float:
        """Return the seconds left, 0 or less when it has passed."""
        return self._end - self._clock()


class Transport(Protocol):
    """Carry out one type of request; safe to share between threads."""

    def exchange(self, request: Any, *, deadline: Deadline) -> Any:
        """
        Return the response to a request.

        Raises:
            TransportFailure: No whole answer came. An error the request's own body raises while it
                is read passes through.
        """
        ...

    def close(self) -> None:
        """Let go of connections; a later exchange opens new ones."""
        ...


class AsyncTransport(Protocol):
    """Carry out one type of request in an event loop."""

    async def exchange(self, request: Any, *, deadline: Deadline) -> Any:
        """Do what `Transport.exchange` does, and wait for it."""
        ...

    async def close(self) -> None:
        """Let go of connections; a later exchange opens new ones."""
        ...
