"""Both HTTP transports, against real servers on this machine: they say how far a request got, and no more."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import os
import re
import socket
import ssl
import threading
import time
import traceback
import tracemalloc
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mailcore import (
    Attachment,
    AttachmentChanged,
    Base64,
    ConfigurationError,
    Deadline,
    HttpRequest,
    HttpResponse,
    JsonBody,
    Mailer,
    Message,
    Phase,
    PluginHost,
    ProtocolBug,
    Secret,
    Settings,
    TransportFailure,
)
from mailcore.transports.aiohttp import AiohttpTransport
from mailcore.transports.requests import RequestsTransport
from reliability.authority import Authority
from reliability.fault_server import Peer, Script, Server, answering, deaf, once

pytestmark = pytest.mark.loopback

CANARY = "canary-7Qw"
#: Seconds that an exchange may take on a busy machine, where its end is not the subject.
PATIENCE = 30.0
#: Seconds after which what has a short limit is late, also there; what has none would take twice as many.
LATE = 15.0
STATUS = b"HTTP/1.1 200 OK\r\n"
OK = STATUS + b"Content-Length: 2\r\n\r\nok"
AFTER_CONNECTING = (Phase.SENDING, Phase.SENT, Phase.RECEIVING)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server; all are closed at the end."""
    servers: list[Server] = []

    def start(script: Script, context: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(script, context))
        return servers[-1]

    yield start
    for server in servers:
        server.closing.set()
    for server in servers:
        server.close()


class Waiting:
    """Wait for an asynchronous transport in a thread with an event loop; any number of threads may."""

    def __init__(self, settings: Settings) -> None:
        self.carrier = AiohttpTransport(settings)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Return what a coroutine returns."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def exchange(self, asked: HttpRequest, *, deadline: Deadline) -> HttpResponse:
        """Carry out a request."""
        found: HttpResponse = self.wait(self.carrier.exchange(asked, deadline=deadline))
        return found

    def close(self) -> None:
        """Close the connections."""
        self.wait(self.carrier.close())

    def end(self) -> None:
        """Close the connections, and the loop."""
        self.close()
        self.wait(self.loop.shutdown_default_executor())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture(params=["requests", "aiohttp"])
def library(request: pytest.FixtureRequest) -> str:
    """Return the name of the library that does the work."""
    return str(request.param)


