"""The transport of mail over SMTP, against a server that says what a script says, byte for byte."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import attrs
import pytest

from mailcore import (
    ConfigurationError,
    Deadline,
    Phase,
    ProtocolBug,
    Secret,
    Settings,
    SmtpRequest,
    SmtpResponse,
    TransportFailure,
)
from mailcore.transports._smtp_content import Content
from mailcore.transports._smtp_dialogue import Dialogue
from mailcore.transports._smtp_replies import MAX_REPLY
from mailcore.transports.smtp import AsyncSmtpTransport, SmtpTransport
from reliability.authority import Authority

MIB = 1024 * 1024
PASSWORD = "correct-horse-battery"
#: What the server answers unless the script says otherwise; the step is the command's first word.
USUAL = {
    "CONNECT": b"220 mail.example ESMTP\r\n",
    "EHLO": b"250-mail.example\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
    b"250-AUTH LOGIN PLAIN\r\n250 STARTTLS\r\n",
    "STARTTLS": b"220 Go ahead\r\n",
    "AUTH": b"235 Welcome\r\n",
    "MAIL": b"250 Sender ok\r\n",
    "RCPT": b"250 Recipient ok\r\n",
    "DATA": b"354 Go on\r\n",
    ".": b"250 2.0.0 Queued as 1\r\n",
    "QUIT": b"221 Bye\r\n",
}
STEPS = ("CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", ".")
#: Step → how far a request got whose dialogue breaks there.
PHASES = {
    **dict.fromkeys(("CONNECT", "EHLO", "STARTTLS", "AUTH"), Phase.CONNECTING),
    **dict.fromkeys(("MAIL", "RCPT", "DATA"), Phase.SENDING),
    ".": Phase.SENT,
}
#: Seconds that one side waits for the other at most, where no limit in time is the subject.
PATIENCE = 30.0


class Server:
    """
    Answer one connection after the other.

    Attributes:
        heard: Every line that came, without the mail's content.
        mail: The content of the last mail, as it came over the wire.
    """

    def __init__(self, says: dict[str, Any], context: ssl.SSLContext | None, *, at_once: bool) -> None:
        self._says = {**USUAL, **says}
        self._context = context
        self._at_once = at_once
        self.heard: list[bytes] = []
        self.mail = b""
        self._sock: Any = None
        self._closing = threading.Event()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                self._sock, _ = self._door.accept()
            except OSError:
                return
            self._sock.settimeout(PATIENCE)
            with contextlib.suppress(OSError, EOFError):
                self._talk()
            self._sock.close()

    def _talk(self) -> None:
        if self._at_once:
            self._encrypt()
        self._held = b""
        self._say("CONNECT")
        while line := self._line():
            self.heard.append(line)
            step = line.upper().split()[0].decode("latin-1") if line.split() else ""
            self._say(step)
            if step == "STARTTLS" and self._agreed:
                self._encrypt()
            elif step == "DATA" and self._agreed:
                self._take_mail()
            elif step == "QUIT":
                return

    def _take_mail(self) -> None:
        mail = b""
        while not mail.endswith(b"\r\n.\r\n") and mail != b".\r\n":
            mail += self._line()
        self.mail = mail
        self._say(".")

    def _say(self, step: str) -> None:
        answer = self._says.get(step, b"502 What?\r\n")
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        self._agreed = callable(answer) or answer[:1] in (b"2", b"3")
        if callable(answer):
            answer(self)
        else:
            self.write(answer)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._sock.sendall(data)

    def reset(self) -> None:
        """Break the connection off."""
        raise EOFError

    def hold(self) -> None:
        """Do nothing until the test ends."""
        self._closing.wait(PATIENCE)
        raise EOFError

    def _line(self) -> bytes:
        while b"\n" not in self._held:
            if not (more := self._sock.recv(65536)):
                raise EOFError
            self._held += more
        line, end, self._held = self._held.partition(b"\n")
        return line + end

    def _encrypt(self) -> None:
        assert self._context is not None
        # A client that is gone ends here: wrap_socket would leave the socket of one open.
        if not self._sock.recv(1, socket.MSG_PEEK):
            raise EOFError
        self._sock = self._context.wrap_socket(self._sock, server_side=True)

    def close(self) -> None:
        """End it, and what it is saying: nothing of it goes on beside the next test."""
        self._closing.set()
        for sock in (self._door, self._sock):
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._door.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return what signs the server's certificate."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def context(authority: Authority) -> Callable[[str], ssl.SSLContext]:
    """Return a function that makes what a server of that name needs, once: keys take their time."""
    return cache(authority.context)


@pytest.fixture
def serve(context: Any) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server; all are closed at the end."""
    servers: list[Server] = []

    def start(
        says: dict[str, Any] | None = None, *, at_once: bool = False, name: str = "127.0.0.1"
    ) -> Server:
        servers.append(Server(says or {}, context(name), at_once=at_once))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


