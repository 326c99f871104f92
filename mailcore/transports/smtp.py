"""Carries mail over SMTP, with the standard library alone.

Rule 1: what is said is the dialogue's; here is only what it takes to say it, blocking and in an event loop.
Rule 2: one connection for one mail, so that no answer can be another mail's.
Rule 3: nothing from the environment; connect, read and total time are bounded.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from mailcore._http import SmtpRequest, SmtpResponse
from mailcore._settings import Settings
from mailcore._steps import drive, drive_async
from mailcore._transport import Deadline
from mailcore.exceptions import ConfigurationError
from mailcore.transports._smtp_dialogue import Dialogue, Open, Piece, Receive, Send, Step
from mailcore.transports._trust import Trust

__all__ = ["AsyncSmtpTransport", "SmtpTransport"]

#: Most bytes that are read at once.
ONE_READ = 64 * 1024


class _Connection:
    """What both kinds of connection know: their socket, and how long a step may take."""

    def __init__(self, settings: Settings, deadline: Deadline) -> None:
        self._settings = settings
        self._deadline = deadline
        self._socket: socket.socket | None = None

    def _seconds(self, step: Step) -> float:
        """Return how long a step may take; raise `TimeoutError` where no time is left."""
        patience = self._settings.connect_timeout if isinstance(step, Open) else self._settings.read_timeout
        asked = step.at_most if isinstance(step, Receive) else None
        left = min(patience, self._deadline.remaining(), patience if asked is None else asked)
        if left <= 0:
            raise TimeoutError
        return left

    @property
    def _sock(self) -> socket.socket:
        if self._socket is None:
            raise RuntimeError("The dialogue begins with Open.")
        return self._socket

    def close(self) -> None:
        """Drop the connection, whatever its state."""
        if self._socket is not None:
            self._socket.close()


class _Blocking(_Connection):
    def carry_out(self, step: Step) -> Any:
        if isinstance(step, Piece):
            return next(step.pieces, None)
        seconds = self._seconds(step)
        if isinstance(step, Open):
            return self._open(step, Deadline(seconds))
        self._sock.settimeout(seconds)
        return self._sock.sendall(step.data) if isinstance(step, Send) else self._sock.recv(ONE_READ)

    def _open(self, step: Open, until: Deadline) -> str:
        """Try each address of the host, all of them within the time to connect."""
        refused = OSError()
        # The look-up itself takes as long as the system's resolver does: nothing can interrupt it.
        for family, kind, proto, _, address in socket.getaddrinfo(
            step.host, step.port, type=socket.SOCK_STREAM
        ):
            self.close()
            self._socket = _made(family, kind, proto)
            self._sock.settimeout(max(until.remaining(), 0.001))
            try:
                self._sock.connect(address)
            except OSError as error:
                refused = error
            else:
                return _address(self._sock)
        raise refused


class _Looped(_Connection):
    async def carry_out(self, step: Step) -> Any:
        if isinstance(step, Piece):
            return await asyncio.to_thread(next, step.pieces, None)
        async with asyncio.timeout(self._seconds(step)):
            loop = asyncio.get_running_loop()
            if isinstance(step, Open):
                return await self._open(step, loop)
            if isinstance(step, Send):
                return await loop.sock_sendall(self._sock, step.data)
            return await loop.sock_recv(self._sock, ONE_READ)

    async def _open(self, step: Open, loop: asyncio.AbstractEventLoop) -> str:
        refused = OSError()
        for family, kind, proto, _, address in await loop.getaddrinfo(
            step.host, step.port, type=socket.SOCK_STREAM
        ):
            self.close()
            self._socket = _made(family, kind, proto)
            self._socket.settimeout(0)
            try:
                await loop.sock_connect(self._socket, address)
            except OSError as error:
                refused = error
            else:
                return _address(self._socket)
        raise refused


def _made(family: int, kind: int, proto: int) -> socket.socket:
    sock = socket.socket(family, kind, proto)
    # The end of a mail must not wait until the server has confirmed the rest of it.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _address(sock: socket.socket) -> str:
    return str(sock.getsockname()[0]).partition("%")[0]  # without the name of an interface


class _Base:
    handles = SmtpRequest

    def __init__(self, settings: Settings, *, user_agent: str = "mailcore") -> None:
        if settings.proxy is not None:
            raise ConfigurationError("SMTP goes through no proxy. Leave out the setting proxy.")
        self._settings = settings
        self._trust = Trust(settings.ca_bundle)

    def _dialogue(self, request: SmtpRequest) -> Dialogue:
        return Dialogue(request, self._trust.context)


class SmtpTransport(_Base):
    """Carry `SmtpRequest`s; safe to share between threads and across fork."""

    def exchange(self, request: SmtpRequest, *, deadline: Deadline) -> SmtpResponse:
        """
        Return the server's last word, whatever it is.

        Raises:
            ConfigurationError: `server` is not of the form `host:port`, or `ca_bundle` holds no certificate.
            ProtocolBug: The request holds something that no server can be told.
            TransportFailure: The dialogue did not get to its end.
        """
        dialogue = self._dialogue(request)
        connection = _Blocking(self._settings, deadline)
        try:
            return drive(dialogue.steps(), connection.carry_out)
        except BaseException as error:  # noqa: BLE001  # reason: raised again below
            wrong = error
        finally:
            connection.close()
        raise _without_frames(wrong)

    def close(self) -> None:
        """Do nothing: each mail's connection is closed when its transaction is over."""


class AsyncSmtpTransport(_Base):
    """Carry `SmtpRequest`s in an event loop."""

    async def exchange(self, request: SmtpRequest, *, deadline: Deadline) -> SmtpResponse:
        """Do what `SmtpTransport.exchange` does, and wait for it."""
        dialogue = self._dialogue(request)
        connection = _Looped(self._settings, deadline)
        try:
            return await drive_async(dialogue.steps(), connection.carry_out)
        except BaseException as error:  # noqa: BLE001  # reason: raised again below
            wrong = error
        finally:
            connection.close()
        raise _without_frames(wrong)

    async def close(self) -> None:
        """Do nothing: each mail's connection is closed when its transaction is over."""


def _without_frames(error: BaseException) -> BaseException:
    """Return an error without what it was raised in: those frames may hold the password."""
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)
