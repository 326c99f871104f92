"""What is said to an SMTP server, and what its answers lead to; it opens no socket (RFC 5321).

Rule 1: encryption that is asked for comes first. Where it cannot be had, nothing else is said.
Rule 2: mail can leave from the last bytes of its content on, and not before.
Rule 3: a server that speaks out of turn is not listened to: its next answer would be taken for another's.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

import attrs

from mailcore._http import SmtpRequest, SmtpResponse
from mailcore._secret import Secret
from mailcore._transport import Phase, TransportFailure
from mailcore.transports._smtp_content import Content
from mailcore.transports._smtp_envelope import Envelope, line, server
from mailcore.transports._smtp_replies import BadReply, Replies, Reply

__all__ = ["Dialogue", "Open", "Piece", "Receive", "Send", "Step"]

T = TypeVar("T")

#: Seconds a server that has answered for the mail may take to say goodbye.
GOODBYE = 1.0

_WHERE = {
    Phase.CONNECTING: (
        "{host} was not offered the mail; nothing was sent ({why}). Check the network, and the settings "
        "`host`, `port` and `security`."
    ),
    Phase.SENDING: "{host} was not given the whole mail, so it was not accepted ({why}).",
    Phase.SENT: "The whole mail was sent to {host}, but no answer came ({why}).",
    Phase.RECEIVING: "The whole mail was sent to {host}, and its answer cannot be read ({why}).",
}


#: How a connection breaks; ValueError is a host name that cannot be one.
_BROKEN = (OSError, EOFError, ValueError, BadReply)


@attrs.frozen
class Open:
    """Connect; answered with the address of this end."""

    host: str
    port: int


@attrs.frozen
class Send:
    """Send these bytes."""

    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")


@attrs.frozen
class Receive:
    """Wait for bytes; answered with what came, or nothing where the server closed."""

    at_most: float | None = None


@attrs.frozen
class Piece:
    """Make the next piece of a mail, which may mean to read a file; answered with None after the last."""

    pieces: Iterator[bytes]


Step: TypeAlias = Open | Send | Receive | Piece
Steps: TypeAlias = Generator[Step, Any, T]


class _Ended(Exception):
    """The transaction is over: this is the last word."""

    def __init__(self, response: SmtpResponse) -> None:
        self.response = response


class Dialogue:
    """
    One transaction.

    Args:
        context: Whom to trust; asked for only where the connection is encrypted.

    Attributes:
        phase: How far it got.

    Raises:
        ProtocolBug: The request holds something that no server can be told.
    """

    def __init__(self, request: SmtpRequest, context: Any) -> None:
        self.phase = Phase.CONNECTING
        self._request = request
        self._context = context
        self._host, self._port = server(request.server)
        self._envelope = Envelope(request)
        self._replies = Replies()
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()

    def steps(self) -> Steps[SmtpResponse]:
        """
        Hold the dialogue; ends in the server's last word.

        Raises:
            TransportFailure: There is none.
        """
        try:
            response = yield from self._transaction()
        except _BROKEN as error:
            raise self._failure(error) from None
        with suppress(*_BROKEN):  # what it says now changes nothing
            yield from self._send(b"QUIT\r\n")
            yield from self._reply(GOODBYE)
        return response

    def _transaction(self) -> Steps[SmtpResponse]:
        try:
            offered = yield from self._introduction()
            yield from self._login(offered)
            return (yield from self._mail(offered))
        except _Ended as ended:
            return ended.response

    # Connection ---------------------------------------------------------------------------------

    def _introduction(self) -> Steps[dict[str, str]]:
        here = yield Open(self._host, self._port)
        name = self._request.client_name or (f"[IPv6:{here}]" if ":" in here else f"[{here}]")
        if self._request.security == "tls":
            yield from self._encrypt()
        greeting = yield from self._reply()
        self._require(greeting, "CONNECT", greeting.code == 220)
        offered = yield from self._hello(name)
        if self._request.security == "starttls":
            if "STARTTLS" not in offered:
                raise self._untrusted("it does not offer STARTTLS")
            yield from self._command("STARTTLS")
            yield from self._encrypt()
            offered = yield from self._hello(name)  # what was said in the clear is forgotten (RFC 3207, 4.2)
        self._require_offered(offered)
        return offered

    def _hello(self, name: str) -> Steps[dict[str, str]]:
        reply = yield from self._command("EHLO", line(f"EHLO {name}"))
        self._hello_reply = reply
        rows = [line.partition(" ") for line in reply.lines[1:]]
        return {name.upper(): values for name, _, values in rows}

    def _require_offered(self, offered: dict[str, str]) -> None:
        for name in self._envelope.extensions:
            if name not in offered:
                raise self._lacking(name)

    def _lacking(self, name: str) -> _Ended:
        reply = self._hello_reply
        return _Ended(SmtpResponse(code=reply.code, text=reply.text, command="EHLO", lacks=name))

    def _encrypt(self) -> Steps[None]:
        if not self._replies.is_empty:  # said in the clear, perhaps by somebody else
            raise self._untrusted("it spoke before the connection was encrypted")
        tls = self._context().wrap_bio(self._incoming, self._outgoing, server_hostname=self._host)
        while not (yield from self._shaken(tls)):
            data = yield Receive()
            self._incoming.write(data) if data else self._incoming.write_eof()
        self._tls = tls

    def _shaken(self, tls: ssl.SSLObject) -> Steps[bool]:
        """Go on with the handshake, and return whether it is done."""
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            done = False
        except ssl.SSLEOFError:
            raise EOFError from None
        except ssl.SSLError as error:
            raise self._untrusted(type(error).__name__) from None
        else:
            done = True
        yield from self._flush()
        return done

    # Login --------------------------------------------------------------------------------------

    def _login(self, offered: dict[str, str]) -> Steps[None]:
        user, password = self._request.username, self._request.password
        if password is None:
            return
        mechanisms = offered.get("AUTH", "").upper().split()
        if "PLAIN" in mechanisms:
            reply = yield from self._said(password.as_plain(user), before="AUTH PLAIN ")
        elif "LOGIN" in mechanisms:
            reply = yield from self._said(b64encode(user.encode()).decode(), before="AUTH LOGIN ")
            if reply.code == 334:
                reply = yield from self._said(password.as_login())
        else:
            raise self._lacking("AUTH")
        self._require(reply, "AUTH", reply.code == 235)

    def _said(self, text: str | Secret, *, before: str = "") -> Steps[Reply]:
        shown = text.reveal() if isinstance(text, Secret) else text
        return (yield from self._exchange(f"{before}{shown}\r\n".encode()))

    # Mail ---------------------------------------------------------------------------------------

    def _mail(self, offered: dict[str, str]) -> Steps[SmtpResponse]:
        self.phase = Phase.SENDING
        yield from self._command("MAIL", self._envelope.sender(offered))
        refused, reply = yield from self._recipients()
        if len(refused) == len(self._request.rcpt_to):
            raise _Ended(_response(reply, "RCPT", refused))
        reply = yield from self._exchange(b"DATA\r\n")
        self._require(reply, "DATA", reply.code == 354, refused)
        reply = yield from self._content()
        return _response(reply, ".", refused)

    def _recipients(self) -> Steps[tuple[dict[str, tuple[int, str]], Reply]]:
        refused: dict[str, tuple[int, str]] = {}
        for address, command in self._envelope.recipients:
            reply = yield from self._exchange(command)
            if reply.code // 100 != 2:
                refused[address] = (reply.code, reply.text)
            self._require(reply, "RCPT", reply.code != 421, refused)  # it hangs up
        return refused, reply

    def _content(self) -> Steps[Reply]:
        content = Content(self._request.data)
        pieces = iter(content)
        while (piece := (yield Piece(pieces))) is not None:
            yield from self._send(piece)
        self._require_silence()
        self.phase = Phase.SENT
        yield from self._send(content.end)
        return (yield from self._reply())

    # Words --------------------------------------------------------------------------------------

    def _command(self, name: str, said: bytes = b"") -> Steps[Reply]:
        """Say a command, and end the transaction where the answer is no yes."""
        reply = yield from self._exchange(said or line(name))
        self._require(reply, name, reply.code // 100 == 2)
        return reply

    def _require(
        self, reply: Reply, command: str, holds: object, refused: dict[str, tuple[int, str]] | None = None
    ) -> None:
        if not holds:
            raise _Ended(_response(reply, command, refused))

    def _exchange(self, command: bytes) -> Steps[Reply]:
        self._require_silence()
        yield from self._send(command)
        return (yield from self._reply())

    def _require_silence(self) -> None:
        if not self._replies.is_empty:
            raise BadReply("it spoke out of turn")

    def _reply(self, at_most: float | None = None) -> Steps[Reply]:
        while (reply := self._replies.next()) is None:
            data = yield from self._received(at_most)
            if not data:
                raise EOFError
            if self.phase is Phase.SENT:
                self.phase = Phase.RECEIVING
            self._replies.feed(data)
        return reply

    # Bytes --------------------------------------------------------------------------------------

    def _send(self, data: bytes) -> Steps[None]:
        if self._tls is None:
            yield Send(data)
        else:
            self._tls.write(data)
            yield from self._flush()

    def _flush(self) -> Steps[None]:
        if data := self._outgoing.read():
            yield Send(data)

    def _received(self, at_most: float | None) -> Steps[bytes]:
        while True:
            if self._tls is not None:
                try:
                    return self._tls.read(64 * 1024)
                except ssl.SSLWantReadError:
                    yield from self._flush()
                except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                    return b""
            data: bytes = yield Receive(at_most)
            if self._tls is None:
                return data
            self._incoming.write(data) if data else self._incoming.write_eof()

    # What went wrong ----------------------------------------------------------------------------

    def _failure(self, error: Exception) -> TransportFailure:
        if isinstance(error, TimeoutError):
            why = "timeout"
        elif isinstance(error, EOFError):
            why = "it closed the connection"
        else:
            why = str(error) if isinstance(error, BadReply) else type(error).__name__
        return TransportFailure(self.phase, _WHERE[self.phase].format(host=self._host, why=why))

    def _untrusted(self, why: str) -> TransportFailure:
        text = (
            f"The connection to {self._host} cannot be encrypted as the setting `security` asks; nothing was "
            f"sent ({why}). Check `host`, `port`, `security` and `ca_bundle`, and this machine's clock."
        )
        return TransportFailure(self.phase, text, untrusted=True)


def _response(reply: Reply, command: str, refused: dict[str, tuple[int, str]] | None = None) -> SmtpResponse:
    return SmtpResponse(code=reply.code, text=reply.text, command=command, refused=refused or {})
