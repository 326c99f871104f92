"""The examples of web applications work: each is started as its page says, and driven over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.loopback

EXAMPLES = ["wsgi_app", "flask_app", "fastapi_app"]


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest, root: Path) -> Path:
    """Return one example after the other."""
    return root / "examples" / request.param / "app.py"


@pytest.fixture
def process(example: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the example on a free port."""
    command = [sys.executable, str(example), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        yield process
        process.kill()


def line(process: subprocess.Popen[str]) -> str:
    """Return the next line the example prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ask(url: str, body: bytes | None = None) -> str:
    """Return what a GET, or with a body a POST, is answered."""
    with urllib.request.urlopen(url, body, timeout=30) as answer:  # noqa: S310  # reason: our own
        found: str = answer.read().decode()
        return found


def test_sends_and_receives(process: subprocess.Popen[str]) -> None:
    """A mail goes out, its signed webhook comes in, for the first one and for mine."""
    url = line(process)
    assert line(process) == "tracking webhook, answered with 200"
    assert json.loads(ask(f"{url}/came")) == ["event queued 1"]

    assert ask(f"{url}/welcome", b"to=bob@example.net").strip('"') == "2"
    assert line(process) == "tracking webhook, answered with 200"
    assert json.loads(ask(f"{url}/came"))[-1] == "event queued 2"
    refuses(url)


def refuses(url: str) -> None:
    """See that what nobody signed, or has another address, is an error; a probe is told what is there."""
    for path, status in (("tracking/", 401), ("inbound", 401), ("sideways", 404)):
        with pytest.raises(urllib.error.HTTPError) as caught:
            ask(f"{url}/mail/mailpace/{path}", b"{}")
        with caught.value as answer:
            assert answer.code == status
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    connection.request("HEAD", "/mail/mailpace/tracking/")
    assert (connection.getresponse().status, connection.close()) == (200, None)


def test_port_in_use(example: Path) -> None:
    """It ends with one line, which says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, str(example), str(port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Port {port}: Address already in use")
    assert line.endswith(f". Give another: python {example} 8001")


def test_does_not_start_without_settings(example: Path) -> None:
    """In earnest it takes its settings from the environment, and says so where there are none."""
    environment = {name: value for name, value in os.environ.items() if "MAIL" not in name}
    command = [sys.executable, "-c", "from app import create_app; create_app()"]
    done = subprocess.run(
        command, cwd=example.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Set MAILCORE_CONFIG to a TOML file, or MAILCORE_URL" in done.stderr
