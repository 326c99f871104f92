"""What the transport of requests does in its own way; what both do is in test_http_transports.py."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from urllib3.util.connection import allowed_gai_family

from mailcore import (
    ConfigurationError,
    Deadline,
    HttpRequest,
    HttpResponse,
    JsonBody,
    Phase,
    Settings,
    TransportFailure,
)
from mailcore.transports._watched import ONE_PIECE, Progress, _WatchedSocket
from mailcore.transports.requests import RequestsTransport, _body
from reliability.authority import Authority
from reliability.fault_server import Peer, Script, Server, answering

pytestmark = pytest.mark.loopback

CANARY = "canary-7Qw"
STATUS = b"HTTP/1.1 200 OK\r\n"
OK = STATUS + b"Content-Length: 2\r\n\r\nok"


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server; all are closed at the end."""
    servers: list[Server] = []

    def start(script: Script) -> Server:
        servers.append(Server(script, None))
        return servers[-1]

    yield start
    for server in servers:
        server.closing.set()
    for server in servers:
        server.close()


@pytest.fixture
def transport() -> Iterator[Callable[..., RequestsTransport]]:
    """Return a function that makes a transport; all are closed at the end."""
    made: list[RequestsTransport] = []

    def make(**settings: Any) -> RequestsTransport:
        made.append(RequestsTransport(Settings(**settings)))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def authority(tmp_path: Any) -> Authority:
    """Return an authority."""
    return Authority(tmp_path)


def request(server: Server | str, **changes: Any) -> HttpRequest:
    """Return a request."""
    url = server if isinstance(server, str) else server.url
    given = {"method": "POST", "url": url, "headers": [("X-Token", CANARY)], "body": b"{}"}
    return HttpRequest(**{**given, **changes})


def exchange(carrier: RequestsTransport, asked: HttpRequest) -> HttpResponse:
    """Carry out a request."""
    return carrier.exchange(asked, deadline=Deadline(5.0))


def failure(carrier: RequestsTransport, asked: HttpRequest) -> TransportFailure:
    """Carry out a request that must fail."""
    with pytest.raises(TransportFailure) as caught:
        exchange(carrier, asked)
    return caught.value


