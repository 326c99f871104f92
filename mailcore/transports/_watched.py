"""Connections that know how far a request got, and stop when its time is up.

Rule 1: the socket is the only witness. A library's exception classes do not tell "never sent" from
        "sent, no answer"; bytes written and bytes read do.
Rule 2: the deadline is kept at the socket: each operation may take what is left of it, so neither slow
        headers nor a slow body can outlast it.
"""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from mailcore._transport import Deadline, Phase

__all__ = ["POOLS", "Progress", "watching"]


class Progress:
    """How far the request of this thread got."""

    __slots__ = ("deadline", "phase")

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.phase = Phase.CONNECTING

    def time_left(self, at_most: float | None) -> float:
        """Return the seconds one operation may take; raise `TimeoutError` when none are left."""
        left = self.deadline.remaining()
        if left <= 0:
            raise TimeoutError("The deadline has passed.")
        return left if at_most is None else min(left, at_most)


# requests and urllib3 run in the caller's thread, so the request under way is the thread's own.
_current = threading.local()


@contextmanager
def watching(deadline: Deadline) -> Iterator[Progress]:
    """Watch the request this thread makes within the block."""
    progress = Progress(deadline)
    _current.progress = progress
    try:
        yield progress
    finally:
        del _current.progress


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
            progress.phase = Phase.RECEIVING
        return int(count)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _WatchedSocket:
    """Stand in for a connected socket, plain or TLS."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._timeout: float | None = sock.gettimeout()

    def arm(self, progress: Progress) -> None:
        self._sock.settimeout(progress.time_left(self._timeout))

    def settimeout(self, seconds: float | None) -> None:
        self._timeout = seconds

    def sendall(self, data: Any) -> None:
        progress: Progress = _current.progress
        view = memoryview(data).cast("B")
        while view:
            self.arm(progress)
            # From here on a byte may have left, whatever `send` says.
            progress.phase = Phase.SENDING
            view = view[self._sock.send(view) :]

    def makefile(self, mode: str, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self, self._sock.makefile(mode, buffering=0)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _Watched:
    """Mix into urllib3's connections: wrap the socket, note when a request is out."""

    sock: Any

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # reason: a mixin; the connection has it
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = _WatchedSocket(self.sock)

    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)  # type: ignore[misc]  # reason: a mixin; the connection has it
        _current.progress.phase = Phase.SENT


class _HTTPConnection(_Watched, HTTPConnection):
    pass


class _HTTPSConnection(_Watched, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


POOLS = {"http": _HTTPPool, "https": _HTTPSPool}
