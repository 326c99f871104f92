"""`mailcore sandbox`: what it prints works, and what cannot work is one line."""

from __future__ import annotations

import json
import shlex
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from mailcore import Mailers, Message

pytestmark = pytest.mark.loopback

COMMAND = [sys.executable, "-m", "mailcore.cli", "sandbox", "--port", "0", "--smtp-port", "0"]


@pytest.fixture
def begin() -> Iterator[Callable[..., Any]]:
    """Return a function that starts the command; it is ended at the end."""
    begun: list[Any] = []

    def start(*arguments: str) -> Any:
        process = subprocess.Popen(
            [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def ended(process: Any, how: signal.Signals) -> tuple[int, str]:
    """End a process, and return its exit code and what it complained of."""
    process.send_signal(how)
    _, complaint = process.communicate(timeout=60)
    return process.returncode, complaint


class TestRunning:
    """With no configuration at all."""

    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
    def test_settings_to_paste(self, begin: Any, tmp_path: Path, how: signal.Signals) -> None:
        """Each mailer of the settings that are printed sends, and Ctrl-C ends it without a complaint."""
        process = begin()
        lines = list(iter(process.stdout.readline, "Ctrl-C ends it.\n"))
        page = lines[0].split()[-1]
        head = next(number for number, line in enumerate(lines) if line.startswith("Settings to paste"))
        file = tmp_path / "mailcore.toml"
        file.write_text("".join(lines[head + 1 :]), encoding="utf-8")
        names = list(tomllib.loads(file.read_text(encoding="utf-8"))["mailers"])
        with Mailers.from_file(file) as mailers:
            for name in names:
                message = Message(from_="me@corp.example", to="you@x.example", subject=name, text="Hi")
                mailers[name].send(message)
        feed = requests.get(page.partition("/?")[0] + "/api/mails", timeout=60).json()
        assert [mail["subject"] for mail in feed["mails"]] == names[::-1]
        assert ended(process, how) == (0, "")

    def test_first_mail(self, begin: Any) -> None:
        """The command that is printed sends a mail as it stands, to the address that is listened on."""
        process = begin("--host", "127.0.0.2")
        lines = list(iter(process.stdout.readline, "\n"))
        (command,) = [line.removeprefix("Try it").strip() for line in lines if line.startswith("Try it")]
        assert any(line.startswith("SMTP      127.0.0.2:") for line in lines)
        name, *arguments = shlex.split(command)
        assert name == "mailcore"
        sent = subprocess.run(
            [sys.executable, "-m", "mailcore.cli", *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (sent.returncode, sent.stderr) == (0, "")
        feed = requests.get(lines[0].split()[-1].partition("/?")[0] + "/api/mails", timeout=10).json()
        assert [mail["provider"] for mail in feed["mails"]] == ["smtp"]

    def test_json(self, begin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """For programs there is a document, and a token that they know."""
        monkeypatch.setenv("MAILCORE_SANDBOX_TOKEN", "known")
        process = begin("--json")
        text = ""
        while not text.endswith("\n}\n"):
            text += process.stdout.readline()
        document = json.loads(text)
        headers = {"X-Mailcore-Token": "known"}
        answer = requests.delete(f"{document['url']}/api/mails", headers=headers, timeout=60)
        assert (answer.status_code, document["token"]) == (204, "known")
        assert ended(process, signal.SIGINT) == (0, "")


class TestRefused:
    """One line that names what to do."""

    @pytest.mark.parametrize(
        "arguments, words",
        [
            (("--file", "no/such/folder/mail.db"), "No such file or directory"),
            (("--file", __file__), "file is not a database"),
            (("--webhook-url", "nonsense"), "The webhook URL is of the form"),
            (("--host", "192.0.2.1"), "Choose another one with --port"),
        ],
    )
    def test_bad_input(self, run: Any, arguments: tuple[str, ...], words: str) -> None:
        """What cannot be used is said."""
        ran = run("sandbox", "--port", "0", "--smtp-port", "0", *arguments)
        assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1)
        assert words in ran.err

    @pytest.mark.parametrize("option", ["--port", "--smtp-port"])
    def test_port_in_use(self, run: Any, option: str) -> None:
        """A port that is taken is named, with the option that chooses another."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = str(other.getsockname()[1])
            ran = run("sandbox", "--port", "0", "--smtp-port", "0", option, taken)
        assert (ran.code, ran.err.count("\n")) == (3, 1)
        assert f"Port {taken} of 127.0.0.1 cannot be used" in ran.err
        assert option in ran.err

    def test_without_its_extra(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is missing is named, with what to install."""
        for name in [name for name in sys.modules if name.startswith("mailcore.sandbox.web")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "uvicorn", None)
        ran = run("sandbox")
        assert ran.code == 3
        assert "uvicorn" in ran.err
        assert "needs the extra 'sandbox' of mailcore-esp" in ran.err
        assert "Run: pip install " in ran.err
