"""One way for a server to misbehave, and how a send must end then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import attrs

from reliability.ending import UNKNOWN, Ending
from reliability.fault_server import Peer

__all__ = ["BOTH", "PLAIN", "TLS", "Act", "Mode", "http"]

#: Does the harm on a connection. It is given what a server that works would answer.
Act = Callable[[Peer, bytes], Any]

PLAIN = ("http",)
TLS = ("https",)
BOTH = (*PLAIN, *TLS)


def http(status: int, body: bytes = b"", *headers: str) -> bytes:
    """Return a whole answer."""
    lines = [f"HTTP/1.1 {status} Answer", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


@attrs.frozen(kw_only=True)
class Mode:
    """
    One fault.

    Attributes:
        row: Of the fault table in the specification.
        does: What the server does, for readers.
        ending: How a single attempt ends at MailPace.
        or_ending: Another way it may end, where the moment decides.
        over_tls: How it ends over TLS, where that differs.
        in_asyncio: How it ends in an event loop, where that differs: the libraries do.
        act: What the server does. It may be bytes: a whole answer, and the connection goes on.
        reads: Whether the server reads the request first.
        accepts: Whether it has then taken the mail.
        goes_on: Whether the connection goes on afterwards.
        repeated: Whether a second attempt within the send may put it right; None: where it is retriable.
        certificate: Which one the server shows over TLS: `good`, `expired`, `unknown authority`,
            `other name`, or `none`, where it speaks no TLS.
        door: See `reliability.fault_server.Server`.
        through_proxy: Whether the server is a proxy.
        size: Characters of the mail's text.
        sends: How many mails are sent one after the other.
        timed: Whether only the clock ends it.
    """

    name: str
    row: int
    does: str
    ending: Ending = UNKNOWN
    or_ending: Ending | None = None
    over_tls: Ending | None = None
    in_asyncio: Ending | None = None
    act: Act | bytes = b""
    schemes: tuple[str, ...] = BOTH
    reads: bool = True
    accepts: bool = False
    goes_on: bool = False
    repeated: bool | None = None
    certificate: Literal["good", "expired", "unknown authority", "other name", "none"] = "good"
    door: Literal["open", "refusing", "full"] = "open"
    through_proxy: bool = False
    size: int = 10
    sends: int = 1
    timed: bool = False

    def endings(self, scheme: str, *, looped: bool = False) -> tuple[Ending, ...]:
        """Return the ways a single attempt may end."""
        if looped and self.in_asyncio is not None:
            return (self.in_asyncio,)
        if scheme == "https" and self.over_tls is not None:
            return (self.over_tls,)
        return (self.ending,) if self.or_ending is None else (self.ending, self.or_ending)

    @property
    def is_repeated(self) -> bool:
        """Whether the library itself makes another attempt in time, under a key."""
        return self.ending.retriable if self.repeated is None else self.repeated