Exchange = Callable[..., SmtpResponse]


@pytest.fixture(params=["blocking", "looped"])
def exchange(request: pytest.FixtureRequest, authority: Authority) -> Exchange:
    """Return a function that carries out a request, blocking and in an event loop."""

    def carry(asked: SmtpRequest, *, deadline: float = PATIENCE, **settings: Any) -> SmtpResponse:
        found = Settings(**{"ca_bundle": authority.path, "read_timeout": PATIENCE, **settings})
        if request.param == "blocking":
            return SmtpTransport(found).exchange(asked, deadline=Deadline(deadline))
        return asyncio.run(AsyncSmtpTransport(found).exchange(asked, deadline=Deadline(deadline)))

    return carry


def asked(server: Server, **changes: Any) -> SmtpRequest:
    """Return a request."""
    values: dict[str, Any] = {
        "server": f"127.0.0.1:{server.port}",
        "username": "ada",
        "password": Secret(PASSWORD),
        "mail_from": "ada@example.com",
        "rcpt_to": ["bob@example.com", "eve@example.com"],
        "data": b"Subject: Hi\r\n\r\nHello\r\n",
    }
    return SmtpRequest(**{**values, **changes})


@pytest.mark.loopback
class TestDialogue:
    """What is said, and in which order."""

    def test_starttls(self, serve: Any, exchange: Exchange) -> None:
        """Encryption comes before anything that matters, and what was said before it is asked again."""
        server = serve()
        assert exchange(asked(server)) == SmtpResponse(code=250, text="2.0.0 Queued as 1", command=".")
        assert [line.split()[0] for line in server.heard] == [
            *(b"EHLO", b"STARTTLS", b"EHLO", b"AUTH", b"MAIL", b"RCPT", b"RCPT", b"DATA", b"QUIT")
        ]
        assert server.heard[0] == b"EHLO [127.0.0.1]\r\n"
        assert server.mail == b"Subject: Hi\r\n\r\nHello\r\n.\r\n"

    def test_tls(self, serve: Any, exchange: Exchange) -> None:
        """A server may speak TLS from the first byte on."""
        server = serve(at_once=True)
        assert exchange(asked(server, security="tls")).code == 250
        assert b"STARTTLS" not in b"".join(server.heard)

    def test_plain(self, serve: Any, exchange: Exchange) -> None:
        """Without encryption, where that is asked for."""
        server = serve()
        assert exchange(asked(server, security="plain", password=None)).code == 250
        assert [line.split()[0] for line in server.heard][:2] == [b"EHLO", b"MAIL"]

    def test_client_name(self, serve: Any, exchange: Exchange) -> None:
        """The client may have a name."""
        server = serve()
        exchange(asked(server, client_name="app.example.com"))
        assert server.heard[0] == b"EHLO app.example.com\r\n"

    def test_login(self, serve: Any, exchange: Exchange) -> None:
        """By LOGIN, where PLAIN is not offered."""
        server = serve(
            {
                "EHLO": b"250-hi\r\n250-STARTTLS\r\n250 AUTH LOGIN\r\n",
                "AUTH": b"334 UGFzc3dvcmQ6\r\n",
                "Y29YCMVJDC1OB3JZZS1IYXR0ZXJ5": b"235 ok\r\n",
            }
        )
        assert exchange(asked(server)).code == 250
        assert server.heard[3:5] == [b"AUTH LOGIN YWRh\r\n", b"Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5\r\n"]

    def test_parameters(self, serve: Any, exchange: Exchange) -> None:
        """Each command has its parameters; SIZE only where the server knows it."""
        request = {"options": ["SIZE=22", "RET=HDRS", "ENVID=a"], "rcpt_options": ["NOTIFY=FAILURE"]}
        server, bare = serve(), serve({"EHLO": b"250-hi\r\n250-STARTTLS\r\n250-DSN\r\n250 AUTH PLAIN\r\n"})
        for one in (server, bare):
            assert exchange(asked(one, **request)).code == 250
        assert b"MAIL FROM:<ada@example.com> SIZE=22 RET=HDRS ENVID=a\r\n" in server.heard
        assert b"RCPT TO:<bob@example.com> NOTIFY=FAILURE\r\n" in server.heard
        assert b"MAIL FROM:<ada@example.com> RET=HDRS ENVID=a\r\n" in bare.heard

    def test_smtputf8(self, serve: Any, exchange: Exchange) -> None:
        """An address beyond ASCII is sent as it is."""
        server = serve()
        exchange(asked(server, rcpt_to=["bób@example.com"], options=["SMTPUTF8"]))
        assert "RCPT TO:<bób@example.com>\r\n".encode() in server.heard

    @pytest.mark.parametrize(
        "changes, lacks",
        [
            ({"options": ["SMTPUTF8"]}, "SMTPUTF8"),
            ({"options": ["BODY=8BITMIME"]}, "8BITMIME"),
            ({"options": ["ENVID=a"]}, "DSN"),
            ({"rcpt_options": ["NOTIFY=NEVER"]}, "DSN"),
            ({}, "AUTH"),
        ],
        ids=str,
    )
    def test_lacking(self, changes: dict[str, Any], lacks: str, serve: Any, exchange: Exchange) -> None:
        """Where the server does not offer what a mail needs, it is not told of the mail."""
        server = serve({"EHLO": b"250-hi\r\n250-SIZE\r\n250 STARTTLS\r\n"})
        found = exchange(asked(server, **changes))
        assert (found.code, found.command, found.lacks) == (250, "EHLO", lacks)
        assert not [line for line in server.heard if line.startswith((b"MAIL", b"AUTH"))]


