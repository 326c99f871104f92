"""What the adapter's tests share: a host with SMTP alone, and mail servers in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trustme

import mailcore_smtp
from mailcore import Mailer, PluginHost

PASSWORD = "correct-horse-battery"
SCRIPT = Path(__file__).with_name("mail_server.py")


@pytest.fixture(scope="session")
def host() -> PluginHost:
    """Return a host that knows SMTP and nothing that happens to be installed."""
    host = PluginHost({"smtp": mailcore_smtp}, installed=False)
    assert not host.problems
    return host


@attrs.frozen(kw_only=True)
class Server:
    """
    A mail server.

    Attributes:
        config: What a mailer needs to send through it.
    """

    config: dict[str, Any]
    folder: Path

    @property
    def mails(self) -> list[dict[str, Any]]:
        """The mails it took, oldest first."""
        paths = sorted(self.folder.glob("*.json"), key=lambda path: int(path.stem))
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def _served(folder: Path, security: str) -> Iterator[Server]:
    authority, certificate = trustme.CA(), folder / "certificate.pem"
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), str(certificate), str(folder), security],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        config = {
            "provider": "smtp",
            "host": "127.0.0.1",
            "port": port,
            "security": security,
            "username": "ada",
            "password": PASSWORD,
            "ca_bundle": str(folder / "authority.pem"),
            "max_attempts": 1,
        }
        yield Server(config=config, folder=folder)
        process.terminate()


@pytest.fixture(scope="session")
def starttls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that wants STARTTLS."""
    yield from _served(tmp_path_factory.mktemp("starttls"), "starttls")


@pytest.fixture(scope="session")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that speaks TLS from the first byte on."""
    yield from _served(tmp_path_factory.mktemp("tls"), "tls")


@pytest.fixture(scope="session")
def make_mailer(host: PluginHost) -> Callable[..., Mailer]:
    """Return a function that makes a mailer with that transport, and none of the environment."""

    def make(transport: Any, **config: Any) -> Mailer:
        usual = {"provider": "smtp", "host": "mail.example.com", "username": "ada", "password": PASSWORD}
        settings = {**usual, "max_attempts": 1, **config}
        return Mailer.from_config(settings, environ={}, host=host, transport=transport)

    return make
