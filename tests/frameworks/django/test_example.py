"""The example project runs, and is driven over HTTP as a customer and a provider drive it."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from mailcore import EndpointKind
from mailcore.sandbox import LocalProvider

pytestmark = pytest.mark.loopback

MANAGE = Path(__file__).parents[3] / "examples" / "django_project" / "manage.py"
MAIL = b"From: bob@example.net\r\nTo: shop@example.com\r\nSubject: Where?\r\n\r\nBob\r\n"


def command(*arguments: str) -> list[str]:
    """Return a command of the project's."""
    return [sys.executable, "-W", "error", str(MANAGE), *arguments]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Give the environment of a project with a database of its own."""
    return {**os.environ, "SHOP_DATABASE": str(tmp_path / "shop.sqlite3"), "PYTHONUNBUFFERED": "1"}


def test_demo(environment: dict[str, str]) -> None:
    """One command shows the whole way of a mail."""
    done = subprocess.run(command("demo"), env=environment, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.splitlines() == [
        "ordered: Order 1, confirmation waiting",
        "1 sent",
        "confirmed: Order 1, confirmation sent",
        "webhooks answered with 200, 200, 200",
        "followed: Order 1, confirmation delivered",
        "question from bob@example.net: Where is my tea?",
    ]


def run(environment: dict[str, str], *arguments: str) -> str:
    """Run a command of the project's and return what it says."""
    done = subprocess.run(command(*arguments), env=environment, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


@pytest.fixture
def local(environment: dict[str, str]) -> Iterator[LocalProvider]:
    """Give a MailPace that the project's environment names."""
    with LocalProvider("mailpace") as local:
        for name, value in local.settings.items():
            environment[f"MAILPACE_{name.upper()}"] = str(value)
        yield local


@pytest.fixture
def url(environment: dict[str, str], local: LocalProvider) -> Iterator[str]:
    """Serve the project, and give its address."""
    run(environment, "migrate")
    serving = command("runserver", "--noreload", "127.0.0.1:0")
    with subprocess.Popen(serving, env=environment, stdout=-1, stderr=-3, text=True) as server:
        assert server.stdout is not None
        said = iter(server.stdout)
        found = next(filter(None, (re.search(r"http://127.0.0.1:\d+", line) for line in said)))
        yield found[0]
        server.kill()


def post(url: str, body: object, headers: Iterable[tuple[str, object]] = ()) -> tuple[int, bytes]:
    """Make a request and return status and body."""
    assert isinstance(body, bytes)
    told = {name: str(value) for name, value in headers}
    request = urllib.request.Request(url, body, told)  # noqa: S310  # reason: our own
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310  # reason: the same
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_served(url: str, local: LocalProvider, environment: dict[str, str]) -> None:
    """An order is confirmed once; webhooks about it are received, and each is handled once."""
    assert post(f"{url}/order/", urlencode({"email": "bob@example.net"}).encode()) == (201, b"1\n")
    for kind in EndpointKind:
        local.emulator.subscribe(kind, f"{url}/mail/mailpace/{kind.value}/")
    assert run(environment, "sendmailcoreoutbox") == "1 sent\n"
    local.emulator.act("1", "delivered", datetime.now(UTC))
    local.emulator.receive(MAIL, datetime.now(UTC))
    made = local.deliver()
    assert [one.status for one in made] == [200, 200, 200]
    again = [post(one.request.url, one.request.body, one.request.headers)[0] for one in made]
    assert again == [200, 200, 200]
    assert post(f"{url}/mail/mailpace/inbound/", b"{}")[0] == 401
    with closing(sqlite3.connect(environment["SHOP_DATABASE"])) as database:
        orders = database.execute("SELECT confirmation, message_id FROM shop_order").fetchall()
        questions = database.execute("SELECT sender, subject FROM shop_question").fetchall()
    assert (orders, questions) == ([("delivered", "1")], [("bob@example.net", "Where?")])
