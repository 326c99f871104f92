"""Connections that know how far a request got, and stop when its time is up.

Rule 1: the socket is the only witness. A library's exception classes do not tell "never sent" from
        "sent, no answer"; bytes written and bytes read do.
Rule 2: the deadline is kept at the socket: each operation may take what is left of it, so neither slow
        headers nor a slow body can outlast it.
Rule 3: as few words with the system as there can be: at each of them another thread takes the interpreter,
        and one of many has to wait until it has it again.
"""

from __future__ import annotations

import io
import socket
import threading
from typing import Any, Self

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

from mailcore._transport import Deadline, Phase

__all__ = ["ONE_PIECE", "POOLS", "Progress"]

#: Bytes that go out at once, with one word to the system.
ONE_PIECE = 64 * 1024


# requests and urllib3 run in the caller's thread, so the request under way is the thread's own.
_current = threading.local()


class Progress:
    """
    How far a request got: the one that this thread makes within the block.

    Args:
        connect: Seconds that all addresses of a host may take together, where a connection has to be made.
    """

    __slots__ = ("connect", "deadline", "phase")

    def __init__(self, deadline: Deadline, connect: float) -> None:
        self.deadline = deadline
        self.connect = connect
        self.phase = Phase.CONNECTING

    def __enter__(self) -> Self:
        _current.progress = self
        return self

    def __exit__(self, *_: object) -> None:
        del _current.progress

    def time_left(self, at_most: float | None) -> float:
        """Return the seconds one operation may take; raise `TimeoutError` when none are left."""
        left = self.deadline.remaining()
        if left <= 0:
            raise TimeoutError
        return left if at_most is None else min(left, at_most)


class _Reader(io.RawIOBase):
    """Read from a socket as long as the deadline allows."""

    def __init__(self, watched: _WatchedSocket, raw: io.RawIOBase) -> None:
        self._watched = watched
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        progress: Progress = _current.progress
        self._watched.arm(progress)
        count = self._raw.readinto(buffer)
        if count:
            self._watched.note(progress, Phase.RECEIVING)
        return int(count)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _WatchedSocket:
    """
    Stand in for a connected socket, plain or TLS.

    Args:
        notes: Whether what crosses it is the request, which is over with `flush`. Words with a proxy are not.
    """

    def __init__(self, sock: Any, *, notes: bool = True) -> None:
        self._sock = sock
        self._timeout: float | None = sock.gettimeout()
        self._armed = self._timeout
        self._notes = notes
        self._held: list[Any] = []
        self._size = 0

    def note(self, progress: Progress, phase: Phase) -> None:
        if self._notes:
            progress.phase = phase

    def arm(self, progress: Progress) -> None:
        seconds = progress.time_left(self._timeout)
        if seconds != self._armed:
            self._sock.settimeout(seconds)
            self._armed = seconds

    def settimeout(self, seconds: float | None) -> None:
        self._timeout = seconds

    def sendall(self, data: Any) -> None:
        """Send, or keep a little of a request until there is more: the library gives head and body apart."""
        self._held.append(data)
        self._size += len(data)
        if self._size > ONE_PIECE or not self._notes:
            self.flush()

    def flush(self) -> None:
        """Send what was kept."""
        held, self._held, self._size = self._held, [], 0
        if held:
            self._send(held[0] if len(held) == 1 else b"".join(held))

    def _send(self, data: Any) -> None:
        progress: Progress = _current.progress
        view = memoryview(data).cast("B")
        while view:
            self.arm(progress)
            # From here on a byte may have left, whatever `send` says.
            self.note(progress, Phase.SENDING)
            view = view[self._sock.send(view) :]

    def makefile(self, mode: str, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self, self._sock.makefile(mode, buffering=0)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _HTTPConnection(HTTPConnection):
    """Wrap the socket, note when a request is out; the base of both kinds."""

    sock: Any

    def connect(self) -> None:
        super().connect()
        self.sock = _WatchedSocket(self.sock)

    def _new_conn(self) -> socket.socket:
        """Try each address of the host, all of them within what is left of the time to connect."""
        progress: Progress = _current.progress
        until = Deadline(progress.connect)
        refused = OSError()  # where the host has no address
        for family, kind, proto, _, address in _addresses(self._dns_host, self.port):
            sock = socket.socket(family, kind, proto)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(max(progress.time_left(until.remaining()), 0.001))
                sock.connect(address)
            except OSError as error:
                refused = error
                sock.close()
            else:
                sock.settimeout(progress.connect)
                return sock
        raise NewConnectionError(self, type(refused).__name__) from refused

    def _tunnel(self) -> None:
        """Ask a proxy to connect; its answer is bounded by the deadline like any other."""
        plain = self.sock
        self.sock = _WatchedSocket(plain, notes=False)
        try:
            super()._tunnel()
        finally:
            if self.sock is not None:  # None: the proxy refused, and the connection is closed
                self.sock = plain

    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)
        self.sock.flush()
        _current.progress.phase = Phase.SENT


def _addresses(host: str, port: int) -> list[Any]:
    try:
        # The look-up itself takes as long as the system's resolver does: nothing can interrupt it.
        return list(socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM))
    except OSError as error:
        raise NameResolutionError(host, None, error) from error  # type: ignore[arg-type]  # reason: only shown


class _HTTPSConnection(_HTTPConnection, HTTPSConnection):
    """The same over TLS: the base's methods come first, and call the library's own."""


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


POOLS = {"http": _HTTPPool, "https": _HTTPSPool}