@pytest.mark.loopback
class TestAnswers:
    """What the server says no to."""

    @pytest.mark.parametrize("step", STEPS)
    @pytest.mark.parametrize("code", [421, 450, 550])
    def test_refused(self, step: str, code: int, serve: Any, exchange: Exchange) -> None:
        """The answer says which command it is of, and the goodbye is said."""
        server = serve({step: b"%d-5.7.1 No\r\n%d 5.7.1 way\r\n" % (code, code)})
        found = exchange(asked(server))
        assert (found.code, found.text, found.command) == (code, "5.7.1 No\n5.7.1 way", step)
        assert server.heard[-1] == b"QUIT\r\n"

    def test_some_recipients(self, serve: Any, exchange: Exchange) -> None:
        """Who is refused is told, and the others get the mail."""
        server = serve({"RCPT": [b"550 5.1.1 Nobody\r\n", b"251 Forwarded\r\n"]})
        found = exchange(asked(server))
        assert (found.code, found.command) == (250, ".")
        assert found.refused == {"bob@example.com": (550, "5.1.1 Nobody")}

    def test_all_recipients(self, serve: Any, exchange: Exchange) -> None:
        """Where nobody is left, no mail is sent."""
        server = serve({"RCPT": [b"550 One\r\n", b"450 Two\r\n"]})
        found = exchange(asked(server))
        assert (found.code, found.command, server.mail) == (450, "RCPT", b"")
        assert found.refused == {"bob@example.com": (550, "One"), "eve@example.com": (450, "Two")}

    def test_hangs_up(self, serve: Any, exchange: Exchange) -> None:
        """A server that closes while it is told the recipients is not told the others."""
        server = serve({"RCPT": [b"421 Closing\r\n", b"250 Ok\r\n"]})
        found = exchange(asked(server))
        assert (found.code, found.command, server.mail) == (421, "RCPT", b"")
        assert len([line for line in server.heard if line.startswith(b"RCPT")]) == 1

    def test_question_for_an_end(self, serve: Any, exchange: Exchange) -> None:
        """What is neither yes nor no is passed on as it is."""
        assert exchange(asked(serve({".": b"354 And?\r\n"}))).code == 354

    @pytest.mark.parametrize("answer", [b"", b"what\r\n", Server.reset], ids=["nothing", "garbage", "closed"])
    def test_goodbye(self, answer: Any, serve: Any, exchange: Exchange) -> None:
        """A mail that was taken stays taken, however the server says goodbye; it is not waited for long."""
        began = time.monotonic()
        assert exchange(asked(serve({"QUIT": answer}))).code == 250
        assert time.monotonic() - began < 3


def _endless(line: bytes) -> Callable[[Server], None]:
    def say(server: Server) -> None:
        while True:
            server.write(line * 1000)

    return say


