"""What every command has in common: help, version, errors, exit codes, and what never reaches a user."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from mailcore import (
    AuthenticationFailed,
    ConfigurationError,
    HttpResponse,
    InvalidMessage,
    MailcoreError,
    MaybeSent,
    ProtocolBug,
    Rejected,
    SendCancelled,
    Unreachable,
    UnsupportedFeature,
    WebhookRejected,
)
from mailcore._pip import pip_install
from mailcore.cli import main
from mailcore.cli._app import app
from mailcore.cli._exit import code_of
from mailcore.cli._plugins import plugins

NAMES = ("demo", "sandbox", "send", "providers", "plugins", "doctor", "webhook check", "inbound parse")
COMMANDS = [tuple(name.split()) for name in NAMES]


def breaking(error: BaseException) -> Callable[..., None]:
    """Return a command body that raises."""

    def body(**_: Any) -> None:
        raise error

    return body


class TestHelp:
    """Help teaches: each command shows examples that begin with the command itself."""

    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_command_has_examples(self, run: Any, command: tuple[str, ...]) -> None:
        """`--help` ends with examples."""
        ran = run(*command, "--help")
        assert (ran.code, ran.err) == (0, "")
        assert "For example:" in ran.out
        assert f"mailcore {' '.join(command)}" in ran.out.partition("For example:")[2]

    def test_alone_it_shows_where_to_begin(self, run: Any) -> None:
        """`mailcore` alone is a question, not a mistake."""
        ran = run()
        assert (ran.code, ran.err) == (0, "")
        assert "mailcore demo" in ran.out
        assert all(name in ran.out for (name, *_) in COMMANDS)

    def test_no_option_takes_a_token(self) -> None:
        """No command has an option to give a credential with."""
        commands = [app, *app.commands.values()]
        commands += [
            inner for group in commands if isinstance(group, click.Group) for inner in group.commands.values()
        ]
        options = {option for command in commands for found in command.params for option in found.opts}
        assert not [
            option for option in options if any(word in option for word in ("token", "secret", "api", "pass"))
        ]

    def test_version(self, run: Any) -> None:
        """`--version` prints one line."""
        ran = run("--version")
        assert ran.code == 0
        assert ran.out.startswith("mailcore, version ")


class TestExitCodes:
    """The number says what to do next."""

    @pytest.mark.parametrize(
        "error, code",
        [
            (InvalidMessage("no"), 2),
            (UnsupportedFeature("no", field="to"), 2),
            (SendCancelled("no"), 2),
            (WebhookRejected("no"), 2),
            (ConfigurationError("no"), 3),
            (MailcoreError("no"), 3),
            (Rejected("no"), 4),
            (AuthenticationFailed("no"), 4),
            (ProtocolBug("no", response=HttpResponse(status=404)), 4),
            (ProtocolBug("the adapter failed"), 1),
            (MaybeSent("no"), 5),
            (Unreachable("no"), 6),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
    )
    def test_each_error_has_one(self, error: MailcoreError, code: int) -> None:
        """Whose fault it is, and whether repeating is safe, is in the exit code."""
        assert code == code_of(error)

    def test_error_is_one_line_on_stderr(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A text of several lines, or one that steers the terminal, becomes one plain line."""
        monkeypatch.setattr(plugins, "callback", breaking(Rejected("no\nreally\x1b[2J no")))
        ran = run("plugins")
        assert (ran.code, ran.out, ran.err) == (4, "", "mailcore: no really\ufffd[2J no\n")

    @pytest.mark.parametrize("arguments", [("nonsense",), ("send", "--nonsense"), ("webhook", "check")])
    def test_wrong_usage_is_your_input(self, run: Any, arguments: tuple[str, ...]) -> None:
        """An unknown command or option, or a missing argument: 2, and where the help is."""
        ran = run(*arguments)
        assert (ran.code, ran.out) == (2, "")
        assert "--help` shows how" in ran.err
        assert ran.err.count("\n") == 1

    @pytest.mark.parametrize("arguments", [("nonsense",), ("send", "--nonsense"), ("send", "--txt", "x")])
    def test_wrong_usage_is_a_sentence(self, run: Any, arguments: tuple[str, ...]) -> None:
        """What is wrong ends before what to do begins, and ends once."""
        said, _, hint = run(*arguments).err.partition(" `mailcore")
        assert hint.endswith("--help` shows how.\n")
        assert re.search(r"[^.?][.?]\)?$", said)

    def test_bug_is_reported_without_its_text(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A bug is one line without traceback, and without a text that may quote a secret."""
        monkeypatch.setattr(plugins, "callback", breaking(TypeError("token sekret-1")))
        ran = run("plugins")
        assert (ran.code, ran.out) == (1, "")
        assert "please report" in ran.err
        assert "TypeError" in ran.err
        assert "sekret-1" not in ran.err
        assert ran.err.count("\n") == 1

    def test_debug_shows_the_traceback(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """MAILCORE_DEBUG=1 is for whoever mends it."""
        monkeypatch.setattr(plugins, "callback", breaking(TypeError("why")))
        ran = run("plugins", MAILCORE_DEBUG="1")
        assert ran.code == 1
        assert "Traceback" in ran.err

    def test_interrupt(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ctrl-C ends with 130 and without a word of ours."""
        monkeypatch.setattr(plugins, "callback", breaking(KeyboardInterrupt()))
        ran = run("plugins")
        assert (ran.code, ran.out, ran.err.strip()) == (130, "", "")

    def test_full_disk_is_no_bug(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the system refuses is told in its own words."""
        monkeypatch.setattr(plugins, "callback", breaking(OSError(28, "No space left on device")))
        ran = run("plugins")
        assert (ran.code, ran.err) == (3, "mailcore: The output: No space left on device.\n")

    def test_library_warnings_are_one_line(self, run: Any) -> None:
        """What the library logs reaches people on stderr, and is not repeated by a later command."""
        arguments = (
            "send",
            "--provider",
            "mailpace",
            "--dry-run",
            "--from",
            "a@b.example",
            "--to",
            "c@d.example",
        )
        for _ in range(2):
            ran = run(*arguments, "--text", "x", "--attach", __file__, MAILPACE_API_KEY="t-1")
            assert ran.err.startswith("mailcore: warning: MailPace may refuse this message")
            assert ran.err.count("\n") == 1


class TestErrorAsJson:
    """With --json, an error is one document on stdout and one line on stderr, whatever the command."""

    @pytest.mark.parametrize(
        "arguments, error, code",
        [
            (("send", "--provider", "console", "--text", "@/no/such/file"), "UsageError", 2),
            (("send", "--provider", "console", "--from", "nobody"), "InvalidAddress", 2),
            (("send", "--provider", "nonsense"), "UnknownProvider", 3),
            (("send", "--nonsense"), "UsageError", 2),
            (("webhook", "check", "/no/such/file", "--provider", "mailpace"), "UsageError", 2),
            (("webhook", "check", __file__, "--provider", "mailpace"), "MissingOption", 3),
            (("inbound", "parse", "/no/such/file"), "UsageError", 2),
            (("inbound", "parse", __file__, "--provider", "nonsense"), "UnknownProvider", 3),
            (("providers", "--can", "nonsense"), "UsageError", 2),
            (("demo", "--provider", "nonsense"), "UnknownProvider", 3),
        ],
        ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else str(value),
    )
    def test_document(self, run: Any, arguments: tuple[str, ...], error: str, code: int) -> None:
        """Its class, what stderr says, and the exit code."""
        ran = run(*arguments, "--json")
        document = json.loads(ran.out)
        assert document == {"error": error, "message": document["message"], "exit_code": code}
        assert (ran.code, ran.err) == (code, f"mailcore: {document['message']}\n")

    def test_bug(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A program hears of a bug too, and not what its text may quote."""
        monkeypatch.setattr(plugins, "callback", breaking(TypeError("token sekret-1")))
        ran = run("plugins", "--json")
        document = json.loads(ran.out)
        assert (document["error"], document["exit_code"]) == ("TypeError", 1)
        assert "sekret-1" not in ran.out

    def test_what_cannot_be_written(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the output itself fails, nothing more is written to it."""
        monkeypatch.setattr(plugins, "callback", breaking(OSError(28, "No space left on device")))
        assert run("plugins", "--json").out == ""

    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_help_says_so(self, run: Any, command: tuple[str, ...]) -> None:
        """Each command that takes --json says what it does with an error."""
        assert "--json" in run(*command, "--help").out
        assert "of an error too" in " ".join(run(*command, "--help").out.split())
        assert '{"error": "...", "message": "...", "exit_code": ...}' in run("--help").out


class TestWithoutTheExtra:
    """Core installs neither click nor rich."""

    @pytest.mark.parametrize("package", ["click", "rich"])
    def test_says_how_to_get_it(
        self, package: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One command to run, on stderr, and exit code 3."""
        monkeypatch.setitem(sys.modules, package, None)
        assert main(["demo"]) == 3
        said = capsys.readouterr()
        assert (said.out, f"Run: {pip_install('mailcore-esp', 'cli')}\n" in said.err) == ("", True)


class TestProcess:
    """What only a real process shows."""

    def test_broken_pipe_is_silent(self, tmp_path: Path) -> None:
        """`mailcore providers --json | head -1` says nothing of the pipe."""
        process = subprocess.Popen(
            [sys.executable, "-m", "mailcore.cli", "providers", "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()
        process.stderr.close()
        assert (process.wait(), said) == (141, b"")

    def test_broken_pipe_is_silent_of_an_error_too(self) -> None:
        """Nobody reads the document of an error: that is no second error."""
        process = subprocess.Popen(
            [sys.executable, "-m", "mailcore.cli", "providers", "--json", "--can", "nonsense"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()
        process.stderr.close()
        assert (process.wait(), said.count(b"\n")) == (2, 1)

    @pytest.mark.parametrize("module", ["mailcore", "mailcore.cli"])
    def test_module(self, module: str) -> None:
        """`python -m mailcore` is `mailcore`."""
        done = subprocess.run(
            [sys.executable, "-m", module, "nonsense"], capture_output=True, check=False, text=True
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("mailcore: ")

    def test_any_encoding_will_do(self, start: Any, captured: Any) -> None:
        """A terminal that lacks a character gets another one; JSON loses nothing."""
        arguments = ("inbound", "parse", captured.event.body.replace("event.json", "umlaut.eml"))
        Path(arguments[2]).write_bytes("Subject: Grüße\n\nÜ\n".encode())
        plain = start(*arguments, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
        assert (plain.code, plain.err) == (0, "")
        assert "Gr??e" in plain.out
        document = start(*arguments, "--json", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
        assert json.loads(document.out)["messages"][0]["subject"] == "Grüße"

    def test_console_script(self) -> None:
        """The installed script `mailcore` is this command line."""
        script = shutil.which("mailcore", path=str(Path(sys.executable).parent))
        if script is None:
            pytest.skip("mailcore is not installed here")
        done = subprocess.run([script, "nonsense"], capture_output=True, check=False, text=True)
        assert (done.returncode, done.stdout) == (2, "")
