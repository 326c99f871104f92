"""The fixtures that pytest offers wherever mailcore is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import socket

import pytest
from mailcore import Mailer, Message, NotAccepted

CONFIG = {"provider": "mailpace", "api_key": "a-token"}
MESSAGE = Message(from_="ada@shop.example", to="bob@example.net", subject="Welcome", text="Hello")
EARLY = Mailer.from_config(CONFIG)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_sends(outbox):
    assert EARLY.send(MESSAGE).message_id == "1"
    Mailer.from_config(CONFIG, name="second").send(MESSAGE)
    outbox.assert_count(2, to="bob@example.net")
    outbox.assert_sent(mailer="second")


def test_starts_empty(outbox, mailcore_outbox):
    assert outbox is mailcore_outbox
    outbox.assert_not_sent()


def test_repeats_do_not_wait(outbox):
    from mailcore_mailpace.emulator import Fault

    slept = []
    outbox.emulator("mailpace").inject(*[Fault.RATE_LIMITED] * 3)
    Mailer.from_config(CONFIG, sleep=slept.append).send(MESSAGE)
    assert slept == [0, 0, 0]


def test_without_it():
    with pytest.raises(NotAccepted):
        Mailer.from_config({**CONFIG, "max_attempts": 1}).send(MESSAGE)


def test_that_fails(outbox):
    EARLY.send(MESSAGE)
    outbox.assert_sent(subject="Goodbye")
"""

OWN = """
import pytest


@pytest.fixture
def outbox():
    return []


def test_own(outbox, mailcore_outbox):
    assert outbox == []
    mailcore_outbox.assert_count(0)
"""


def run_pytest(folder: Path) -> str:
    """Run the tests in a folder by a pytest of their own, and return what it says."""
    own = ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(folder), str(folder)]
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", *own]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.long
def test_in_a_fresh_pytest(tmp_path: Path) -> None:
    """The fixtures are there without a word; a failed assertion shows what was sent, and none of our code."""
    (tmp_path / "test_shop.py").write_text(TESTS, encoding="utf-8")
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
    ]
    done = subprocess.run(
        [*command, "--rootdir", tmp_path, tmp_path], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "1 failed, 4 passed" in done.stdout, done.stdout + done.stderr
    assert "No message has subject='Goodbye'. One message was sent." in done.stdout
    assert "  subject is 'Welcome', not 'Goodbye'" in done.stdout
    assert "_outbox.py" not in done.stdout


@pytest.mark.long
def test_own_fixture_wins(tmp_path: Path) -> None:
    """A project's own `outbox` stays; ours has a longer name too."""
    (tmp_path / "test_own.py").write_text(OWN, encoding="utf-8")
    assert "1 passed" in run_pytest(tmp_path)


def test_loads_nothing_heavy() -> None:
    """Whoever runs tests of anything at all pays for two small modules."""
    code = (
        "import sys, pytest; before = set(sys.modules); import mailcore.pytest_plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["mailcore", "mailcore.pytest_plugin"]
