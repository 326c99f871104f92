"""`mailcore send`: one message, from options to outcome."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailcore import (
    Deadline,
    HttpRequest,
    HttpResponse,
    Message,
    Phase,
    PluginHost,
    SendCancelled,
    TransportFailure,
    hookimpl,
)
from mailcore.testing import no_pauses
from mailcore.transports.requests import RequestsTransport

TOKEN = "sekret-token-1"
ENVELOPE = ("--from", "Ada <ada@example.com>", "--to", "bob@example.net")
MAILPACE = ("send", "--provider", "mailpace", *ENVELOPE, "--text", "Hello")
CONSOLE = ("send", "--provider", "console", *ENVELOPE)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[HttpRequest]]]:
    """Return a function that lets the provider answer in one way, and returns the requests made."""

    def make(
        status: int = 200, body: bytes = b'{"id": 7, "status": "queued"}', **headers: str
    ) -> list[HttpRequest]:
        made: list[HttpRequest] = []

        def exchange(_: Any, request: HttpRequest, *, deadline: Deadline) -> HttpResponse:
            made.append(request)
            if status == 0:
                raise TransportFailure(Phase.CONNECTING, "No connection was made.")
            return HttpResponse(status=status, headers=headers, body=body)

        monkeypatch.setattr(RequestsTransport, "exchange", exchange)
        return made

    with no_pauses():
        yield make


def dry(run: Any, *arguments: str, **environment: str) -> Any:
    """Return the request a dry run shows."""
    ran = run(*MAILPACE[:-2], *arguments, "--dry-run", "--json", MAILPACE_API_KEY=TOKEN, **environment)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)["request"]


class TestMessage:
    """Options become the message, and nothing else does."""

    def test_every_option(self, run: Any, tmp_path: Path) -> None:
        """Each option ends up in its field of the payload."""
        report = tmp_path / "report.pdf"
        report.write_bytes(b"%PDF")
        request = dry(
            run, "--cc", "c@example.net", "--bcc", "d@example.net", "--reply-to", "r@example.com",
            "--subject", "Hi", "--text", "Hello", "--html", "<p>Hello</p>", "--tag", "a", "--tag", "b",
            "--attach", str(report), "--header", "In-Reply-To: <x@example.net>", "--idempotency-key", "key-1",
        )  # fmt: skip
        assert request["body"] == {
            "from": "Ada <ada@example.com>",
            "to": "bob@example.net",
            "cc": "c@example.net",
            "bcc": "d@example.net",
            "replyto": "r@example.com",
            "subject": "Hi",
            "htmlbody": "<p>Hello</p>",
            "textbody": "Hello",
            "inreplyto": "<x@example.net>",
            "tags": ["a", "b"],
            "attachments": [{"name": "report.pdf", "content": "JVBERg==", "content_type": "application/pdf"}],
        }
        assert ["Idempotency-Key", "key-1"] in request["headers"]

    def test_text_from_a_file_and_from_stdin(self, run: Any, tmp_path: Path) -> None:
        """`@FILE` and `-` stand for their content; `@@` begins a text with `@`."""
        (tmp_path / "text").write_bytes("Grüße".encode())
        assert dry(run, "--text", f"@{tmp_path / 'text'}")["body"]["textbody"] == "Grüße"
        assert dry(run, "--text", "-", stdin=b"from stdin")["body"]["textbody"] == "from stdin"
        assert dry(run, "--text", "@@ada")["body"]["textbody"] == "@ada"

    @pytest.mark.parametrize(
        "arguments, words",
        [
            (("--text", "@/no/such/file"), "'/no/such/file' cannot be read"),
            (("--text", "-", "--html", "-"), "Only one of --text and --html"),
            (("--text", "x", "--header", "nocolon"), "'Name: value'"),
            (("--text", "x", "--header", "X-A: 1", "--header", "X-A: 2"), "X-A is there twice"),
            (("--text", "x", "--attach", "/no/such/file"), "cannot be read"),
            (("--text", "x", "--cc", "nobody"), "mailcore: --cc: 'nobody' is not an address"),
            (("--text", "x", "--from", "nobody"), "mailcore: --from: 'nobody' is not an address"),
            (("--text", "x", "--reply-to", "nobody"), "mailcore: --reply-to: 'nobody' is"),
            (("--text", "x", "--subject", "a\nb"), "mailcore: --subject: holds"),
            (("--text", "x", "--tag", ""), "mailcore: --tag: A tag is empty"),
            (("--text", "x", "--header", "X-A: a\nb"), "mailcore: --header X-A: holds"),
            (("--text", "x", "--header", "X A: 1"), "mailcore: --header: 'X A' is not a header name"),
            (("--text", "x", "--header", "References: a b c<"), "mailcore: --header References: "),
            (("--text", "x", "--reply-to", "a@b.example", "--reply-to", "c@b.example"), "in --reply-to"),
            (("--text", "x", "--header", "From: eve@example.org"), "Use --from."),
            (("--text", "x", "--header", "reply-to: eve@example.org"), "Use --reply-to."),
            (("--text", "x", "--header", "Subject: x"), "Use --subject."),
            ((), "mailcore: There is no content. Give --text, --html or --attach."),
            (("--text", "x", "--header", "X-A: 1"), "can carry no headers"),
        ],
    )
    def test_unusable_input(self, run: Any, arguments: tuple[str, ...], words: str) -> None:
        """What cannot be sent is exit code 2, one line, and nothing on stdout."""
        ran = run(*MAILPACE[:-2], *arguments, MAILPACE_API_KEY=TOKEN)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert words in ran.err

    @pytest.mark.parametrize(
        "given, words",
        [
            (("--to", "b@example.net"), "There is no sender. Give --from"),
            (("--from", "a@example.net"), "There is no recipient. Give --to, --cc or --bcc."),
        ],
    )
    def test_what_is_missing(self, run: Any, given: tuple[str, ...], words: str) -> None:
        """What mail needs is asked for by option."""
        ran = run("send", "--provider", "console", "--text", "x", *given)
        assert (ran.code, ran.out) == (2, "")
        assert f"mailcore: {words}" in ran.err

    def test_field_that_no_option_gave(self, run: Any, tmp_path: Path) -> None:
        """What the configuration adds keeps the name it has there."""
        path = tmp_path / "mailcore.toml"
        path.write_text(
            '[mailers.a]\nprovider = "mailpace"\n'
            '[mailers.a.defaults]\nreply_to = ["a@b.example", "c@b.example"]\n'
        )
        ran = run("send", "--config", str(path), *ENVELOPE, "--text", "x", MAILPACE_API_KEY=TOKEN)
        assert ran.code == 2
        assert "in reply_to" in ran.err

    def test_text_that_is_not_utf8(self, run: Any) -> None:
        """Bytes are not guessed at."""
        ran = run(*CONSOLE, "--text", "-", stdin=b"\xff")
        assert ran.code == 2
        assert "not UTF-8" in ran.err


class TestWhichMailer:
    """A file, a URL, the environment, or a provider's name."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> str:
        """Return a configuration with two mailers and a default sender."""
        path = tmp_path / "mailcore.toml"
        path.write_text(
            'default = "main"\n[defaults]\nfrom_ = "Default <default@example.com>"\n'
            '[mailers.main]\nprovider = "mailpace"\napi_key = "env:MY_TOKEN"\n'
            '[mailers.local]\nprovider = "console"\n'
        )
        return str(path)

    def test_file(self, run: Any, file: str) -> None:
        """The file's default mailer, with the defaults all its mailers share."""
        ran = run(
            "send", "--config", file, "--to", "b@example.net", "--text", "x", "--dry-run", MY_TOKEN=TOKEN
        )
        assert ran.code == 0
        assert '"from": "Default <default@example.com>"' in ran.out

    def test_named_mailer(self, run: Any, file: str) -> None:
        """--mailer picks another one, with or without --config."""
        for more, environment in ((("--config", file), {}), ((), {"MAILCORE_CONFIG": file})):
            ran = run(
                "send",
                *more,
                "--mailer",
                "local",
                "--to",
                "b@example.net",
                "--text",
                "x",
                MY_TOKEN=TOKEN,
                **environment,
            )
            assert ran.code == 0
            assert "Accepted by console" in ran.out

    def test_unknown_mailer(self, run: Any, file: str) -> None:
        """The error names those there are."""
        ran = run("send", "--config", file, "--mailer", "x", MY_TOKEN=TOKEN)
        assert ran.code == 3
        assert "Mailers: main, local" in ran.err

    def test_url_from_the_environment(self, run: Any) -> None:
        """MAILCORE_URL may hold a secret: nobody else reads it."""
        ran = run(
            *CONSOLE[:1], *ENVELOPE, "--text", "x", "--dry-run", MAILCORE_URL=f"mailpace://?api_key={TOKEN}"
        )
        assert ran.code == 0
        assert "MailPace-Server-Token: ****" in ran.out

    def test_url_with_a_reference(self, run: Any) -> None:
        """A URL that names where the secret is may be an argument."""
        url = "mailpace://?api_key=env:MY_TOKEN"
        ran = run("send", "--url", url, *ENVELOPE, "--text", "x", "--dry-run", MY_TOKEN=TOKEN)
        assert (ran.code, ran.err) == (0, "")

    @pytest.mark.parametrize("option", ["api_key", "webhook_secret", "proxy", "api%5Fkey"])
    def test_url_with_a_secret_is_refused(self, run: Any, option: str) -> None:
        """The secret is not repeated, and the way out is named."""
        ran = run("send", "--url", f"mailpace://?{option}={TOKEN}", *ENVELOPE, "--text", "x")
        assert (ran.code, ran.out) == (3, "")
        assert TOKEN not in ran.err
        assert f"{option.replace('%5F', '_')}=env:VARIABLE" in ran.err

    def test_no_choice(self, run: Any) -> None:
        """The error names every way to choose, and what there is to choose from."""
        ran = run("send", *ENVELOPE, "--text", "x")
        assert ran.code == 3
        for words in ("--provider", "--config", "--url", "MAILCORE_CONFIG", "MAILCORE_URL", "mailpace"):
            assert words in ran.err

    @pytest.mark.parametrize(
        "arguments",
        [("--provider", "console", "--url", "console://"), ("--provider", "console", "--mailer", "x")],
    )
    def test_contradiction(self, run: Any, arguments: tuple[str, ...]) -> None:
        """Two answers to one question are refused."""
        assert run("send", *arguments).code == 2

    def test_missing_token_names_the_variables(self, run: Any) -> None:
        """The way out is where the environment's owner looks for it."""
        ran = run(*MAILPACE)
        assert (ran.code, ran.out) == (3, "")
        assert "MAILPACE_API_KEY" in ran.err


