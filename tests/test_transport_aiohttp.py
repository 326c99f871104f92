"""What only the transport for event loops has: cancellation, several loops, a body made off the loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailcore import Attachment, Base64, Deadline, HttpRequest, JsonBody, Phase, Secret, Settings
from mailcore._pip import pip_install
from mailcore._transport import TransportFailure
from mailcore.transports.aiohttp import AiohttpTransport
from mailcore.transports.requests import RequestsTransport
from reliability.fault_server import Peer, Script, Server, answering, once

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MIB = 1024 * 1024


@pytest.fixture
def serve() -> Iterator[Callable[[Script], Server]]:
    """Return a function that starts a server; all are closed at the end."""
    servers: list[Server] = []

    def start(script: Script) -> Server:
        servers.append(Server(script, keeps=True))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def asked(server: Server, body: Any = b"{}") -> HttpRequest:
    """Return a request."""
    headers = [("Accept", "application/json"), ("Content-Type", "application/json"), ("X-Token", Secret("t"))]
    return HttpRequest(method="POST", url=server.url, headers=headers, body=body)


async def exchanged(carrier: AiohttpTransport, request: HttpRequest) -> bytes:
    """Carry out a request, and return what was answered."""
    return (await carrier.exchange(request, deadline=Deadline(10))).body


@pytest.mark.loopback
class TestWire:
    """What a server sees."""

    def test_is_what_the_other_transport_sends(self, serve: Any) -> None:
        """Who sends is no matter to the provider: the same headers, and the same body."""
        server = serve(answering(OK))
        request = asked(server)
        plain = RequestsTransport(Settings())
        plain.exchange(request, deadline=Deadline(10))
        plain.close()

        async def work() -> None:
            carrier = AiohttpTransport(Settings())
            await exchanged(carrier, request)
            await carrier.close()

        asyncio.run(work())
        first, second = (
            (sorted(head.split(b"\r\n")), body)
            for head, _, body in (found.partition(b"\r\n\r\n") for found in server.requests)
        )
        assert first == second


@pytest.mark.loopback
class TestCancelled:
    """A task that is cancelled while it waits for an answer."""

    def test_closes_its_connection(self, serve: Any) -> None:
        """The server sees the end, nobody gets the late answer, and the next request has its own."""
        arrived, left = threading.Event(), threading.Event()

        def hold_the_first(peer: Peer) -> None:
            while peer.read():
                if len(peer.server.requests) == 1:
                    arrived.set()
                    peer.drain()
                    left.set()
                    return
                peer.write(OK)

        server = serve(hold_the_first)

        async def work() -> bytes:
            carrier = AiohttpTransport(Settings())
            task = asyncio.create_task(exchanged(carrier, asked(server)))
            await asyncio.to_thread(arrived.wait, 5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert caught.value.__context__ is None
            assert await asyncio.to_thread(left.wait, 5)
            answer = await exchanged(carrier, asked(server))
            await carrier.close()
            return answer

        assert asyncio.run(work()) == b"ok"
        assert server.connections == 2


@pytest.mark.loopback
class TestLoops:
    """One transport, several event loops."""

    def test_one_after_the_other(self, serve: Any) -> None:
        """Each opens its own connection; that of another loop is never used."""
        server = serve(answering(OK))
        carrier = AiohttpTransport(Settings())

        async def work() -> list[bytes]:
            found = [await exchanged(carrier, asked(server)) for _ in range(2)]
            await carrier.close()
            return found

        assert [asyncio.run(work()) for _ in range(3)] == [[b"ok"] * 2] * 3
        assert server.connections == 3

    def test_many_tasks(self, serve: Any) -> None:
        """Each gets the answer to its own request."""

        def echo(peer: Peer) -> None:
            while found := peer.read():
                body = found.partition(b"\r\n\r\n")[2]
                peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

        server = serve(echo)
        bodies = [b"%d" % number for number in range(50)]

        async def work() -> list[bytes]:
            carrier = AiohttpTransport(Settings())
            found = await asyncio.gather(*(exchanged(carrier, asked(server, body)) for body in bodies))
            await carrier.close()
            return found

        assert asyncio.run(work()) == bodies


@pytest.mark.loopback
class TestBody:
    """A large body."""

    def test_is_streamed(self, serve: Any, tmp_path: Path) -> None:
        """A file of ten megabytes takes less than a tenth of that."""
        file = tmp_path / "big.bin"
        file.write_bytes(b"\x00\x01\x02" * (10 * MIB // 3))

        def swallow(peer: Peer) -> None:
            buffer = bytearray(MIB // 16)
            while count := peer.sock.recv_into(buffer):
                if buffer[:count].endswith(b'"}'):
                    peer.write(OK)

        server = serve(swallow)
        body = JsonBody({"content": Base64(Attachment.from_path(file, root=tmp_path))})

        async def work() -> int:
            carrier = AiohttpTransport(Settings())
            await exchanged(carrier, asked(server, b'{"warm": "up"}'))
            tracemalloc.start()
            try:
                await exchanged(carrier, asked(server, body))
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
                await carrier.close()

        # What threads of other tests allocate is counted as well, so the least of several counts.
        assert min(asyncio.run(work()) for _ in range(5)) <= MIB

    def test_is_made_in_a_thread(self, serve: Any) -> None:
        """A slow disk does not hold up the loop."""
        makers: list[threading.Thread] = []

        class Body:
            """Note who asks for it."""

            def __len__(self) -> int:
                return 100_000

            def __iter__(self) -> Iterator[bytes]:
                for _ in range(10):
                    makers.append(threading.current_thread())
                    yield b"x" * 10_000

        server = serve(answering(OK))

        async def work() -> bytes:
            carrier = AiohttpTransport(Settings())
            found = await exchanged(carrier, asked(server, Body()))
            await carrier.close()
            return found

        assert asyncio.run(work()) == b"ok"
        assert threading.main_thread() not in makers

    def test_time_that_runs_out_is_no_fault_of_the_body(self, serve: Any) -> None:
        """A deadline that rings between two pieces ends in a failure that says how far it got."""

        class Endless:
            """Never end."""

            def __len__(self) -> int:
                return 10**12

            def __iter__(self) -> Iterator[bytes]:
                while True:
                    yield b"x" * 1000

        server = serve(lambda peer: peer.drain())

        async def work() -> list[TransportFailure]:
            carrier = AiohttpTransport(Settings())
            found = []
            for _ in range(5):
                with pytest.raises(TransportFailure) as caught:
                    await carrier.exchange(asked(server, Endless()), deadline=Deadline(0.05))
                found.append(caught.value)
            await carrier.close()
            return found

        assert {failure.phase for failure in asyncio.run(work())} <= {Phase.CONNECTING, Phase.SENDING}


@pytest.mark.loopback
def test_bytes_after_the_answer_are_not_the_next_one(serve: Any) -> None:
    """A connection that the server spoilt is not used again."""
    server = serve(once(OK + b"HTTP/1.1 500 Evil\r\nContent-Length: 0\r\n\r\n"))

    async def work() -> list[bytes]:
        carrier = AiohttpTransport(Settings())
        found = [await exchanged(carrier, asked(server)) for _ in range(2)]
        await carrier.close()
        return found

    assert asyncio.run(work()) == [b"ok"] * 2


def test_without_the_library() -> None:
    """The error holds the command that installs it."""
    program = (
        "import sys, asyncio; sys.modules['aiohttp'] = None\n"
        "from mailcore import AsyncMailer, HttpRequest, MissingDependency\n"
        "mailer = AsyncMailer.from_config({'provider': 'memory'}, environ={})\n"
        "try: mailer._carrier.transport(HttpRequest)\n"
        "except MissingDependency as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert f"Run: {pip_install('mailcore-esp', 'aiohttp')}\n" in done.stdout


@pytest.mark.loopback
def test_given_up_is_gone(serve: Any) -> None:
    """A send that was given up leaves no connection behind that waits for its server to read on."""
    read = threading.Event()

    async def give_up() -> int:
        carrier = AiohttpTransport(Settings())
        server = serve(lambda _: read.wait(10))
        with pytest.raises(TransportFailure):
            await carrier.exchange(asked(server, b"x" * 20 * MIB), deadline=Deadline(0.5))
        await asyncio.sleep(0)
        watched = len(asyncio.get_running_loop()._selector.get_map())  # type: ignore[attr-defined]  # reason: what is left
        read.set()
        await carrier.close()
        return watched

    assert asyncio.run(give_up()) == 1  # the loop's own
