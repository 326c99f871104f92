"""The server on loopback that an emulator is served by."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mailcore import Headers, HttpResponse
from mailcore.sandbox._server import LoopbackServer

pytestmark = pytest.mark.loopback

POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: "
RESET = struct.pack("ii", 1, 0)


def visit(server: LoopbackServer, request: bytes, leaving: Callable[[socket.socket], object]) -> None:
    """Connect, say something, and leave."""
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        leaving(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


class TestClientThatGoesAway:
    """A client that leaves early is no error of the server."""

    def test_before_the_answer(self, capfd: pytest.CaptureFixture[str]) -> None:
        """No traceback is printed for an answer that nobody waits for."""
        gone, done = threading.Event(), threading.Event()

        def answer(*_: Any) -> HttpResponse:
            gone.wait(5)
            done.set()
            return HttpResponse(status=200, body=b"x" * 10_000_000)

        with LoopbackServer(answer) as server:
            visit(server, POST + b"0\r\n\r\n", lambda _: None)
            gone.set()
            assert done.wait(5)
            settle()
        assert capfd.readouterr().err == ""

    def test_within_the_body(self, capfd: pytest.CaptureFixture[str]) -> None:
        """Half a request is not answered: it would be taken for a whole one."""
        asked: list[bytes] = []

        def answer(method: str, path: str, headers: Headers, body: bytes) -> HttpResponse:
            asked.append(body)
            return HttpResponse(status=200)

        with LoopbackServer(answer) as server:
            half = POST + b"10\r\n\r\nhalf"
            visit(server, half, lambda connection: (connection.shutdown(socket.SHUT_WR), connection.recv(1)))
            settle()
        assert (asked, capfd.readouterr().err) == ([], "")

    def test_other_errors_are_shown(self, capfd: pytest.CaptureFixture[str]) -> None:
        """What the emulator itself does wrong stays visible."""

        def answer(*_: Any) -> HttpResponse:
            raise ValueError("a fault of the emulator")

        with LoopbackServer(answer) as server:
            visit(server, POST + b"0\r\n\r\n", lambda connection: connection.recv(1))
            settle()
        assert "a fault of the emulator" in capfd.readouterr().err


def settle() -> None:
    """Wait until no connection is served any more."""
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(5)
