"""A server that follows a script, byte for byte, so that it can misbehave in any way.

Rule: it knows sockets, and of HTTP no more than where a request ends.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Door", "Peer", "Script", "Server", "answering", "deaf", "once"]

LOCALHOST = "127.0.0.1"
#: Longest wait for a client, in seconds.
PATIENCE = 10.0
#: Bytes the system takes in for a script that does not read. Small, so that a client notices.
BUFFER = 64 * 1024


class Peer:
    """The server's end of one connection."""

    def __init__(self, server: Server, sock: Any) -> None:
        self.server = server
        self.sock = sock

    def read(self) -> bytes:
        """Read one request, keep it, and return it; empty when the client closed."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (piece := self.sock.recv(65536)):
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        body = self._rest(body, _length(head))
        if len(body) < _length(head):  # half a request is none
            return b""
        found = b"".join([head, b"\r\n\r\n", body])
        if self.server.keeps:
            self.server.requests.append(found)
        return found

    def _rest(self, body: bytes, length: int) -> bytes:
        pieces, left = [body], length - len(body)
        while left > 0 and (piece := self.sock.recv(65536)):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def wait(self) -> None:
        """Wait until the client has written something, and leave it unread."""
        select.select([self.sock], [], [], PATIENCE)

    def write(self, *pieces: bytes, pause: float = 0.0) -> None:
        """Write pieces, one after the other."""
        for piece in pieces:
            self.sock.sendall(piece)
            self.server.closing.wait(pause)

    def hold(self) -> None:
        """Do nothing, until the server is closed."""
        self.server.closing.wait(PATIENCE)

    def drain(self) -> None:
        """Read whatever else comes, until the client closes."""
        while self.sock.recv(65536):
            pass

    def reset(self) -> None:
        """Let the connection break off when it is closed, instead of ending."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _length(head: bytes) -> int:
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    return int(fields.get(b"content-length", b"0"))


Script = Callable[[Peer], Any]


class Door:
    """A listening socket that can be shut: it refuses connections, or is full and answers none."""

    def __init__(self, state: str = "open") -> None:
        self._waiting: list[socket.socket] = []
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self.socket.bind((LOCALHOST, 0))
        self.port: int = self.socket.getsockname()[1]
        if state == "full":
            self._fill()

    def _fill(self) -> None:
        """Take every place in the queue of connections; the system leaves further ones without a word."""
        self.socket.listen(0)
        for _ in range(4):
            self._waiting.append(socket.socket())
            self._waiting[-1].settimeout(0)
            self._waiting[-1].connect_ex((LOCALHOST, self.port))

    def open(self) -> None:
        """Let connections in, from now on."""
        self._leave()
        self.socket.listen(128)

    def close(self) -> None:
        """Give the port back."""
        self._leave()
        self.socket.close()

    def _leave(self) -> None:
        for sock in self._waiting:
            sock.close()
        self._waiting.clear()


class Server:
    """
    Serve connections by a script, on loopback, until closed.

    Args:
        context: What a TLS server needs; None: no TLS.
        door: `open`, or `refusing` or `full` until `open` is called.
        keeps: Whether requests are kept; in long runs they would fill the memory.

    Attributes:
        requests: Every request as it came, oldest first.
        connections: How many were accepted.
        closing: Set when it ends; scripts that wait do not outlast it.
    """

    def __init__(
        self,
        script: Script,
        context: ssl.SSLContext | None = None,
        *,
        door: str = "open",
        keeps: bool = True,
    ) -> None:
        self.script = script
        self.keeps = keeps
        self.context = context
        self.connections = 0
        self.requests: list[bytes] = []
        self.closing = threading.Event()
        self.threads: list[threading.Thread] = []
        self._door = Door(door)
        self.port = self._door.port
        self.base = f"http{'s' if context else ''}://{LOCALHOST}:{self.port}"
        self.url = f"{self.base}/send"
        self._accepting: threading.Thread | None = None
        if door == "open":
            self.open()

    def open(self) -> None:
        """Let connections in; once is enough."""
        if self._accepting is None:
            self._door.open()
            self._accepting = threading.Thread(target=self._accept)
            self._accepting.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._door.socket.accept()
                if self.closing.is_set():
                    sock.close()
                    return
                self.connections += 1
                self._start(sock)

    def _start(self, sock: socket.socket) -> None:
        if len(self.threads) > 500:
            self.threads = [thread for thread in self.threads if thread.is_alive()]
        self.threads.append(threading.Thread(target=self._talk, args=(sock,)))
        self.threads[-1].start()

    def _talk(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock, contextlib.suppress(OSError):
            if self.context is None:
                self.script(Peer(self, sock))
                return
            with self.context.wrap_socket(sock, server_side=True) as wrapped:
                self.script(Peer(self, wrapped))

    def close(self) -> None:
        """Stop, and wait for every connection to end."""
        self.closing.set()
        if self._accepting is not None:
            with contextlib.suppress(OSError):
                socket.create_connection((LOCALHOST, self.port)).close()
            self._accepting.join(PATIENCE)
        self._door.close()
        for thread in self.threads:
            thread.join(PATIENCE)


def answering(*answers: bytes) -> Script:
    """Answer requests in order, the last answer for all that follow, keeping the connection."""

    def script(peer: Peer) -> None:
        number = 0
        while peer.read():
            peer.write(answers[min(number, len(answers) - 1)])
            number += 1

    return script


def once(*pieces: bytes, pause: float = 0.0) -> Script:
    """Read a request, write these pieces, close."""

    def script(peer: Peer) -> None:
        peer.read()
        peer.write(*pieces, pause=pause)

    return script


def deaf(peer: Peer) -> None:
    """Take a connection, and neither read nor write."""
    peer.hold()
