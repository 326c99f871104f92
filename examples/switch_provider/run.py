"""
Try it on this machine: six local providers, and one program that sends through each of them.

    python examples/switch_provider/run.py

Between one run of `send.py` and the next, only MAILCORE_CONFIG changes. The providers are the emulators of
the adapters, and for SMTP the mail server aiosmtpd. It needs aiosmtpd and every adapter: see
examples/README.md.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from mailcore.sandbox import LocalProvider

HERE = Path(__file__).resolve().parent
EMULATED = ("amazon-ses", "mailgun", "mailpace", "postmark", "resend")


class Mailbox:
    """Keep what a mail server takes."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # reason: aiosmtpd's name
        """Take a mail."""
        self.sent.append(envelope.content)
        return "250 2.0.0 Taken"


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@contextmanager
def mail_server() -> Iterator[tuple[Mailbox, dict[str, Any]]]:
    """Run a mail server, and return what it takes and how to reach it."""
    mailbox = Mailbox()
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port(), enable_SMTPUTF8=True)
    server.start()
    try:
        yield mailbox, {"host": server.hostname, "port": server.port, "security": "plain"}
    finally:
        server.stop()


def variables(provider: str, settings: dict[str, Any]) -> dict[str, str]:
    """Return the environment of a provider's settings; of each spelling the one that wins over yours."""
    prefix = f"MAILCORE_{provider.replace('-', '_').upper()}"
    return {f"{prefix}_{name.upper()}": str(value) for name, value in settings.items() if name != "provider"}


def main() -> None:
    """Send through each, and count what arrived there."""
    environment = dict(os.environ)
    boxes: dict[str, Any] = {}
    with ExitStack() as stack:
        for name in EMULATED:
            local = stack.enter_context(LocalProvider(name))
            environment |= variables(name, dict(local.settings))
            boxes[name] = local.emulator
        boxes["smtp"], settings = stack.enter_context(mail_server())
        environment |= variables("smtp", settings)

        for when in ("now", "tomorrow"):
            print(f"--- {when}", flush=True)
            for name in boxes:
                environment["MAILCORE_CONFIG"] = str(HERE / f"{name}.toml")
                subprocess.run([sys.executable, str(HERE / "send.py"), when], env=environment, check=False)
        print("--- arrived")
        print(*(f"{name}: {len(box.sent)}" for name, box in boxes.items()), sep="\n")


if __name__ == "__main__":
    main()