@pytest.fixture
def transport(library: str) -> Iterator[Callable[..., Any]]:
    """Return a function that makes a transport; all are closed at the end."""
    made: list[Any] = []

    def make(**settings: Any) -> Any:
        found = Settings(**settings)
        made.append(RequestsTransport(found) if library == "requests" else Waiting(found))
        return made[-1]

    yield make
    for each in made:
        each.close() if library == "requests" else each.end()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Return an authority."""
    return Authority(tmp_path)


def request(server: Server | str, **changes: Any) -> HttpRequest:
    """Return a request with a secret in it."""
    url = server if isinstance(server, str) else server.url
    given = {"method": "POST", "url": url, "headers": [("X-Token", Secret(CANARY))], "body": b"{}"}
    return HttpRequest(**{**given, **changes})


def exchange(carrier: Any, asked: HttpRequest, *, deadline: float = PATIENCE) -> HttpResponse:
    """Carry out a request."""
    return carrier.exchange(asked, deadline=Deadline(deadline))


def failure(carrier: Any, asked: HttpRequest, *, deadline: float = PATIENCE) -> TransportFailure:
    """Carry out a request that must fail, and show that the failure holds no secret."""
    with pytest.raises(TransportFailure) as caught:
        exchange(carrier, asked, deadline=deadline)
    assert_no_secret(caught.value)
    return caught.value


def assert_no_secret(error: BaseException) -> None:
    """Look at everything an error reporter could: texts, causes, contexts, and locals of every frame."""
    pending: list[BaseException | None] = [error]
    while pending:
        found = pending.pop()
        if found is None:
            continue
        shown = traceback.TracebackException.from_exception(found, capture_locals=True)
        frames = [
            line
            for frame in shown.stack
            for line in (frame.locals or {}).items()
            if "/test_" not in frame.filename
        ]
        assert CANARY not in f"{found!r} {found} {vars(found)} {frames}"
        pending += [found.__cause__, found.__context__]


class TestExchange:
    """A request goes out as it is, and the answer comes back as it is."""

    def test_bytes_on_the_wire(self, serve: Any, transport: Any) -> None:
        """Nothing is added but what HTTP needs."""
        server = serve(answering(OK))
        asked = request(
            f"{server.url}/a%20b?c=d+e",
            headers=[("Accept", "application/json"), ("X-Token", Secret(CANARY))],
            body=b'{"a": 1}',
        )
        exchange(transport(), asked)
        assert server.requests == [
            b"POST /send/a%20b?c=d+e HTTP/1.1\r\n"
            b"Host: 127.0.0.1:" + str(server.port).encode() + b"\r\n"
            b"User-Agent: mailcore\r\n"
            b"Accept-Encoding: identity\r\n"
            b"Accept: application/json\r\n"
            b"X-Token: canary-7Qw\r\n"
            b'Content-Length: 8\r\n\r\n{"a": 1}'
        ]

    @pytest.mark.rule("N-G12")
    def test_user_agent_of_a_mailer(self, serve: Any) -> None:
        """A provider's support can tell which library, which version and which adapter called."""
        host = PluginHost({"mailpace": pytest.importorskip("mailcore_mailpace")}, installed=False)
        server = serve(answering(b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"id":1}'))
        config = {"provider": "mailpace", "api_key": CANARY, "api_url": server.url}
        with Mailer.from_config(config, environ={}, host=host) as mailer:
            mailer.send(Message(from_="ada@example.com", to="bob@example.com", text="Hello"))
        assert re.search(rb"\r\nUser-Agent: mailcore/\S+ \(mailpace\)\r\n", server.requests[0])

    def test_user_agent(self, serve: Any, transport: Any) -> None:
        """The library names itself; an adapter may say more."""
        server = serve(answering(OK))
        carrier = transport()
        exchange(carrier, request(server))
        exchange(carrier, request(server, headers=[("user-agent", "acme/1")]))
        agents = [
            [line for line in found.split(b"\r\n") if line.lower().startswith(b"user-agent:")]
            for found in server.requests
        ]
        assert agents[0][0].startswith(b"User-Agent: mailcore")
        assert [line.split(b": ")[1] for line in agents[1]] == [b"acme/1"]

    def test_answer(self, serve: Any, transport: Any) -> None:
        """Status, repeated headers and body."""
        server = serve(once(b"HTTP/1.1 422 No\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 3\r\n\r\n\xff\x00!"))
        response = exchange(transport(), request(server))
        assert (response.status, response.body) == (422, b"\xff\x00!")
        assert response.headers.get_all("X-A") == ("1", "2")

    @pytest.mark.parametrize(
        "answer,body",
        [
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n", b"ok!"),
            (b"HTTP/1.1 204 None\r\n\r\n", b""),
            (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
            (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
            (
                b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 22\r\n\r\n"
                + gzip.compress(b"ok", mtime=0),
                b"ok",
            ),
        ],
    )
    def test_forms_of_answers(self, serve: Any, transport: Any, answer: bytes, body: bytes) -> None:
        """However its length is told, the body is whole."""
        assert exchange(transport(), request(serve(once(answer)))).body == body

    def test_end_within_the_headers(self, serve: Any, transport: Any, library: str) -> None:
        """One library cannot tell it from an empty answer, which is as good as none."""
        server = serve(once(STATUS))
        if library == "requests":
            assert exchange(transport(), request(server)).body == b""
        else:
            assert failure(transport(), request(server)).phase in (Phase.SENT, Phase.RECEIVING)

    @pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 1_000_000])
    def test_streamed_body(self, serve: Any, transport: Any, size: int) -> None:
        """An attachment arrives byte for byte, and again when it is sent again."""
        server = serve(answering(OK))
        content = os.urandom(size)
        body = JsonBody({"a": "\u00e9", "content": Base64(Attachment(content=content))})
        carrier = transport()
        for _ in range(2):
            exchange(carrier, request(server, body=body))
        sent = [found.partition(b"\r\n\r\n")[2] for found in server.requests]
        assert sent[0] == sent[1] == b"".join(body)
        assert server.connections == 1

    def test_body_that_breaks(self, serve: Any, transport: Any, tmp_path: Path) -> None:
        """A file that changed is said to be one; the connection it spoilt is not used again."""
        file = tmp_path / "file.bin"
        file.write_bytes(b"x" * 300_000)
        body = JsonBody({"content": Base64(Attachment.from_path(file, root=tmp_path))})
        file.write_bytes(b"y" * 300_000)
        server = serve(answering(OK))
        carrier = transport()
        with pytest.raises(AttachmentChanged) as caught:
            exchange(carrier, request(server, body=body))
        assert_no_secret(caught.value)
        assert exchange(carrier, request(server)).body == b"ok"
        assert server.connections == 2

    def test_threads(self, serve: Any, transport: Any) -> None:
        """Each thread gets the answer to its own request."""

        def echo(peer: Peer) -> None:
            while found := peer.read():
                body = found.partition(b"\r\n\r\n")[2]
                peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

        server, carrier = serve(echo), transport()
        wrong: list[bytes] = []

        def work(name: bytes) -> None:
            for number in range(10):
                body = b"%b-%d" % (name, number)
                if (found := exchange(carrier, request(server, body=body)).body) != body:
                    wrong.append(found)

        threads = [threading.Thread(target=work, args=(b"%d" % number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert len(server.requests) == 80
        assert server.connections <= 8


class TestConnections:
    """When one is kept and when it is not."""

    @pytest.mark.rule("N-G2")
    def test_is_kept(self, serve: Any, transport: Any) -> None:
        """Sends that follow each other share one."""
        server, carrier = serve(answering(OK)), transport()
        for _ in range(5):
            exchange(carrier, request(server))
        assert server.connections == 1

    def test_closed_by_the_server(self, serve: Any, transport: Any) -> None:
        """A connection that the server closed meanwhile is noticed before anything is written."""
        server, carrier = serve(once(OK)), transport()
        exchange(carrier, request(server))
        server.threads[-1].join(5)
        assert exchange(carrier, request(server)).body == b"ok"
        assert server.connections == 2

    def test_close(self, serve: Any, transport: Any) -> None:
        """After closing, a new one is opened."""
        server, carrier = serve(answering(OK)), transport()
        exchange(carrier, request(server))
        carrier.close()
        exchange(carrier, request(server))
        assert server.connections == 2

    @pytest.mark.parametrize("proxied", [False, True])
    def test_close_does_not_wait_for_the_garbage_collector(
        self, serve: Any, transport: Any, *, proxied: bool
    ) -> None:
        """The other side sees the end at once, even where a failure before keeps its frames alive."""

        def answer_the_second(peer: Peer) -> None:
            peer.read()
            if peer.server.connections == 2:
                peer.write(OK)
                assert peer.read() == b""

        server = serve(answer_the_second)
        carrier = transport(**({"proxy": server.base} if proxied else {}))
        asked = request("http://localhost:9/send" if proxied else server)
        gc.disable()
        try:
            failure(carrier, asked)
            exchange(carrier, asked)
            carrier.close()
            server.threads[-1].join(2)
        finally:
            gc.enable()
        assert not server.threads[-1].is_alive()

    def test_fork(self, serve: Any, transport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another process never uses its parent's connection."""
        server, carrier = serve(answering(OK)), transport()
        exchange(carrier, request(server))
        opened = (carrier.carrier if isinstance(carrier, Waiting) else carrier)._opened
        with monkeypatch.context() as child:
            child.setattr(os, "getpid", lambda: -1)
            exchange(carrier, request(server))
            assert server.connections == 2
            carrier.close()
        closed = opened[-1].close()
        if isinstance(carrier, Waiting):
            carrier.wait(closed)

    def test_rest_of_an_answer_is_not_the_next_one(self, serve: Any, transport: Any) -> None:
        """A connection with bytes left over is not used again."""
        server = serve(answering(OK + b"HTTP/1.1 500 Evil\r\nContent-Length: 0\r\n\r\n"))
        carrier = transport()
        statuses = [exchange(carrier, request(server)).status for _ in range(2)]
        assert statuses == [200, 200]


class TestRedirect:
    """An answer that points elsewhere."""

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_is_not_followed(self, serve: Any, transport: Any, status: int) -> None:
        """The other host gets not one byte."""
        other = serve(answering(OK))
        server = serve(
            answering(
                b"HTTP/1.1 %d Moved\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n"
                % (status, other.url.encode())
            )
        )
        response = exchange(transport(), request(server))
        assert response.status == status
        assert response.headers["Location"] == other.url
        assert other.connections == 0


class TestEnvironment:
    """What is set around the program."""

    @pytest.mark.parametrize("tls", [False, True])
    def test_changes_nothing(
        self,
        serve: Any,
        transport: Any,
        authority: Authority,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        *,
        tls: bool,
    ) -> None:
        """Proxies, .netrc and certificate variables leave every byte as it was."""
        context = authority.context() if tls else None
        server, proxy = serve(answering(OK), context), serve(answering(OK))
        settings = {"ca_bundle": authority.path} if tls else {}
        exchange(transport(**settings), request(server))
        home = tmp_path / "home"
        home.mkdir()
        netrc = home / ".netrc"
        netrc.write_text("machine 127.0.0.1 login evil password evil\ndefault login evil password evil\n")
        netrc.chmod(0o600)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{proxy.port}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "")
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
            monkeypatch.setenv(name, str(tmp_path / "nowhere"))
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("NETRC", str(netrc))
        exchange(transport(**settings), request(server))
        assert server.requests[0] == server.requests[1]
        assert proxy.connections == 0

    def test_does_not_lend_its_authorities(
        self, serve: Any, transport: Any, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A certificate that only the environment vouches for is not trusted."""
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, authority.path)
        server = serve(answering(OK), authority.context())
        assert failure(transport(), request(server)).untrusted
        assert server.requests == []

    @pytest.mark.parametrize("tunnel", [False, True])
    def test_keys_are_not_logged(
        self,
        serve: Any,
        transport: Any,
        authority: Authority,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        *,
        tunnel: bool,
    ) -> None:
        """Whoever can set SSLKEYLOGFILE still cannot read what was sent, not even by way of a proxy."""
        log = tmp_path / "keys.log"
        contexts = [authority.context(), authority.context()]
        monkeypatch.setenv("SSLKEYLOGFILE", str(log))
        server = serve(answering(OK), contexts[0])
        settings = {"ca_bundle": authority.path}
        if tunnel:  # the proxy speaks TLS, and answers in the server's place
            proxy = serve(answering(OK), contexts[1])
            settings["proxy"] = f"https://127.0.0.1:{proxy.port}"
            assert exchange(transport(**settings), request("http://localhost:9/send")).body == b"ok"
        else:
            assert exchange(transport(**settings), request(server)).body == b"ok"
        assert not log.exists()

    def test_named_proxy_is_used(self, serve: Any, transport: Any) -> None:
        """A proxy is what the settings say; its password is shown to it alone."""
        proxy = serve(answering(OK))
        carrier = transport(proxy=f"http://user:{CANARY}@127.0.0.1:{proxy.port}")
        exchange(carrier, request("http://localhost:9/send"))
        assert proxy.requests[0].startswith(b"POST http://localhost:9/send HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic " in proxy.requests[0]

    def test_proxy_that_refuses(self, serve: Any, transport: Any) -> None:
        """Without a tunnel, nothing was sent."""
        proxy = serve(once(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"))
        carrier = transport(proxy=f"http://user:{CANARY}@127.0.0.1:{proxy.port}")
        found = failure(carrier, request("https://api.example.com/send"))
        assert found.phase is Phase.CONNECTING
        assert b"X-Token" not in proxy.requests[0]


class TestDeadline:
    """Time runs out."""

    @pytest.mark.parametrize(
        "script,phase",
        [
            (once(OK[:60], *[b"x"] * 30, pause=0.1), None),
            (
                once(STATUS + b"Content-Length: 99\r\n\r\n", *[b"x"] * 300, pause=0.1),
                Phase.RECEIVING,
            ),
            (once(STATUS + b"", *[b"X-A: 1\r\n"] * 300, pause=0.1), Phase.RECEIVING),
            (once(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 300, pause=0.1), Phase.RECEIVING),
            (once(STATUS + b"Content-Length: 99\r\n\r\n", b"x", pause=30), Phase.RECEIVING),
            (once(b"", pause=30), Phase.SENT),
        ],
        ids=["slow but in time", "slow body", "slow headers", "slow 100s", "stalled body", "silence"],
    )
    @pytest.mark.rule("N-G1")
    def test_is_kept(self, serve: Any, transport: Any, script: Script, phase: Phase | None) -> None:
        """No answer outlasts it, however slowly it drips; the time limit of one read does not matter."""
        server, start = serve(script), time.monotonic()
        if phase is None:
            assert exchange(transport(), request(server)).body == b"ok"
            return
        found = failure(transport(), request(server), deadline=0.5)
        # One library does not tell of headers that are not complete; either phase leaves the mail unknown.
        assert found.phase in (phase, Phase.SENT)
        assert "timeout" in str(found)
        assert time.monotonic() - start < LATE

    def test_proxy_that_drips(self, serve: Any, transport: Any) -> None:
        """Slow words of a proxy count as well, and prove that nothing was sent."""
        proxy = serve(once(STATUS, *[b"X-A: 1\r\n"] * 300, pause=0.1))
        start = time.monotonic()
        carrier = transport(proxy=f"http://127.0.0.1:{proxy.port}")
        found = failure(carrier, request("https://localhost:9/send"), deadline=0.5)
        assert found.phase is Phase.CONNECTING
        assert time.monotonic() - start < LATE

    def test_many_addresses_that_do_not_answer(self, transport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """All addresses of a host share the time there is; none gets it anew."""
        with contextlib.ExitStack() as stack:
            full = stack.enter_context(socket.socket())
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for _ in range(4):  # nobody accepts: the queue fills, and further connections wait
                waiting = stack.enter_context(socket.socket())
                waiting.settimeout(0)
                waiting.connect_ex(full.getsockname())
            rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", full.getsockname())] * 5
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
            start = time.monotonic()
            url = f"http://localhost:{full.getsockname()[1]}/send"
            found = failure(transport(connect_timeout=1), request(url))
        assert found.phase is Phase.CONNECTING
        assert time.monotonic() - start < 4

    @pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
    def test_interrupted_from_outside(
        self, serve: Any, transport: Any, library: str, interruption: type[BaseException]
    ) -> None:
        """What a signal or a task's time limit raises in mid-exchange passes, without the token."""
        if library == "aiohttp" and interruption is KeyboardInterrupt:
            return  # it ends an event loop, and all that is in it
        server = serve(answering(OK))

        class Body:
            """Fail while it is sent."""

            def __len__(self) -> int:
                return 100_000

            def __iter__(self) -> Iterator[bytes]:
                yield b"x"
                raise interruption

        with pytest.raises(interruption) as caught:
            exchange(transport(), request(server, body=Body()))
        assert_no_secret(caught.value)

    def test_read_timeout(self, serve: Any, transport: Any) -> None:
        """One read has a limit of its own."""
        server, start = serve(once(b"", pause=30)), time.monotonic()
        found = failure(transport(read_timeout=0.3), request(server))
        assert found.phase is Phase.SENT
        assert time.monotonic() - start < LATE

    def test_slow_reader(self, serve: Any, transport: Any) -> None:
        """A server that does not read holds nobody up."""
        server, start = serve(deaf), time.monotonic()
        found = failure(transport(), request(server, body=JsonBody({"a": "x" * 20_000_000})), deadline=0.5)
        assert found.phase is Phase.SENDING
        assert time.monotonic() - start < LATE

    def test_silent_handshake(self, transport: Any, serve: Any) -> None:
        """A server that never says hello got nothing."""
        server, start = serve(deaf), time.monotonic()
        found = failure(transport(), request(server.url.replace("http:", "https:")), deadline=0.5)
        assert (found.phase, found.untrusted) == (Phase.CONNECTING, False)
        assert time.monotonic() - start < LATE

    def test_passed_before_the_start(self, serve: Any, transport: Any) -> None:
        """Without time left, nothing is sent."""
        server = serve(answering(OK))
        found = failure(transport(), request(server), deadline=-1)
        assert found.phase is Phase.CONNECTING
        assert server.requests == []

    def test_passed_while_a_connection_is_kept(self, serve: Any, transport: Any, library: str) -> None:
        """Nothing is sent over one that is already there, either."""
        server, carrier = serve(answering(OK)), transport()
        exchange(carrier, request(server))
        found = failure(carrier, request(server), deadline=-1)
        if library == "aiohttp":
            assert (found.phase, len(server.requests)) == (Phase.CONNECTING, 1)


class TestPhase:
    """How far a request got."""

    def test_refused(self, transport: Any) -> None:
        """Nobody listens."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        found = failure(transport(), request(f"http://127.0.0.1:{port}/send?token={CANARY}"))
        assert (found.phase, found.untrusted) == (Phase.CONNECTING, False)
        assert str(found) == (
            f"No connection to 127.0.0.1:{port} was made; nothing was sent (ConnectionRefusedError). "
            "Check the network, or the settings `api_url` and `proxy`."
        )

    @pytest.mark.parametrize(
        "script,text",
        [
            (once(), "The request was sent to {host}, but no answer came ("),
            (once(STATUS + b"Content-Length: 9\r\n\r\nshort"), "The answer of {host} broke off ("),
        ],
    )
    def test_names_the_host(self, serve: Any, transport: Any, script: Script, text: str) -> None:
        """Whatever happened, it is said of whom."""
        server = serve(script)
        assert str(failure(transport(), request(server))).startswith(
            text.format(host=f"127.0.0.1:{server.port}")
        )

    def test_unknown_name(self, transport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """The host has no address."""

        def unknown(*args: Any, **kwargs: Any) -> Any:
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        assert failure(transport(), request("https://api.example.com/send")).phase is Phase.CONNECTING

    @pytest.mark.parametrize(
        "script,phases",
        [
            (lambda peer: None, (Phase.SENDING, Phase.SENT)),
            # A reset may come before the first byte is written: then nothing was sent.
            (lambda peer: peer.reset(), (Phase.CONNECTING, Phase.SENDING, Phase.SENT)),
            (once(), (Phase.SENT,)),
            (lambda peer: peer.read() and peer.reset(), (Phase.SENT,)),
            (once(b"HTTP/1."), (Phase.RECEIVING,)),
            (once(b"nonsense\r\n\r\n"), (Phase.RECEIVING,)),
            (once(b"HTTP/1.1 9x9 Odd\r\n\r\n"), (Phase.RECEIVING,)),
            (once(STATUS + b"X-A: " + b"x" * 70_000 + b"\r\n\r\n"), (Phase.RECEIVING,)),
            (once(STATUS + b"Content-Length: 9\r\n\r\nshort"), (Phase.RECEIVING,)),
            (once(STATUS + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), (Phase.RECEIVING,)),
            (once(STATUS + b"Transfer-Encoding: chunked\r\n\r\n9\r\nab"), (Phase.RECEIVING,)),
            (once(STATUS + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"), (Phase.RECEIVING,)),
        ],
        ids=[
            "close", "reset", "close after request", "reset after request", "end in status", "nonsense",
            "odd status", "long header", "short body", "bad chunk", "short chunk", "bad gzip",
        ],
    )  # fmt: skip
    def test_broken_answer(
        self, serve: Any, transport: Any, library: str, script: Script, phases: Sequence[Phase]
    ) -> None:
        """From the first byte written, nobody may say that nothing was sent."""
        if library == "aiohttp":  # which does not tell of headers that are not complete
            phases = [*phases, Phase.SENT]
        server = serve(script)
        assert failure(transport(), request(server)).phase in phases

    def test_101_headers(self, serve: Any, transport: Any, library: str) -> None:
        """One library takes them, and the other one gives up."""
        server = serve(once(STATUS + b"X-A: 1\r\n" * 101 + b"Content-Length: 0\r\n\r\n"))
        if library == "aiohttp":
            assert len(exchange(transport(), request(server)).headers.get_all("X-A")) == 101
        else:
            assert failure(transport(), request(server)).phase is Phase.RECEIVING

    @pytest.mark.parametrize("reset", [False, True])
    def test_broken_upload(self, serve: Any, transport: Any, *, reset: bool) -> None:
        """A server that leaves in the middle of the body may have seen enough."""

        def leave(peer: Peer) -> None:
            peer.sock.recv(1000)
            if reset:
                peer.reset()

        body = JsonBody({"a": "x" * 5_000_000})
        assert failure(transport(), request(serve(leave), body=body)).phase in AFTER_CONNECTING

    def test_early_answer(self, serve: Any, transport: Any) -> None:
        """A refusal in the middle of the body is the answer, or at least not taken for silence."""

        def refuse(peer: Peer) -> None:
            peer.sock.recv(1000)
            peer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            peer.sock.shutdown(socket.SHUT_WR)
            while peer.sock.recv(65536):
                pass

        body = JsonBody({"a": "x" * 5_000_000})
        assert exchange(transport(), request(serve(refuse), body=body)).status == 413


class TestTLS:
    """Who may be spoken to."""

    def test_trusted(self, serve: Any, transport: Any, authority: Authority) -> None:
        """A certificate of the named authority is good."""
        server = serve(answering(OK), authority.context())
        assert exchange(transport(ca_bundle=authority.path), request(server)).body == b"ok"

    @pytest.mark.parametrize("case", ["unknown authority", "other name", "no TLS"])
    def test_untrusted(
        self, serve: Any, transport: Any, authority: Authority, tmp_path: Path, case: str
    ) -> None:
        """Anything else gets not one byte of the request, and is said to be untrusted."""
        contexts = {
            "unknown authority": Authority(tmp_path).context(),
            "other name": authority.context("b.example"),
        }

        def plain(peer: Peer) -> None:
            peer.sock.recv(1)
            peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        server = serve(plain if case == "no TLS" else answering(OK), contexts.get(case))
        found = failure(transport(ca_bundle=authority.path), request(server.url.replace("http:", "https:")))
        assert (found.phase, found.untrusted) == (Phase.CONNECTING, True)
        assert "nothing was sent" in str(found)
        assert f"127.0.0.1:{server.port}" in str(found)
        assert "`ca_bundle`" in str(found)
        assert server.requests == []

    def test_bundle_that_is_not_there(self, transport: Any, tmp_path: Path) -> None:
        """A file that is missing is a mistake in the configuration, not an outage."""
        with pytest.raises(ConfigurationError, match="ca_bundle"):
            transport(ca_bundle=str(tmp_path / "ca.pem"))

    def test_bundle_without_a_certificate(
        self, serve: Any, transport: Any, authority: Authority, tmp_path: Path
    ) -> None:
        """Where nobody is trusted, nobody is spoken to, and the setting is to blame."""
        (tmp_path / "ca.pem").write_text("no certificate")
        server = serve(answering(OK), authority.context())
        carrier = transport(ca_bundle=str(tmp_path / "ca.pem"))
        with pytest.raises(ConfigurationError, match=r"ca_bundle is .*holds no certificate") as caught:
            exchange(carrier, request(server))
        assert_no_secret(caught.value)
        assert (server.connections, server.requests) == (0, [])

    def test_folder(self, serve: Any, transport: Any, authority: Authority, tmp_path: Path) -> None:
        """Authorities may be a folder; one that holds none trusts nobody."""
        (tmp_path / "empty").mkdir()
        server = serve(answering(OK), authority.context())
        assert failure(transport(ca_bundle=str(tmp_path / "empty")), request(server)).untrusted

    def test_one_context(
        self, serve: Any, transport: Any, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Certificates are read once, whatever the number of hosts, threads and connections."""
        servers = [serve(once(OK), authority.context()) for _ in range(3)]
        carrier = transport(ca_bundle=authority.path)
        made: list[object] = []
        load = ssl.SSLContext.load_verify_locations

        def counting(self: ssl.SSLContext, *args: Any, **kwargs: Any) -> None:
            made.append(self)
            load(self, *args, **kwargs)

        monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counting)
        threads = [
            threading.Thread(target=exchange, args=(carrier, request(server)))
            for server in servers
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(len(server.requests) for server in servers) == 12
        assert len(made) == 1


class TestLimits:
    """Answers that are too large."""

    def test_body_is_cut(self, serve: Any, transport: Any) -> None:
        """No more than was asked for is read, and the connection is given up."""
        server = serve(
            answering(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000, OK)
        )
        carrier = transport()
        assert exchange(carrier, request(server, max_response=1000)).body == b"x" * 1000
        assert exchange(carrier, request(server)).status == 200
        assert server.connections == 2

    @pytest.mark.parametrize("size", [999, 1000, 1001])
    def test_limit_itself(self, serve: Any, transport: Any, size: int) -> None:
        """An answer of exactly that size is whole."""
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
        response = exchange(transport(), request(serve(once(answer)), max_response=1000))
        assert len(response.body) == min(size, 1000)

    def test_bomb(self, serve: Any, transport: Any) -> None:
        """What unpacks to fifty megabytes is unpacked to one."""
        packed = gzip.compress(bytes(50_000_000))
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
        server, carrier = serve(once(head, packed)), transport()
        tracemalloc.start()
        try:
            response = exchange(carrier, request(server))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(response.body) == 1024 * 1024
        assert peak < 8_000_000


class TestRefusal:
    """What is not even tried."""

    @pytest.mark.parametrize(
        "url",
        [
            "http://api.example.com/send",
            "https://user:password@api.example.com/send",
            "https://*.example.com/send",
            "https://.example.com/send",
        ],
    )
    def test_address(self, transport: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """An address that must not or cannot get a credential, before any name is looked up."""
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("looked up"))
        with pytest.raises(ConfigurationError) as caught:
            exchange(transport(), request(url))
        assert_no_secret(caught.value)

    def test_header_twice(self, serve: Any, transport: Any) -> None:
        """Two headers of one name would go out as one of them; nobody can say which was meant."""
        server = serve(answering(OK))
        headers = [("X-Value", "1"), ("x-value", Secret(CANARY))]
        with pytest.raises(ProtocolBug, match=r"^The header 'x-value' is there twice") as caught:
            exchange(transport(), request(server, headers=headers))
        assert CANARY not in str(caught.value)
        assert server.connections == 0

    @pytest.mark.parametrize(
        "value",
        [f"{CANARY}\r\nX-Evil: 1", f"{CANARY}\n", f"{CANARY}\x00", f"{CANARY}\u00e9", f"{CANARY}\u4e2d"],
    )
    def test_header(self, serve: Any, transport: Any, value: str) -> None:
        """A value that no header can carry is named by its header alone."""
        server = serve(answering(OK))
        with pytest.raises(ProtocolBug, match="'X-Value'") as caught:
            exchange(transport(), request(server, headers=[("X-Value", value)]))
        assert CANARY not in str(caught.value)
        assert server.connections == 0