class TestOutcome:
    """Each outcome has its exit code, with and without --json."""

    @pytest.mark.parametrize(
        "status, body, code, outcome",
        [
            (200, b'{"id": 7, "status": "queued"}', 0, "accepted"),
            (400, b'{"error": "Invalid API Token"}', 4, "rejected"),
            (400, b'{"errors": {"to": ["contains a blocked address"]}}', 4, "rejected"),
            (500, b"", 5, "unknown"),
            (200, b"<html>", 5, "unknown"),
            (429, b'{"error": "too fast"}', 6, "not_accepted"),
            (0, b"", 6, "not_accepted"),
        ],
    )
    def test_exit_code_and_document(
        self, run: Any, answer: Any, *, status: int, body: bytes, code: int, outcome: str
    ) -> None:
        """The document has the outcome, on failure too, and is alone on stdout."""
        answer(status, body)
        ran = run(*MAILPACE, "--json", "--idempotency-key", "key-1", MAILPACE_API_KEY=TOKEN)
        document = json.loads(ran.out)
        assert (code, outcome) == (ran.code, document["outcome"])
        assert document["idempotency_key"] == "key-1"
        assert TOKEN not in ran.out + ran.err
        assert bool(code) == bool(ran.err)

    def test_accepted_is_told(self, run: Any, answer: Any) -> None:
        """People see the id, the key and each recipient."""
        requests = answer()
        ran = run(*MAILPACE, MAILPACE_API_KEY=TOKEN)
        assert (ran.code, ran.err, len(requests)) == (0, "", 1)
        for words in (
            "Accepted by mailpace",
            "message id",
            "7",
            "idempotency key",
            "bob@example.net",
            "queued",
        ):
            assert words in ran.out

    def test_unknown_says_how_to_resolve_it(self, run: Any, answer: Any) -> None:
        """The key that makes repeating safe is shown."""
        answer(500, b"")
        ran = run(*MAILPACE, "--idempotency-key", "key-1", MAILPACE_API_KEY=TOKEN)
        assert ran.code == 5
        assert "may have been sent. Repeat it with --idempotency-key key-1" in ran.err

    def test_not_accepted_says_when(self, run: Any, answer: Any) -> None:
        """Repeating is safe, after what the provider asks for."""
        answer(429, b"", **{"Retry-After": "600"})
        ran = run(*MAILPACE, MAILPACE_API_KEY=TOKEN)
        assert ran.code == 6
        assert "repeating it after 600 seconds is safe" in ran.err

    def test_error_document_is_alone(self, run: Any, answer: Any) -> None:
        """What went wrong is told once, with all that is known of it."""
        answer(400, b'{"error": "Invalid API Token"}')
        ran = run(*MAILPACE, "--json", MAILPACE_API_KEY=TOKEN)
        document = json.loads(ran.out)
        assert (document["error"], document["exit_code"]) == ("AuthenticationFailed", 4)
        assert (document["scope"], document["retriable"]) == ("account", False)
        assert len(document["attempts"]) == 1
        assert ran.err == f"mailcore: {document['message']}\n"

    def test_plugin_that_did_not_load(self, start: Any, install: Any) -> None:
        """It may be the one that holds mail back: one line says that it is not there."""
        install("acme-broken", "acme = broken_plugin", {"broken_plugin": "raise RuntimeError('oh')\n"})
        ran = start(*CONSOLE, "--text", "Hello")
        assert ran.code == 0
        assert (ran.err.count("\n"), "acme-broken:acme" in ran.err) == (1, True)

    def test_console_with_json(self, run: Any) -> None:
        """The provider that prints does not disturb the document."""
        ran = run(*CONSOLE, "--text", "Hello", "--json")
        assert json.loads(ran.out)["provider"] == "console"
        assert "To: bob@example.net" in ran.err


