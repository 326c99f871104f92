"""
A mail server in a process of its own: aiosmtpd, with TLS and a login.

    python mail_server.py CERTIFICATE FOLDER starttls|tls

It prints its port, and writes each mail that it takes into the folder. What is before the `@` of a recipient
says what becomes of that recipient, or of the mail.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import warnings
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

LOGIN = (b"ada", b"correct-horse-battery")
REFUSED = {
    "nobody": "550 5.1.1 No such mailbox",
    "strange": "553 5.1.3 Not a mailbox name",
    "later": "450 4.2.0 Greylisted, come back later",
    "closing": "421 4.3.2 Closing",
}
ANSWERS = {
    "spam": "554 5.7.1 Spam",
    "large": "552 5.3.4 Too large",
    "busy": "451 4.3.0 Not now",
    "riddle": "354 Is it?",
}


class Handler:
    """Take mail, or do not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802  # reason: aiosmtpd's name
        """Answer for one recipient."""
        local = address.partition("@")[0]
        if local == "cut":
            server.transport.abort()
        if local in REFUSED:
            return REFUSED[local]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # reason: aiosmtpd's name
        """Answer for a whole mail."""
        local = envelope.rcpt_tos[0].partition("@")[0]
        if local in ANSWERS:
            return ANSWERS[local]
        self._number += 1
        kept = {
            "mail_from": envelope.mail_from,
            "rcpt_to": envelope.rcpt_tos,
            "options": envelope.mail_options,
            "content": envelope.content.decode(),
            "encrypted": session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None,
            "client": session.host_name,
        }
        (self._folder / f"{self._number}.json").write_text(json.dumps(kept), encoding="utf-8")
        if local == "lost":
            server.transport.abort()
        return f"250 2.0.0 Queued as {self._number}"


def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    """Let one account in."""
    return AuthResult(success=(data.login, data.password) == LOGIN, handled=False)


async def main(certificate: str, folder: str, security: str) -> None:
    """Serve until the process is ended."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    handler = Handler(Path(folder))

    def made() -> SMTP:
        return SMTP(
            handler,
            hostname="mail.example.com",
            enable_SMTPUTF8=True,
            data_size_limit=1024 * 1024,
            tls_context=context if security == "starttls" else None,
            require_starttls=security == "starttls",
            authenticator=authenticate,
            auth_required=True,
            auth_require_tls=security == "starttls",
        )

    loop = asyncio.get_running_loop()
    tls = context if security == "tls" else None
    server = await loop.create_server(made, "127.0.0.1", 0, ssl=tls)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of aiosmtpd: its own business
    asyncio.run(main(*sys.argv[1:]))
