"""The sandbox's SMTP port: it takes whatever it is given, for whoever logs in as whoever."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

from mailcore.exceptions import MailcoreError
from mailcore.sandbox._sandbox import Sandbox

__all__ = ["SmtpDoor"]

MAX_SIZE = 64 * 1024 * 1024


class SmtpDoor:
    """Take mail by SMTP from a port that is listened on, in an event loop."""

    def __init__(self, sandbox: Sandbox, port: socket.socket) -> None:
        self._handler = _Handler(sandbox)
        self._port = port
        logging.getLogger("mail.log").setLevel(logging.ERROR)  # the library warns of its own attributes
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to take mail."""
        self._server = await asyncio.get_running_loop().create_server(self._dialogue, sock=self._port)

    def close(self) -> None:
        """Stop."""
        if self._server is not None:
            self._server.close()

    def _dialogue(self) -> SMTP:
        return _Dialogue(
            self._handler,
            hostname="localhost",
            ident="mailcore sandbox",
            data_size_limit=MAX_SIZE,
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=lambda *_: AuthResult(success=True),
        )


class _Dialogue(SMTP):
    # A line that is too long for others is a hint on the page: whoever sends it wants to see what came of it.
    line_length_limit = MAX_SIZE


class _Handler:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # reason: the library's name
        """Keep one mail."""
        sender, recipients = envelope.mail_from or "", envelope.rcpt_tos
        try:
            mail = await asyncio.to_thread(self._sandbox.take, sender, recipients, envelope.content)
        except MailcoreError as error:
            return f"452 4.3.1 {error}"
        return f"250 2.0.0 Kept as mail {mail.id}"