class TestProgress:
    """How long one operation may take."""

    @pytest.mark.parametrize(
        "left, at_most, expected", [(9.0, None, 9.0), (9.0, 5.0, 5.0), (0.5, 5.0, 0.5), (0.001, 0.0, 0.0)]
    )
    def test_time_left(self, left: float, at_most: float | None, expected: float) -> None:
        """As long as it may, and no longer than the deadline."""
        assert Progress(Deadline(left, lambda: 0.0), 1.0).time_left(at_most) == expected

    @pytest.mark.parametrize("left, expected", [(9.0, 3.0), (2.0, 2.0)])
    def test_of_a_socket(self, left: float, expected: float) -> None:
        """A socket keeps the limit it came with, until it is given another one."""
        progress = Progress(Deadline(left, lambda: 0.0), 1.0)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.settimeout(3.0)
            watched = _WatchedSocket(ours)
            watched.arm(progress)
            assert ours.gettimeout() == expected
            watched.settimeout(1.0)
            watched.arm(progress)
            assert ours.gettimeout() == 1.0

    def test_keeps_a_little(self) -> None:
        """What comes in small pieces leaves when it is more than one piece holds, or with the last of it."""
        ours, theirs = socket.socketpair()
        with ours, theirs, Progress(Deadline(9.0), 1.0):
            theirs.settimeout(0)
            watched = _WatchedSocket(ours)

            def arrived() -> int:
                with contextlib.suppress(BlockingIOError):
                    return len(theirs.recv(4 * ONE_PIECE))
                return 0

            half = b"x" * (ONE_PIECE // 2)
            for data in (half, half, b"y"):
                assert arrived() == 0
                watched.sendall(data)
            assert arrived() == ONE_PIECE + 1
            watched.sendall(half + half)
            assert arrived() == 0
            watched.flush()
            assert arrived() == ONE_PIECE
            watched.flush()
            assert arrived() == 0

    def test_stands_in(self) -> None:
        """What it does not watch is the socket's own."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            watched = _WatchedSocket(ours)
            assert watched.fileno() == ours.fileno()
            watched.close()
            assert theirs.recv(1) == b""

    @pytest.mark.parametrize("left", [0.0, -1.0])
    def test_no_time_left(self, left: float) -> None:
        """It does not begin."""
        with pytest.raises(TimeoutError):
            Progress(Deadline(left, lambda: 0.0), 1.0).time_left(None)


class TestRoutes:
    """What is kept of an address."""

    def test_not_all_addresses_are(self, transport: Any) -> None:
        """An API whose addresses are made of data does not fill the memory."""
        adapter = transport()._adapter()
        for number in range(101):
            adapter.route(f"http://127.0.0.1:9/{number}")
        assert len(adapter._routes) == 101
        adapter.route("http://127.0.0.1:9/101")
        assert list(adapter._routes) == ["http://127.0.0.1:9/101"]

    def test_is_used_again(self, transport: Any) -> None:
        """What an address needs is worked out once, and addresses of one host share its connections."""
        adapter = transport()._adapter()
        route = adapter.route("http://127.0.0.1:9/send?a=b")
        assert adapter.route("http://127.0.0.1:9/send?a=b") is route
        assert route.target == "/send?a=b"
        assert adapter.route("http://127.0.0.1:9/other").pool is route.pool
        assert adapter.route("http://127.0.0.1:8/send?a=b").pool is not route.pool

    def test_closed_are_forgotten(self, serve: Any, transport: Any) -> None:
        """A transport that was closed opens anew, its many addresses included."""
        server, carrier = serve(answering(OK)), transport()
        carrier._adapter().route("http://127.0.0.1:9/send")
        exchange(carrier, request(server))
        carrier.close()
        assert not carrier._adapter()._routes
        assert exchange(carrier, request(server)).body == b"ok"

    def test_address_that_nobody_can_reach(self, transport: Any) -> None:
        """It is said as what it is: a setting."""
        with pytest.raises(ConfigurationError) as caught:
            exchange(transport(), request("https://*.example/send"))
        assert str(caught.value) == "The service address is not one that can be reached."

    @pytest.mark.parametrize("size, pieces", [(ONE_PIECE, 1), (ONE_PIECE + 1, 2)])
    def test_small_body_is_one_piece(self, size: int, pieces: int, transport: Any) -> None:
        """Up to 64 KiB go out with one system call; more is read while it is sent."""
        body = JsonBody({"a": "x" * (size - len('{"a":""}'))})
        assert len(body) == size
        sent = _body(request("http://127.0.0.1:9/send", body=body))
        assert sent == b"".join(body) if pieces == 1 else sent is body


class TestSession:
    """What belongs to one process."""

    def test_of_another_thread(self, transport: Any) -> None:
        """After a fork, who comes second to open a session takes that of the first."""
        carrier, parent, first = transport(), object(), object()

        class Lock:
            """Lets another thread be faster."""

            def __enter__(self) -> None:
                carrier._opened = (os.getpid(), first)

            def __exit__(self, *_: object) -> None:
                carrier._lock = threading.Lock()

        opened = carrier._opened
        carrier._opened, carrier._lock = (os.getpid() + 1, parent), Lock()
        assert carrier._adapter() is first
        carrier._opened = opened


class TestConnections:
    """How a connection is made."""

    def test_does_not_wait_for_more(
        self, serve: Any, transport: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is small is sent at once: no connection holds it back to send more together."""
        connected: list[int] = []
        connect = socket.socket.connect

        def noting(self: socket.socket, address: Any) -> None:
            connected.append(self.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            connect(self, address)

        monkeypatch.setattr(socket.socket, "connect", noting)
        exchange(transport(), request(serve(answering(OK))))
        assert len(connected) == 1
        assert connected[0] != 0

    @pytest.mark.parametrize("size", [0, ONE_PIECE - 1000, 3 * ONE_PIECE])
    def test_few_words_with_the_system(
        self, size: int, serve: Any, transport: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Head and body go out together, and a limit that stays is not set again."""
        carrier, server = transport(), serve(answering(OK))
        carrier.exchange(request(server), deadline=Deadline(600.0))
        words: list[str] = []
        send, limit = socket.socket.send, socket.socket.settimeout

        def sending(self: socket.socket, data: Any) -> int:
            words.append("send")  # the server's are of another kind
            return send(self, data)

        def limiting(self: socket.socket, seconds: float | None) -> None:
            if self.getpeername()[1] == server.port:
                words.append("limit")
            limit(self, seconds)

        monkeypatch.setattr(socket.socket, "send", sending)
        monkeypatch.setattr(socket.socket, "settimeout", limiting)
        carrier.exchange(request(server, body=b"x" * size), deadline=Deadline(600.0))
        assert set(words) == {"send"}
        # Of what is large, the system may take a part.
        assert size > ONE_PIECE or len(words) == 1
        assert server.requests[-1].endswith(b"x" * size)

    def test_many_are_kept(self, serve: Any, transport: Any) -> None:
        """As many as work at the same time, so that none is opened anew for each mail."""
        number, together = 12, threading.Barrier(12)

        def meet(peer: Peer) -> None:
            while peer.read():
                together.wait(5)
                peer.write(OK)

        server, carrier = serve(meet), transport()
        for _ in range(2):
            threads = [
                threading.Thread(target=exchange, args=(carrier, request(server))) for _ in range(number)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(server.requests) == 2 * number
        assert server.connections == number

    def test_asks_for_every_address(self, transport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A name is looked up for TCP, in every family this machine has; a literal needs no brackets then."""
        asked: list[Any] = []

        def nothing(*arguments: Any) -> list[Any]:
            asked.append(arguments)
            return []

        monkeypatch.setattr(socket, "getaddrinfo", nothing)
        found = failure(transport(), request("http://[::1]:9/send"))
        assert asked == [("::1", 9, allowed_gai_family(), socket.SOCK_STREAM)]
        assert found.phase is Phase.CONNECTING
        assert "nothing was sent (NewConnectionError)" in str(found)

    def test_is_tried_once(self, transport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Repeats are for the mailer to decide, which pays for them; the library makes none."""
        asked: list[Any] = []
        monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments: asked.append(arguments) or [])
        failure(transport(), request("http://localhost:9/send"))
        assert len(asked) == 1

    def test_unknown_name(self, transport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """The host has no address."""

        def unknown(*args: Any, **kwargs: Any) -> Any:
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        found = failure(transport(), request("https://api.example.com/send"))
        assert found.phase is Phase.CONNECTING
        assert "nothing was sent (NameResolutionError)" in str(found)

    def test_through_a_proxy(self, serve: Any, transport: Any, authority: Authority) -> None:
        """It makes the tunnel; what goes through it is between this machine and the provider."""

        def tunnel(peer: Peer) -> None:
            peer.read()
            peer.write(STATUS + b"\r\n")
            with authority.context().wrap_socket(peer.sock, server_side=True) as peer.sock:
                peer.read()
                peer.write(OK)

        proxy = serve(tunnel)
        carrier = transport(ca_bundle=authority.path, proxy=f"http://127.0.0.1:{proxy.port}")
        assert exchange(carrier, request("https://127.0.0.1:9/send")).body == b"ok"
        outer, inner = proxy.requests
        assert outer.startswith(b"CONNECT 127.0.0.1:9 HTTP/1.")
        assert CANARY.encode() not in outer
        assert CANARY.encode() in inner
