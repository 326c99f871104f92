"""The servers of a sandbox: HTTP, and SMTP beside it."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
import threading
from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from mailcore._closing import Closing
from mailcore._spec import AdapterSpec
from mailcore.exceptions import ConfigurationError
from mailcore.sandbox._mailbox import MOST
from mailcore.sandbox._port import listening
from mailcore.sandbox._sandbox import Sandbox
from mailcore.sandbox._smtp_door import SmtpDoor
from mailcore.sandbox.web._app import application
from mailcore.sandbox.web._to_paste import settings_of

__all__ = ["SandboxServer"]

LOOPBACK = "127.0.0.1"
NAMES = ("127.0.0.1", "localhost", "[::1]")


class SandboxServer(Closing):
    """
    Serve a sandbox until closed; also a context manager.

    Args:
        specs: Adapters; those without an emulator are left out.
        port: For HTTP; 0: any free one.
        smtp_port: For SMTP; 0: any free one.
        host: The address to listen on.
        allow_hosts: Names it may be asked by besides those of this machine.
        token: What changes need; empty: a random one.
        tls: Files of a certificate and of its key, for https; None: http.
        file: Where mail is kept; None: in memory.
        webhook_url: Where webhooks go; empty: nowhere.
        strict: Whether only the printed keys and senders at example.com are good.
        most: How many mails are kept.

    Attributes:
        url: Where the page is, without a slash at the end.
        settings: What selects each provider, and the SMTP port, for `Mailer.from_config`.

    Raises:
        MailcoreError: A port or the file cannot be used.
    """

    def __init__(
        self,
        specs: Iterable[AdapterSpec],
        *,
        port: int = 0,
        smtp_port: int = 0,
        host: str = LOOPBACK,
        allow_hosts: Iterable[str] = (),
        token: str = "",
        tls: tuple[Path, Path] | None = None,
        file: Path | None = None,
        webhook_url: str = "",
        strict: bool = False,
        most: int = MOST,
    ) -> None:
        self.token = token or secrets.token_urlsafe(16)
        with ExitStack() as stack:
            web = stack.enter_context(closing(listening(host, port, option="--port")))
            smtp = stack.enter_context(closing(listening(host, smtp_port, option="--smtp-port")))
            self.host, self.port, self.smtp_port = host, web.getsockname()[1], smtp.getsockname()[1]
            name = _name(host)
            self.url = f"{'https' if tls else 'http'}://{name}:{self.port}"
            _check(tls)
            self.sandbox = Sandbox(
                specs, self.url, file=file, webhook_url=webhook_url, strict=strict, most=most
            )
            stack.pop_all()  # from here on they are the server's
        self.settings = settings_of(self.sandbox, host=name.strip("[]"), smtp_port=self.smtp_port)
        hosts = (*NAMES, name, *allow_hosts)
        app = application(self.sandbox, hosts=hosts, token=self.token, settings=self.settings)
        self._server = _Server(app, SmtpDoor(self.sandbox, smtp), tls)
        self._thread = threading.Thread(target=self._server.run, args=([web],), daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until the server ends, which it does not by itself."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def close(self) -> None:
        """Stop serving, and close the mailbox."""
        self._server.stop()
        self._thread.join()
        self.sandbox.close()


class _Server(uvicorn.Server):
    """A server in a thread, which ends even while a page listens for changes."""

    def __init__(self, app: Any, door: SmtpDoor, tls: tuple[Path, Path] | None) -> None:
        self._door = door
        certificate, key = tls or (None, None)
        config = uvicorn.Config(
            app,
            http=_Connection,
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
        super().__init__(config)
        self._begun = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the door for SMTP too, and say that it has begun."""
        await super().startup(sockets)
        await self._door.open()
        self._loop = asyncio.get_running_loop()
        self._begun.set()

    def stop(self) -> None:
        """End, once what is being answered is answered."""
        self._begun.wait(10)
        self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._door.close()
        self.lifespan.state["closing"].set()
        self.should_exit = True


def _name(host: str) -> str:
    """Return what a browser calls an address."""
    if host in ("0.0.0.0", "::"):  # noqa: S104  # reason: compared, not listened on
        return LOOPBACK
    return f"[{host}]" if ":" in host else host


def _check(tls: tuple[Path, Path] | None) -> None:
    """Read a certificate and its key once, where somebody is told what is wrong with them."""
    if tls is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*tls, password="")
        except (OSError, ValueError) as error:
            words = getattr(error, "strerror", None) or error
            raise ConfigurationError(
                f"The certificate {tls[0]} with {tls[1]} cannot be used: {words}."
            ) from None


class _Connection(H11Protocol):
    """A connection that the application can find, to close it without an answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # reason: the library's own
        """Be found by where it comes from."""
        super().connection_made(transport)
        self.app_state["connections"][self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Be found no more."""
        super().connection_lost(exc)
        self.app_state["connections"].pop(self.client, None)