#: What a server may do instead of answering, and what the failure says of it.
HOSTILE: dict[str, tuple[Any, str]] = {
    "closed": (Server.reset, "it closed the connection|ConnectionResetError"),
    "half an answer": (lambda server: (server.write(b"25"), server.reset()), "it closed|ConnectionReset"),
    "garbage": (b"HTTP/1.1 400 Bad Request\r\n", "it is not written as a reply"),
    "no number": (b"yes\r\n", "it is not written as a reply"),
    "binary": (b"\x00\xff\xfe\x00\r\n", "it is not written as a reply"),
    "endless greeting": (_endless(b"220-and another thing\r\n"), "it does not end"),
    "endless line": (_endless(b"250 and so on and on"), "it does not end"),
    "a long line": (b"250 " + b"x" * MIB + b"\r\n", "it does not end"),
    "two numbers": (b"250-one\r\n550 two\r\n", "its lines have different numbers"),
    "silence": (b"", "timeout"),
}


@pytest.mark.loopback
class TestHostile:
    """A server that means harm, at every step."""

    @pytest.mark.parametrize("what", HOSTILE)
    @pytest.mark.parametrize("step", STEPS)
    def test_ends(self, step: str, what: str, serve: Any, exchange: Exchange) -> None:
        """Each ends in a failure that says how far the mail got, and nothing secret."""
        answer, why = HOSTILE[what]
        server = serve({step: answer})
        with pytest.raises(TransportFailure, match=why) as caught:
            exchange(asked(server), read_timeout=0.2)
        phases = {PHASES[step], Phase.RECEIVING} if step == "." else {PHASES[step]}
        assert caught.value.phase in phases
        assert not caught.value.untrusted
        shown = "".join(traceback.format_exception(caught.value))
        assert PASSWORD not in shown

    @pytest.mark.parametrize("what", HOSTILE)
    @pytest.mark.parametrize("security", ["plain", "tls"])
    def test_ends_otherwise_secured(self, what: str, security: str, serve: Any, exchange: Exchange) -> None:
        """So it does without encryption, and with encryption from the first byte on."""
        server = serve({".": HOSTILE[what][0]}, at_once=security == "tls")
        with pytest.raises(TransportFailure) as caught:
            exchange(asked(server, security=security), read_timeout=0.2)
        assert caught.value.phase in (Phase.SENT, Phase.RECEIVING)

    def test_nul(self, serve: Any, exchange: Exchange) -> None:
        """What no text holds is made harmless, and the answer stands."""
        found = exchange(asked(serve({".": b"250 o\x00k\x1b[2J \xff\r\n"})))
        assert (found.code, found.text) == (250, "o\ufffdk\ufffd[2J \ufffd")

    def test_out_of_turn(self, serve: Any, exchange: Exchange) -> None:
        """An answer to a question that was not asked yet is no answer."""
        server = serve({"DATA": b"354 Go\r\n250 I have it already\r\n"})
        with pytest.raises(TransportFailure, match="out of turn") as caught:
            exchange(asked(server))
        assert caught.value.phase is Phase.SENDING

    def test_longest_answer(self, serve: Any, exchange: Exchange) -> None:
        """An answer may be long."""
        line = b"250-%s\r\n" % (b"x" * 500)
        text = line * (MAX_REPLY // len(line) - 1) + b"250 end\r\n"
        assert exchange(asked(serve({".": text}))).code == 250

    def test_byte_by_byte(self, serve: Any, exchange: Exchange) -> None:
        """An answer may come in any pieces, and with a bare LF at its end."""

        def drip(server: Server) -> None:
            for number in b"250-a\r\n250 b\n":
                server.write(bytes([number]))

        assert exchange(asked(serve({".": drip}))).text == "a\nb"

    def test_deadline(self, serve: Any, exchange: Exchange) -> None:
        """The time for all of it is bounded, however often a byte comes."""

        def drip(server: Server) -> None:
            while True:
                server.write(b"2")
                time.sleep(0.05)

        began = time.monotonic()
        with pytest.raises(TransportFailure, match=r"timeout|not written"):
            exchange(asked(serve({"MAIL": drip})), deadline=0.5)
        assert time.monotonic() - began < 10  # it drips for ever

    def test_never_reads(self, serve: Any, exchange: Exchange) -> None:
        """A server that takes no more of the mail does not get the rest."""
        server = serve({"DATA": lambda server: (server.write(b"354 Go\r\n"), server.hold())})
        with pytest.raises(TransportFailure, match="timeout") as caught:
            exchange(asked(server, data=b"x" * 16 * MIB), read_timeout=0.2)
        assert caught.value.phase is Phase.SENDING


@pytest.mark.loopback
class TestTrust:
    """Whom a mail is given to."""

    def test_no_downgrade(self, serve: Any, exchange: Exchange) -> None:
        """A server, or somebody before it, that offers no encryption is told nothing."""
        server = serve({"EHLO": b"250-hi\r\n250 AUTH PLAIN\r\n"})
        with pytest.raises(TransportFailure, match="does not offer STARTTLS") as caught:
            exchange(asked(server))
        assert (caught.value.untrusted, caught.value.phase) == (True, Phase.CONNECTING)
        assert [line.split()[0] for line in server.heard] == [b"EHLO"]

    def test_injection(self, serve: Any, exchange: Exchange) -> None:
        """What comes in the clear with the answer to STARTTLS is not taken for what comes encrypted."""
        server = serve({"STARTTLS": b"220 Go\r\n250 AUTH PLAIN\r\n"})
        with pytest.raises(TransportFailure, match="spoke before the connection was encrypted") as caught:
            exchange(asked(server))
        assert caught.value.untrusted

    def test_late_injection(self, serve: Any, exchange: Exchange) -> None:
        """Nor what comes a little later."""

        def inject(server: Server) -> None:
            server.write(b"220 Go\r\n")
            time.sleep(0.05)
            server.write(b"250 AUTH PLAIN\r\n")

        with pytest.raises(TransportFailure, match="cannot be encrypted") as caught:
            exchange(asked(serve({"STARTTLS": inject})))
        assert caught.value.untrusted

    @pytest.mark.parametrize("security", ["tls", "starttls"])
    def test_strange_certificate(self, security: str, serve: Any, exchange: Exchange) -> None:
        """Nobody vouches for it."""
        server = serve(at_once=security == "tls")
        with pytest.raises(TransportFailure, match="SSLCertVerificationError") as caught:
            exchange(asked(server, security=security), ca_bundle=None)
        assert (caught.value.untrusted, caught.value.phase) == (True, Phase.CONNECTING)

    def test_wrong_name(self, serve: Any, exchange: Exchange) -> None:
        """It is another server's."""
        with pytest.raises(TransportFailure, match="SSLCertVerificationError"):
            exchange(asked(serve(name="other.example")))

    def test_no_tls_at_all(self, serve: Any, exchange: Exchange) -> None:
        """A server that waits for STARTTLS is no server that speaks TLS from the first byte on."""
        with pytest.raises(TransportFailure) as caught:
            exchange(asked(serve(), security="tls"))
        assert caught.value.untrusted

    def test_nobody_there(self, exchange: Exchange) -> None:
        """No connection is no answer."""
        with socket.create_server(("127.0.0.1", 0)) as door:
            port = door.getsockname()[1]
        request = SmtpRequest(
            server=f"127.0.0.1:{port}", mail_from="a@b.example", rcpt_to=["c@d.example"], data=b""
        )
        with pytest.raises(TransportFailure, match="ConnectionRefusedError") as caught:
            exchange(request)
        assert caught.value.phase is Phase.CONNECTING


@pytest.mark.loopback
class TestBody:
    """A mail that is made while it is sent."""

    def test_that_fails(self, serve: Any, exchange: Exchange) -> None:
        """What the body raises passes through, and the server is never told that the mail is whole."""

        class Broken:
            def __len__(self) -> int:
                return 10

            def __iter__(self) -> Iterator[bytes]:
                yield b"Subject: x\r\n"
                raise ProtocolBug("The file is gone.")

        server = serve()
        with pytest.raises(ProtocolBug, match="The file is gone"):
            exchange(asked(server, data=Broken()))
        assert server.mail == b""

    def test_in_a_thread(self, serve: Any, authority: Authority) -> None:
        """In an event loop, a body is made off the loop: it may come from a file."""
        found: list[bool] = []

        class Body:
            def __len__(self) -> int:
                return 1

            def __iter__(self) -> Iterator[bytes]:
                found.append(threading.current_thread() is threading.main_thread())
                yield b"x"

        transport = AsyncSmtpTransport(Settings(ca_bundle=authority.path))
        asyncio.run(transport.exchange(asked(serve(), data=Body()), deadline=Deadline(10)))
        assert found == [False]


class TestCancelled:
    """A task that is cancelled."""

    @pytest.mark.loopback
    def test_closes(self, serve: Any, authority: Authority) -> None:
        """The connection is gone, and the task is cancelled."""
        waiting = threading.Event()
        server = serve({"MAIL": lambda _: waiting.set()})

        async def work() -> None:
            transport = AsyncSmtpTransport(Settings(ca_bundle=authority.path))
            task = asyncio.create_task(transport.exchange(asked(server), deadline=Deadline(10)))
            await asyncio.to_thread(waiting.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await transport.close()

        asyncio.run(work())


class TestContent:
    """A mail as it stands after DATA."""

    @pytest.mark.parametrize(
        "data, wire",
        [
            (b"", b".\r\n"),
            (b"a\r\n", b"a\r\n.\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b".\r\n", b"..\r\n.\r\n"),
            (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r\n..b\r\n", b"a\r\n...b\r\n.\r\n"),
            (b"a\n.\nMAIL FROM:<x>\n", b"a\r\n..\r\nMAIL FROM:<x>\r\n.\r\n"),
            (b"a\r.\rb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\n.\r\nb\r", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r\r\n", b"a\r\n\r\n.\r\n"),
        ],
    )
    def test_whatever_the_pieces(self, data: bytes, wire: bytes) -> None:
        """Lines end as SMTP wants it, dots are doubled, and the only end is ours, however it is cut."""
        for size in (1, 2, 3, len(data) or 1):
            pieces = [data[at : at + size] for at in range(0, len(data), size)]

            class Body(list):  # type: ignore[type-arg]  # reason: a body is what has a length and pieces
                pass

            content = Content(Body(pieces))
            assert b"".join([*content, content.end]) == wire

    def test_one_end(self) -> None:
        """No other way to write an end is left in a mail (SMTP smuggling)."""
        ends = [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r\n", b"\r\n.\r"]
        content = Content(b"x".join([b"", *ends, b""]))
        wire = b"".join(content)
        assert not re.search(rb"[\r\n]\.[\r\n]", wire)


class TestRequests:
    """What cannot be said."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"mail_from": "a@b.example>\r\nRCPT TO:<x@y.example"},
            {"rcpt_to": ["a@b.example\nDATA"]},
            {"options": ["RET=FULL X=1"]},
            {"options": ["X=\x00"]},
            {"rcpt_to": ["bób@example.com"]},
        ],
        ids=str,
    )
    def test_bug(self, changes: dict[str, Any]) -> None:
        """What would be another command is a defect, found before anything is sent."""
        values: dict[str, Any] = {
            "server": "h:25", "mail_from": "a@b.example", "rcpt_to": ["c@d.example"], "data": b"",
        }  # fmt: skip
        with pytest.raises(ProtocolBug):
            Dialogue(SmtpRequest(**{**values, **changes}), None)

    @pytest.mark.parametrize(
        "server", ["", "host", "host:", ":25", "host:0", "host:65536", "host:²", "a:b:c"]
    )
    def test_server(self, server: str) -> None:
        """A server is a host and a port."""
        request = SmtpRequest(server=server, mail_from="a@b.example", rcpt_to=["c@d.example"], data=b"")
        with pytest.raises(ConfigurationError, match="host:port"):
            Dialogue(request, None)

    @pytest.mark.loopback
    def test_no_host(self, exchange: Exchange) -> None:
        """A name that cannot be one is no host that answers."""
        request = SmtpRequest(
            server=f"{'x' * 70}.example:25", mail_from="a@b.example", rcpt_to=["c@d.example"], data=b""
        )
        with pytest.raises(TransportFailure) as caught:
            exchange(request)
        assert caught.value.phase is Phase.CONNECTING

    @pytest.mark.parametrize("transport", [SmtpTransport, AsyncSmtpTransport])
    def test_proxy(self, transport: Any) -> None:
        """A proxy that would be passed by is refused."""
        with pytest.raises(ConfigurationError, match="no proxy"):
            transport(Settings(proxy="http://proxy.example:3128"))

    def test_repr(self) -> None:
        """A request shows neither its password nor the mail."""
        request = SmtpRequest(
            server="h:25", password=Secret(PASSWORD), mail_from="", rcpt_to=[], data=b"private"
        )
        assert PASSWORD not in repr(request)
        assert "private" not in repr(attrs.evolve(request, username="ada"))
