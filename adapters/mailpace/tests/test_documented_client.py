"""
The clients that MailPace's page shows take the emulator for MailPace.

MailPace has no library for Python; for it and for shells the page has requests and curl:
https://docs.mailpace.com/overview/firstEmail
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator

import pytest
import requests

from mailcore.sandbox import LocalProvider

pytestmark = pytest.mark.loopback
MAIL = {"from": "ada@example.com", "to": "bob@example.com", "subject": "Hi", "textbody": "Hello"}


@pytest.fixture
def local() -> Iterator[LocalProvider]:
    """Return the emulator, served."""
    with LocalProvider("mailpace") as local:
        yield local


def headers(token: str) -> dict[str, str]:
    """Return the headers of the page's examples."""
    return {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "MailPace-Server-Token": token,
    }


def test_requests(local: LocalProvider) -> None:
    """A mail is accepted."""
    answer = requests.post(
        local.settings["api_url"], headers=headers(local.settings["api_key"]), json=MAIL, timeout=30
    )
    [sent] = local.emulator.sent
    assert (answer.status_code, answer.json()["id"]) == (200, sent.id)
    assert sent.payload == MAIL


def test_wrong_token(local: LocalProvider) -> None:
    """A wrong token is refused, and nothing is sent."""
    answer = requests.post(local.settings["api_url"], headers=headers("wrong"), json=MAIL, timeout=30)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert local.emulator.sent == []


def test_curl(local: LocalProvider) -> None:
    """So it is from a shell."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    lines = [f"{name}: {value}" for name, value in headers(local.settings["api_key"]).items()]
    options = [word for line in lines for word in ("-H", line)]
    command = [curl, "--silent", local.settings["api_url"], "-X", "POST", *options, "-d", json.dumps(MAIL)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert json.loads(done.stdout)["id"] == local.emulator.sent[0].id
    assert [sent.payload for sent in local.emulator.sent] == [MAIL]
