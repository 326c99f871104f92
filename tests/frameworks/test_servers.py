"""The same deliveries over real servers, each started once."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs
import pytest

from reliability.delivery import MOUNT, Delivery
from reliability.process import listening
from reliability.served import STORED
from reliability.webhook_cases import CASES, Case, delivery

pytestmark = pytest.mark.loopback

UVICORN = ["uvicorn", "--host", "127.0.0.1", "--port", "0"]
SERVERS = {
    "wsgiref": ["reliability.served"],
    "gunicorn and Flask": [
        "gunicorn",
        "-b",
        "127.0.0.1:0",
        "--threads",
        "2",
        "reliability.served:flask_app()",
    ],
    "uvicorn": [*UVICORN, "--lifespan", "off", "reliability.served:asgi_app"],
    "uvicorn and FastAPI": [*UVICORN, "--factory", "reliability.served:fastapi_app"],
}
PLAIN = {
    field.name: field.default for field in attrs.fields(Case) if field.name in ("handler", "store", "spool")
}


def is_plain(case: Case) -> bool:
    """Tell whether a case needs nothing but an endpoint with a key, and its sender waits for the answer."""
    whole = all(sent.length is None or sent.length == str(len(sent.body)) for sent in case.deliveries)
    return (
        whole and len(case.config) == 2 and all(getattr(case, name) == value for name, value in PLAIN.items())
    )


SHARED = [case for case in CASES if is_plain(case) and len(case.deliveries) == 1]


@attrs.frozen
class Running:
    """A server that listens, and the file that its endpoints write to."""

    name: str
    port: int
    stored: Path

    def ask(self, sent: Delivery) -> tuple[int, dict[str, str], bytes]:
        """Send a request as it stands, and return status, headers and body of the answer."""
        lines = [f"{sent.method} {MOUNT}{sent.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in [*sent.all_headers, ("Connection", "close")]]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as client:
            client.sendall(head + (sent.body if sent.length is not None else chunks(sent.body)))
            response = http.client.HTTPResponse(client, method=sent.method)
            response.begin()
            return (
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(),
            )


def chunks(body: bytes, size: int = 100) -> bytes:
    """Return a body in chunks."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Running]]:
    """Return a function that starts a server, or returns the one that was; all are stopped in the end."""
    found: dict[str, Running] = {}
    with ExitStack() as stack:

        def start(name: str) -> Running:
            if name not in found:
                found[name] = stack.enter_context(serving(name, tmp_path_factory.mktemp("served")))
            return found[name]

        yield start


@pytest.fixture(params=list(SERVERS))
def running(request: pytest.FixtureRequest, started: Callable[[str], Running]) -> Running:
    """Return one server after the other."""
    return started(request.param)


@contextmanager
def serving(name: str, folder: Path) -> Iterator[Running]:
    """Start a server, and stop it."""
    stored = folder / "stored.txt"
    stored.touch()
    with listening(SERVERS[name], folder, {STORED: str(stored)}) as (_, port):
        yield Running(name, port, stored)


class TestServers:
    """A server, and the cases that need no configuration of their own."""

    @pytest.mark.parametrize("case", SHARED, ids=lambda case: f"{case.group}: {case.name}")
    def test_answers(self, running: Running, case: Case) -> None:
        """The answer is the table's, and what is handled is stored before it comes."""
        before = len(running.stored.read_text().splitlines())
        (sent,) = case.deliveries
        status, headers, body = running.ask(sent)
        if running.name == "wsgiref" and sent.length is None:  # it cannot read chunks, and says so
            assert (status, body) == (411, b"Send the body with its length.\n")
            return
        assert status == case.status[0]
        assert {name: headers.get(name) for name in case.headers} == dict(case.headers)
        assert bool(body) == (status == 404 and sent.method != "HEAD")
        assert len(running.stored.read_text().splitlines()) - before == case.handled

    def test_cut_off(self, running: Running) -> None:
        """A client that leaves within the body stores nothing, and the server serves the next one."""
        before = running.stored.read_text()
        whole = delivery()
        head = f"POST {MOUNT}{whole.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
        with socket.create_connection(("127.0.0.1", running.port), timeout=30) as client:
            client.sendall(head.encode() + whole.body)
            client.shutdown(socket.SHUT_WR)
            client.recv(1000)
        assert running.stored.read_text() == before
        assert running.ask(whole)[0] == 200

    def test_too_large(self, running: Running) -> None:
        """What announces too much is answered before any of it is sent."""
        head = f"POST {MOUNT}/mailpace/tracking/ HTTP/1.1\r\nHost: x\r\nContent-Length: {1 << 30}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", running.port), timeout=30) as client:
            client.sendall(head.encode())
            assert client.recv(1000).split()[1] == b"413"
