"""The example of a webhook server works."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailcore import EndpointKind, Mailer, Message
from mailcore.sandbox import LocalProvider

pytestmark = pytest.mark.loopback


@pytest.fixture
def local() -> Iterator[LocalProvider]:
    """Return a local MailPace."""
    with LocalProvider("mailpace") as local:
        yield local


@pytest.fixture
def server(root: Path, local: LocalProvider) -> Iterator[subprocess.Popen[str]]:
    """Start the example on a free port."""
    command = [sys.executable, str(root / "examples" / "webhook_server.py"), "0"]
    environment = {**os.environ, "MAILPACE_WEBHOOK_KEY": local.settings["webhook_key"]}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        yield process
        process.kill()


def line(server: subprocess.Popen[str]) -> str:
    """Return the next line the example prints."""
    assert server.stdout is not None
    return server.stdout.readline().strip()


def test_events_and_mail_arrive(local: LocalProvider, server: subprocess.Popen[str]) -> None:
    """What the provider delivers is verified, printed and acknowledged."""
    url = line(server)
    local.emulator.subscribe(EndpointKind.TRACKING, f"{url}/webhooks/tracking")
    local.emulator.subscribe(EndpointKind.INBOUND, f"{url}/webhooks/inbound")
    with Mailer.from_config(local.settings) as mailer:
        mailer.send(Message(from_="ada@example.com", to="bob@example.com", text="Hello"))
    local.emulator.receive(b"From: bob@example.net\r\nSubject: Hi\r\n\r\nHello\r\n", datetime.now(UTC))

    assert [made.status for made in local.deliver()] == [200, 200]
    assert [line(server), line(server)] == ["event queued 1", "mail Hi []"]


@pytest.mark.parametrize("path, status", [("webhooks/tracking", 401), ("elsewhere", 404)])
def test_others_are_refused(server: subprocess.Popen[str], path: str, status: int) -> None:
    """What nobody signed, or came to another address, is answered with an error."""
    request = urllib.request.Request(f"{line(server)}/{path}", data=b"{}")  # noqa: S310  # reason: our own
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)  # noqa: S310  # reason: the same
    with caught.value as answer:
        assert status == answer.code


@pytest.mark.parametrize("path, status", [("webhooks/tracking", 200), ("elsewhere", 404)])
def test_endpoint_can_be_probed(server: subprocess.Popen[str], path: str, status: int) -> None:
    """A HEAD request is told whether the endpoint is there, in headers alone."""
    connection = http.client.HTTPConnection(line(server).removeprefix("http://"), timeout=10)
    connection.request("HEAD", f"/{path}")
    answer = connection.getresponse()
    assert (status, b"") == (answer.status, answer.read())
    connection.close()


def test_missing_key_is_said_in_words(root: Path) -> None:
    """Who starts the example without a key is told which one, and shown no traceback."""
    command = [sys.executable, str(root / "examples" / "webhook_server.py"), "0"]
    environment = {name: value for name, value in os.environ.items() if "MAIL" not in name}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "MAILPACE_WEBHOOK_KEY" in done.stderr
    assert "Traceback" not in done.stderr