class TestDryRun:
    """The request is shown and not made."""

    def test_nothing_is_sent(self, run: Any, answer: Any) -> None:
        """No transport is asked."""
        requests = answer()
        ran = run(*MAILPACE, "--dry-run", MAILPACE_API_KEY=TOKEN)
        assert (ran.code, ran.err, requests) == (0, "", [])
        assert "Nothing is sent" in ran.out
        assert "POST https://app.mailpace.com/api/v1/send" in ran.out

    @pytest.mark.parametrize("more", [(), ("--json",)])
    def test_secrets_are_masked_wherever_they_are(self, run: Any, more: tuple[str, ...]) -> None:
        """By type in a header, and by value in the body."""
        ran = run(*MAILPACE[:-1], f"my token is {TOKEN}", "--dry-run", *more, MAILPACE_API_KEY=TOKEN)
        assert TOKEN not in ran.out + ran.err
        assert "my token is ****" in ran.out
        assert ran.out.count("****") == 2

    def test_long_values_are_shortened_for_people(self, run: Any, tmp_path: Path) -> None:
        """A file does not fill the screen."""
        (tmp_path / "big.txt").write_bytes(b"x" * 300_000)
        ran = run(*MAILPACE, "--attach", str(tmp_path / "big.txt"), "--dry-run", MAILPACE_API_KEY=TOKEN)
        assert "(400000 characters)" in ran.out
        assert len(ran.out) < 2_000

    def test_plugins_have_their_say(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """What would be sent is shown as plugins make it; what they hold back is an error."""

        class Plugin:
            @hookimpl
            def mailcore_before_send(self, message: Message) -> None:
                raise SendCancelled("Held back.")

        monkeypatch.setattr(PluginHost, "_default", PluginHost({"guard": Plugin()}))
        ran = run(*CONSOLE, "--text", "Hello", "--dry-run")
        assert (ran.code, ran.out, ran.err) == (2, "", "mailcore: Held back.\n")

    def test_it_needs_a_token(self, run: Any) -> None:
        """What could not be sent is not shown as if it could."""
        assert run(*MAILPACE, "--dry-run").code == 3

    def test_it_is_no_failed_send(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """No observer hears of a send that never was."""
        seen: list[str] = []

        class Plugin:
            @hookimpl
            def mailcore_request_prepared(self) -> None:
                seen.append("prepared")

            @hookimpl
            def mailcore_send_finished(self) -> None:
                seen.append("finished")

        monkeypatch.setattr(PluginHost, "_default", PluginHost({"watcher": Plugin()}))
        assert run(*CONSOLE, "--text", "Hello", "--dry-run").code == 0
        assert seen == []

    def test_provider_in_this_process(self, run: Any) -> None:
        """A provider without a wire shows the message it would get."""
        ran = run(*CONSOLE, "--text", "Hello", "--dry-run", "--json")
        request = json.loads(ran.out)["request"]
        assert (request["destination"], request["messages"][0]["text"]) == ("console", "Hello")
