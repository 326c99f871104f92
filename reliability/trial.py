"""One fault, tried on a real mailer over a real socket.

Rule: what is reported of a mail is compared with what the provider has. A fault may hide the truth, but
what is claimed must be true.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import attrs

from mailcore import Mailer, SendResult
from mailcore._closing import Closing
from reliability.answer_modes import OTHER_HOST
from reliability.authority import Authority
from reliability.ending import Ending, ended
from reliability.fault_server import Peer, Server, answering
from reliability.looped import Looped
from reliability.mode import Mode, http
from reliability.provider import Provider, async_mailer, mail, mailer

__all__ = ["FIRST", "Observed", "Trial", "Trust"]

#: Mails of one thread that come before the one a fault is for.
FIRST = "first"


class Trust:
    """The certificates of all trials: made once, since that takes a while."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.contexts = {
            "good": self.authority.context(),
            "expired": self.authority.context(expired=True),
            "other name": self.authority.context("b.example"),
            "unknown authority": Authority(folder).context(),
        }


@attrs.frozen(kw_only=True)
class Observed:
    """
    How one send ended.

    Attributes:
        name: The mail's.
        key: What its error, or its result, says to repeat it with.
        message_id: As in the result.
    """

    name: str
    ending: Ending
    seconds: float
    key: str | None
    message_id: str | None
    text: str


class Trial(Closing):
    """
    Let a server misbehave in one way, and send to it; also a context manager.

    Args:
        harms: How often it misbehaves before it works; None: always.
        looped: Whether an asynchronous mailer sends.
        settings: Of the mailer.

    Attributes:
        provider: Which mail was really taken.
        server: What was really received.
        other: The host that redirects point to; None where there is none.
    """

    def __init__(
        self,
        mode: Mode,
        scheme: str,
        trust: Trust,
        *,
        provider: str,
        harms: int | None = None,
        looped: bool = False,
        **settings: Any,
    ) -> None:
        self.mode = mode
        self.provider = Provider()
        # A shut door is the first harm itself.
        self._left = harms if harms is None or mode.door == "open" else harms - 1
        self._lock = threading.Lock()
        self._trust = trust
        points = isinstance(mode.act, bytes) and OTHER_HOST in mode.act
        self.other = Server(answering(http(200))) if points else None
        encrypted = scheme == "https" and not mode.through_proxy
        context = trust.contexts.get(mode.certificate) if encrypted else None
        self.server = Server(self._script, context, door=mode.door)
        self.mailer = self._mailer(provider, scheme, settings, looped=looped)

    def _mailer(
        self, provider: str, scheme: str, settings: dict[str, Any], *, looped: bool
    ) -> Mailer | Looped:
        base = f"{scheme}://127.0.0.1:{self.server.port}"
        options = {**self.provider.settings(base), "ca_bundle": self._trust.authority.path, **settings}
        if self.mode.through_proxy:
            options["proxy"] = f"http://127.0.0.1:{self.server.port}"
        if looped:
            return Looped(lambda: async_mailer(provider, options, sleep=self._wait, random=lambda: 1.0))
        return mailer(provider, options, sleep=self._sleep, random=lambda: 1.0)

    async def _wait(self, seconds: float) -> None:
        self._sleep(seconds)

    def _sleep(self, _: float) -> None:
        """Let no time pass; a closed door opens meanwhile."""
        self.server.open()

    # What the server does -----------------------------------------------------------------------

    def _harms(self) -> bool:
        """Return whether it is to misbehave once more."""
        with self._lock:
            if self._left is None:
                return True
            self._left -= 1
            return self._left >= 0

    def _script(self, peer: Peer) -> None:
        if self.mode.through_proxy:
            self._be_proxy(peer)
        elif not self.mode.reads and self._harms():
            self._harm(peer, b"")
        elif self.mode.certificate == "none":
            self._encrypt(peer)
        else:
            self._serve(peer)

    def _serve(self, peer: Peer) -> None:
        while request := peer.read():
            first = not self.mode.goes_on and f"{FIRST}-".encode() in request
            if first or not self.mode.reads or not self._harms():
                peer.write(self.provider.answer(request))
                continue
            self._harm(peer, request)
            if not self.mode.goes_on:
                return

    def _harm(self, peer: Peer, request: bytes) -> None:
        answer = self.provider.answer(request) if self.mode.accepts else b""
        if callable(self.mode.act):
            self.mode.act(peer, answer)
        else:
            other = self.other.base.encode() if self.other else b""
            peer.write(self.mode.act.replace(OTHER_HOST, other))

    def _be_proxy(self, peer: Peer) -> None:
        peer.read()
        if self._harms():
            self._harm(peer, b"")
            return
        peer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self._encrypt(peer)

    def _encrypt(self, peer: Peer) -> None:
        with self._trust.contexts["good"].wrap_socket(peer.sock, server_side=True) as wrapped:
            self._serve(Peer(peer.server, wrapped))

    # Sending ------------------------------------------------------------------------------------

    def send(self, *, threads: int = 1) -> list[Observed]:
        """Send from that many threads at once, and return how each send ended."""
        found: list[Observed] = []
        start = threading.Barrier(threads)

        def work(number: int) -> None:
            start.wait()
            names = [f"{FIRST}-{number}"] * (self.mode.sends - 1) + [f"mail-{number}"]
            found.extend(self.one(name) for name in names)

        workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return found

    def one(self, name: str, key: str | None = None) -> Observed:
        """Send one mail."""
        message = mail(name, self.mode.size)
        begin = time.monotonic()
        ending, found = ended(lambda: self.mailer.send(message, idempotency_key=key))
        return Observed(
            name=name,
            ending=ending,
            seconds=time.monotonic() - begin,
            key=getattr(found, "idempotency_key", None),
            message_id=found.message_id if isinstance(found, SendResult) else None,
            text="" if isinstance(found, SendResult) else str(found),
        )

    def sent(self) -> list[bytes]:
        """Return every request that asked to send a mail, oldest first; a proxy's tunnels are none."""
        return [request for request in self.server.requests if not request.startswith(b"CONNECT ")]

    def keys(self) -> list[bytes]:
        """Return the key of each request that was read, oldest first; empty where there was none."""
        return [_header(request, b"idempotency-key") for request in self.sent()]

    def is_first(self, seen: Observed) -> bool:
        """Return whether it is a mail that comes before the one a fault is for."""
        return not self.mode.goes_on and seen.name.startswith(f"{FIRST}-")

    def close(self) -> None:
        """Stop everything."""
        self.server.closing.set()
        self.mailer.close()
        self.server.close()
        if self.other is not None:
            self.other.close()


def _header(request: bytes, name: bytes) -> bytes:
    lines = request.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return next((line[len(name) + 2 :] for line in lines if line.lower().startswith(name + b": ")), b"")
