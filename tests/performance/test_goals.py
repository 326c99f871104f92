"""The goals that are counts and memory ratios, so that they hold on any machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import subprocess
import sys
import threading
import tracemalloc
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pluggy
import pytest

import mailcore.providers
from mailcore import (
    AsyncMailer,
    Attachment,
    Base64,
    Deadline,
    HttpRequest,
    JsonBody,
    Mailer,
    Message,
    PluginHost,
    Settings,
    WebhookReceiver,
    WebhookRequest,
    hookimpl,
)
from mailcore.transports.requests import RequestsTransport

ANSWER = b'{"id":1,"status":"pending"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)
MESSAGE = Message(from_="ada@example.com", to=["bob@example.com"], subject="Hi", text="Hello")
MIB = 1024 * 1024


class Drain:
    """Answer every request with an acceptance and keep nothing of it but counts."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.context = context
        self.connections = 0
        self.requests = 0
        self.body_bytes = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.listener.getsockname()[1]}/send"
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self) -> None:
        """Serve each connection in a thread."""
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                self.connections += 1
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.threads.append(threading.Thread(target=self.serve, args=(sock,), daemon=True))
                self.threads[-1].start()

    def serve(self, sock: socket.socket) -> None:
        """Read requests into one buffer."""
        buffer = bytearray(64 * 1024)
        sock.settimeout(10)
        with contextlib.suppress(OSError):
            found = self.context.wrap_socket(sock, server_side=True) if self.context else sock
            with found:
                while self.one(found, buffer):
                    found.sendall(HEAD + ANSWER)

    def one(self, sock: socket.socket, buffer: bytearray) -> bool:
        """Read one request; return False at the end."""
        head = b""
        while b"\r\n\r\n" not in head:
            if not (count := sock.recv_into(buffer)):
                return False
            head += buffer[:count]
        head, _, rest = head.partition(b"\r\n\r\n")
        (length,) = (
            int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        left = length - len(rest)
        while left:
            if not (count := sock.recv_into(buffer, min(left, len(buffer)))):
                return False
            left -= count
        self.requests += 1
        self.body_bytes += length
        return True

    def close(self) -> None:
        """Stop accepting."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def drain() -> Iterator[Any]:
    """Return a function that starts a draining server; all are closed at the end."""
    made: list[Drain] = []

    def start(context: ssl.SSLContext | None = None) -> Drain:
        made.append(Drain(context))
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.mark.loopback
def test_goal_5_one_connection_for_a_hundred_sends(
    drain: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mailer keeps its connection, and makes at most one SSLContext."""
    trustme = pytest.importorskip("trustme")
    mailpace = pytest.importorskip("mailcore_mailpace")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = drain(context)
    made: list[object] = []
    new = ssl.SSLContext.__new__

    def counting(cls: type[ssl.SSLContext], *args: Any, **kwargs: Any) -> ssl.SSLContext:
        made.append(cls)
        return new(cls, *args, **kwargs)

    monkeypatch.setattr(ssl.SSLContext, "__new__", counting)
    config = {
        "provider": "mailpace",
        "api_key": "k",
        "api_url": server.url,
        "ca_bundle": str(tmp_path / "ca.pem"),
    }
    host = PluginHost({"mailpace": mailpace}, installed=False)
    with Mailer.from_config(config, environ={}, host=host) as mailer:
        for _ in range(100):
            assert mailer.send(MESSAGE).message_id == "1"
    assert (server.connections, server.requests) == (1, 100)
    assert len(made) <= 1


@pytest.mark.loopback
def test_one_connection_for_a_hundred_sends_in_a_loop(drain: Any) -> None:
    """An asynchronous mailer keeps its connection, too."""
    mailpace = pytest.importorskip("mailcore_mailpace")
    server = drain()
    config = {"provider": "mailpace", "api_key": "k", "api_url": server.url}
    host = PluginHost({"mailpace": mailpace}, installed=False)

    async def work() -> None:
        async with AsyncMailer.from_config(config, environ={}, host=host) as mailer:
            for _ in range(100):
                assert (await mailer.send(MESSAGE)).message_id == "1"

    asyncio.run(work())
    assert (server.connections, server.requests) == (1, 100)


def test_import_loads_no_event_loop() -> None:
    """Who sends without one does not pay for asyncio, not even to make a mailer and send."""
    program = (
        "import sys, mailcore\n"
        "mailcore.AsyncMailer, mailcore.AsyncWebhookReceiver, mailcore.AsyncMailers\n"
        "mail = mailcore.Message(from_='a@example.com', to='b@example.com', text='x')\n"
        "mailcore.Mailer.from_config({'provider': 'memory'}, environ={}).send(mail)\n"
        "print([name for name in ('asyncio', 'aiohttp') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class TestGoal6:
    """A large attachment is streamed."""

    SIZE = 10 * MIB

    def peak(self, url: str, attachment: Attachment) -> int:
        """Return the most memory that building and sending one request takes."""
        carrier = RequestsTransport(Settings())
        warm = HttpRequest(method="POST", url=url, body=b"{}")
        carrier.exchange(warm, deadline=Deadline(10))
        tracemalloc.start()
        try:
            body = JsonBody({"from": "ada@example.com", "content": Base64(attachment)})
            asked = HttpRequest(method="POST", url=url, body=body)
            assert carrier.exchange(asked, deadline=Deadline(30)).status == 200
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            carrier.close()

    @pytest.mark.loopback
    @pytest.mark.parametrize("source", ["file", "bytes"])
    def test_peak(self, drain: Any, tmp_path: Path, source: str) -> None:
        """Sending takes less than a tenth of the attachment's size beyond what was there before."""
        (tmp_path / "big.bin").write_bytes(b"\x00\x01\x02" * (self.SIZE // 3))
        attachment = Attachment.from_path("big.bin", root=tmp_path)
        if source == "bytes":
            attachment = Attachment(content=(tmp_path / "big.bin").read_bytes())
        server = drain()
        # What threads of other tests allocate is counted as well, so the least of several counts.
        peak = min(self.peak(server.url, attachment) for _ in range(5))
        assert server.body_bytes > 5 * self.SIZE * 4 // 3
        assert peak <= self.SIZE // 10

    @pytest.mark.loopback
    def test_peak_does_not_grow(self, drain: Any) -> None:
        """Four times the attachment takes no more memory, not even one piece more."""
        url = drain().url
        small, large = (
            min(self.peak(url, Attachment(content=bytes(size))) for _ in range(3))
            for size in (2 * MIB, 8 * MIB)
        )
        assert large - small < 64 * 1024

    def test_file_is_never_read_whole(self, tmp_path: Path) -> None:
        """No single piece of the body is larger than the pieces of the file."""
        (tmp_path / "big.bin").write_bytes(bytes(MIB))
        body = JsonBody({"content": Base64(Attachment.from_path("big.bin", root=tmp_path))})
        assert max(map(len, body)) <= 64 * 1024


def test_goal_11_peak_of_an_incoming_mail() -> None:
    """Verifying an incoming mail and reading its subject takes no more than 3.2 times the delivery."""
    pytest.importorskip("mailcore_mailpace")
    signing = pytest.importorskip("nacl.signing").SigningKey(bytes(32))
    half = "A" * (3 * MIB)  # a file is there twice: in `raw`, and in `attachments`
    raw = f"Subject: Hi\r\nContent-Transfer-Encoding: base64\r\n\r\n{half}"
    mail = {
        "id": 1,
        "messageId": "<1@x.example>",
        "subject": "Hi",
        "raw": raw,
        "attachments": [{"content": half}],
    }
    body = json.dumps(mail).encode()
    signature = b64encode(signing.sign(body).signature).decode()
    request = WebhookRequest(headers={"X-MailPace-Signature": signature}, body=body)
    subjects: list[str] = []
    receiver = WebhookReceiver.from_config(
        {"provider": "mailpace", "webhook_key": b64encode(bytes(signing.verify_key)).decode()},
        on_inbound=lambda mail: subjects.append(mail.subject),
        environ={},
    )
    tracemalloc.start()
    try:
        assert receiver.receive(request, kind="inbound").status == 200
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert subjects == ["Hi"]
    assert len(body) < peak <= 3.2 * len(body)


class TestGoal13:
    """Hooks cost nothing where nobody listens."""

    @pytest.fixture
    def calls(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Return a list of the hook calls pluggy makes from now on."""
        made: list[str] = []
        call = pluggy.HookCaller.__call__

        def counting(self: pluggy.HookCaller, **kwargs: object) -> Any:
            made.append(self.name)
            return call(self, **kwargs)

        monkeypatch.setattr(pluggy.HookCaller, "__call__", counting)
        return made

    def send(self, *plugins: object) -> Mailer:
        """Return a mailer with these plugins, ready to send."""
        named = {f"plugin-{number}": each for number, each in enumerate(plugins)}
        host = PluginHost({"builtin": mailcore.providers, **named}, installed=False)
        return Mailer.from_config({"provider": "memory"}, environ={}, host=host)

    def test_no_plugin_no_call(self, calls: list[str]) -> None:
        """Without a plugin that listens, a send makes no call to pluggy."""
        mailer = self.send()
        calls.clear()
        mailer.send(MESSAGE)
        mailer.send_many([MESSAGE] * 3)
        assert calls == []

    def test_one_call_a_hook(self, calls: list[str]) -> None:
        """A plugin costs one call of its own for each hook it has, and none of pluggy's."""
        made: list[str] = []

        class Listening:
            @hookimpl
            def mailcore_send_finished(self, result: object) -> None:
                made.append(f"finished, {type(result).__name__}")

            @hookimpl
            def mailcore_before_send(self) -> None:
                made.append("before")

        mailer = self.send(Listening(), Listening())
        calls.clear()
        mailer.send(MESSAGE)
        assert made == ["before"] * 2 + ["finished, SendResult"] * 2
        assert calls == []
